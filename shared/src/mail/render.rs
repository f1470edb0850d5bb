//! From an outbox entry to subject, text and HTML.
//!
//! Templates are files, one folder per event. HTML is escaped by their `.html` name, a subject never spans lines, and a
//! variable that a template names and an entry lacks is an error, not a gap. Links and the portal's address stand in
//! HTML as they are: the configuration lets no character through that could end an attribute.

use std::fmt;

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde_json::json;

use super::entry::{Event, MailSettings, OutboxEntry};
use crate::domain::link::PlainToken;

/// A mail as it goes out. Prints nothing of it: the token of its link stands in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The text part; links stand in it whole.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered(…)")
    }
}

macro_rules! templates {
    ($($event:ident: $folder:literal),* $(,)?) => {
        fn sources(event: Event) -> [(&'static str, &'static str); 3] {
            match event {
                $(Event::$event => [
                    ("subject.txt", include_str!(concat!("../../templates/", $folder, "/subject.txt.j2"))),
                    ("body.txt", include_str!(concat!("../../templates/", $folder, "/body.txt.j2"))),
                    ("body.html", include_str!(concat!("../../templates/", $folder, "/body.html.j2"))),
                ],)*
            }
        }
    };
}

templates! {
    ConfirmRegistration: "confirm_registration",
    AlreadyRegistered: "already_registered",
    RegistrationPending: "registration_pending",
    Welcome: "welcome",
    Approved: "approved",
    Rejected: "rejected",
    Activated: "activated",
    Deactivated: "deactivated",
    Invitation: "invitation",
    ResetPassword: "reset_password",
    PasswordChanged: "password_changed",
    PendingDigest: "pending_digest",
    InviteCodeLow: "invite_code_low",
    InviteCodeExpiring: "invite_code_expiring",
}

const LAYOUT_TEXT: &str = include_str!("../../templates/layout.txt.j2");
const LAYOUT_HTML: &str = include_str!("../../templates/layout.html.j2");

/// Renders `entry` as it is sent from a portal at `portal_url`, with the token of its link where it carries one.
///
/// # Errors
/// A template that does not fit its variables; the message names template and line, never a value.
pub fn render(
    entry: &OutboxEntry,
    settings: &MailSettings,
    portal_url: &str,
    token: Option<&PlainToken>,
) -> Result<Rendered, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.add_template("layout.txt", LAYOUT_TEXT)?;
    templates.add_template("layout.html", LAYOUT_HTML)?;
    let portal_url = portal_url.trim_end_matches('/');
    let link = entry.link.as_ref().zip(token);
    let link = link.map(|(order, token)| format!("{portal_url}/{}#token={}", order.purpose.page(), token.expose()));
    let mut variables = entry.variables.clone();
    variables.insert("portal_name".to_owned(), json!(settings.portal_name));
    variables.insert("portal_url".to_owned(), json!(portal_url));
    variables.extend(link.map(|link| ("link".to_owned(), json!(link))));
    let mut render = |(name, source): (&'static str, &'static str)| -> Result<String, minijinja::Error> {
        templates.add_template(name, source)?;
        Ok(templates.get_template(name)?.render(Serde(&variables))?.trim().to_owned())
    };
    let [subject, text, html] = sources(entry.event);
    let subject = render(subject)?.replace(char::is_control, " ");
    Ok(Rendered { subject, text: render(text)?, html: render(html)? })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Map;

    use super::*;
    use crate::{
        domain::{
            email::Email,
            ids::InvitationId,
            invite_code::InviteCode,
            name::Name,
            organisation::Placement,
            settings::Settings,
            user::{NewUser, Role, Source, Start, Status, User},
        },
        mail::Composer,
        random::Random,
        store::{InvitationCopy, NoticeFacts},
    };

    const PORTAL: &str = "https://portal.example.com/";

    fn settings(portal_name: &str) -> MailSettings {
        MailSettings { sender: None, portal_name: Name::parse(portal_name).unwrap() }
    }

    fn person(first_name: &str) -> User {
        let new = NewUser {
            email: Email::parse("ada@example.com").unwrap(),
            first_name: Name::parse(first_name).unwrap(),
            last_name: Name::parse("Lovelace").unwrap(),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start: Start::As(Status::Unconfirmed),
        };
        new.at(Timestamp::UNIX_EPOCH, 1)
    }

    fn invitation(inviter: Option<&str>) -> InvitationCopy {
        let mut variables = Map::new();
        variables.insert("first_name".to_owned(), json!("Ada"));
        variables.insert("inviter".to_owned(), json!(inviter));
        variables.insert("organisation".to_owned(), json!(inviter.map(|_| "Analytical Engines")));
        variables.insert("teams".to_owned(), json!(["Mill", "Store"]));
        variables.insert("expires_at".to_owned(), json!("22 January 2026, 09:30 UTC"));
        let id = InvitationId::new(Timestamp::UNIX_EPOCH, 1);
        InvitationCopy { id, expires_at: Timestamp::MAX, variables }
    }

    fn code(quota: u32, used: u64) -> InviteCode {
        let expires_at = Some(Timestamp::UNIX_EPOCH);
        InviteCode { quota: Some(quota), used, expires_at, ..crate::domain::invite_code::tests::code() }
    }

    fn notice() -> NoticeFacts {
        NoticeFacts {
            settings: Settings::default(),
            to: vec![Email::parse("owner@example.com").unwrap()],
            organisation: Some(Name::given("Analytical Engines")),
            team: Some(Name::given("Mill")),
        }
    }

    /// Every mail of the product, under the name of its case.
    fn mails(user: &User) -> Vec<(&'static str, OutboxEntry)> {
        let random = Random::seeded(1);
        let compose = Composer { now: Timestamp::UNIX_EPOCH, random: &random };
        let known = crate::store::Sentinel {
            user_id: user.id.clone(),
            stage: crate::store::Stage::Settled,
            link_version: 1,
            confirm_until: None,
            invitation: None,
            mails: None,
        };
        let owner = Email::parse("owner@example.com").unwrap();
        let invite = |inviter| compose.invitation(&user.email, &user.id, 1, &invitation(inviter));
        vec![
            ("confirm_registration", compose.confirm_registration(&user.email, &user.id, 1, Timestamp::UNIX_EPOCH)),
            ("already_registered", compose.known_address(&user.email, &known)),
            ("already_registered_and_invited", compose.invited_though_registered(&user.email)),
            ("registration_pending", compose.registration_pending([&owner], user).unwrap()),
            ("welcome_active", compose.welcome(user, Status::Active)),
            ("welcome_inactive", compose.welcome(user, Status::Inactive)),
            ("approved", compose.approved(user)),
            ("rejected_with_reason", compose.rejected(user, Some("We know nobody of this name.\nTry again."))),
            ("rejected", compose.rejected(user, None)),
            ("activated", compose.activated(user)),
            ("deactivated", compose.deactivated(user)),
            ("invitation", invite(Some("Charles Babbage"))),
            ("invitation_by_the_deployment", invite(None)),
            ("reset_password", compose.reset_password(&user.email, &user.id, 1)),
            ("password_changed", compose.password_changed(user)),
            ("pending_digest", compose.pending_digest(&[owner.clone()], 1, std::slice::from_ref(user))),
            ("pending_digest_of_many", compose.pending_digest(&[owner], 5, &[user.clone(), user.clone()])),
            ("invite_code_low", compose.invite_code_low(&code(20, 18), &notice())),
            ("invite_code_used_up", compose.invite_code_low(&code(20, 20), &notice())),
            ("invite_code_expiring", compose.invite_code_expiring(&code(20, 7), &notice())),
        ]
    }

    #[test]
    fn every_mail_reads_as_it_should() {
        let token = PlainToken::new([7; 32]);
        for (case, entry) in mails(&person("Ada")) {
            let mail = render(&entry, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
            let whole = format!("{}\n\n{}\n\n{}", mail.subject, mail.text, mail.html);
            insta::assert_snapshot!(case, whole);
        }
    }

    #[test]
    fn every_event_has_a_mail_here() {
        let mails = mails(&person("Ada"));

        assert!(Event::ALL.into_iter().all(|event| mails.iter().any(|(_, entry)| entry.event == event)));
    }

    #[test]
    fn a_link_stands_whole_on_a_line_of_its_own_in_the_text() {
        let token = PlainToken::new([7; 32]);
        for (case, entry) in mails(&person("Ada")) {
            let mail = render(&entry, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
            let Some(order) = &entry.link else { continue };
            let link = format!("https://portal.example.com/{}#token={}", order.purpose.page(), token.expose());
            assert!(mail.text.lines().any(|line| line == link), "{case}: {}", mail.text);
            assert!(mail.html.contains(&format!("href=\"{link}\"")), "{case}: {}", mail.html);
        }
    }

    #[test]
    fn markup_in_names_stays_text() {
        let token = PlainToken::new([7; 32]);
        let markup = "<img src=x onerror=alert(1)>";
        for (case, mut entry) in mails(&person(markup)) {
            if entry.event == Event::Invitation {
                for name in ["first_name", "inviter", "organisation"] {
                    entry.variables.insert(name.to_owned(), json!(markup));
                }
                entry.variables.insert("teams".to_owned(), json!([markup, markup]));
            }
            let mail = render(&entry, &settings("<script>x</script>"), PORTAL, Some(&token)).unwrap();
            assert!(!mail.html.contains("<img") && !mail.html.contains("<script"), "{case}: {}", mail.html);
            if entry.event == Event::Invitation {
                assert_eq!(mail.html.matches("&lt;img").count(), 5, "{case}: {}", mail.html);
            }
        }
    }

    #[test]
    fn mails_that_strangers_can_cause_hold_no_name() {
        let token = PlainToken::new([7; 32]);
        for (case, entry) in mails(&person("Click-here")) {
            if matches!(entry.event, Event::ConfirmRegistration | Event::AlreadyRegistered | Event::ResetPassword) {
                let mail = render(&entry, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
                assert!(!mail.text.contains("Click-here"), "{case}");
            }
        }
    }

    #[test]
    fn neither_a_mail_nor_its_entry_is_printed() {
        let token = PlainToken::new([7; 32]);
        for (case, entry) in mails(&person("Ada")) {
            let mail = render(&entry, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
            let printed = format!("{mail:?} {entry:?}");
            for secret in [token.expose(), "Ada", "Lovelace", "ada@example.com", "Example APIs"] {
                assert!(!printed.contains(secret), "{case}: {printed}");
            }
            assert!(printed.contains(entry.id.as_str()), "{case}: {printed}");
        }
    }

    #[test]
    fn a_missing_variable_is_an_error_and_no_gap() {
        let mut without_names = Vec::new();
        for (case, mut entry) in mails(&person("Ada")) {
            if entry.variables.remove("first_name").is_some() {
                let error = render(&entry, &settings("Example APIs"), PORTAL, None).unwrap_err();
                assert!(!format!("{error}").contains("Lovelace"), "{case}");
            } else {
                without_names.push(case);
            }
        }
        assert_eq!(
            without_names,
            [
                "confirm_registration",
                "already_registered",
                "already_registered_and_invited",
                "reset_password",
                "pending_digest",
                "pending_digest_of_many",
                "invite_code_low",
                "invite_code_used_up",
                "invite_code_expiring",
            ]
        );
    }
}
