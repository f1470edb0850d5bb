//! From an outbox entry to subject, text and HTML.
//!
//! Built-in templates are files, one folder per event. HTML is escaped, a subject never spans lines, and a variable that a
//! template names and an entry lacks is an error, not a gap.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    entry::{Event, MailSettings, OutboxEntry},
    judge::carries,
    sandbox::{Bounds, JUDGING, Part, SENDING, render_part},
    variables::{trials, variables},
};
use crate::domain::{link::PlainToken, name::Name};

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

impl Rendered {
    /// Whether text and HTML both carry the link, where there is one: each may be the only part that its reader sees.
    fn carries(&self, link: Option<&str>) -> bool {
        link.is_none_or(|link| carries(Part::Text, &self.text, link) && carries(Part::Html, &self.html, link))
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered(…)")
    }
}

macro_rules! templates {
    ($($event:ident: $folder:literal),* $(,)?) => {
        fn sources(event: Event) -> [&'static str; 3] {
            match event {
                $(Event::$event => [
                    include_str!(concat!("../../templates/", $folder, "/subject.txt.j2")),
                    include_str!(concat!("../../templates/", $folder, "/body.txt.j2")),
                    include_str!(concat!("../../templates/", $folder, "/body.html.j2")),
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
    EmailChanged: "email_changed",
    PendingDigest: "pending_digest",
    InviteCodeLow: "invite_code_low",
    InviteCodeExpiring: "invite_code_expiring",
    OrganisationRequested: "organisation_requested",
    OrganisationApproved: "organisation_approved",
    OrganisationRejected: "organisation_rejected",
}

/// The templates of a mail: what is built in, or what an API Owner made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailTemplate {
    /// The template of the subject.
    pub subject: String,
    /// The template of the text part.
    pub text: String,
    /// The template of the HTML part.
    pub html: String,
}

impl MailTemplate {
    /// The templates that an event's mails have as long as nobody changes them.
    #[must_use]
    pub fn built_in(event: Event) -> Self {
        let [subject, text, html] = sources(event).map(|source| source.trim_end().to_owned());
        Self { subject, text, html }
    }

    fn rendered(&self, variables: &Map<String, Value>, bounds: Bounds) -> Result<Rendered, minijinja::Error> {
        Ok(Rendered {
            subject: render_part(Part::Subject, &self.subject, variables, bounds)?,
            text: render_part(Part::Text, &self.text, variables, bounds)?,
            html: render_part(Part::Html, &self.html, variables, bounds)?,
        })
    }

    /// The mail that the event's sample variables give.
    ///
    /// # Errors
    /// A template that would not have been accepted.
    pub fn preview(&self, event: Event, portal_name: &Name) -> Result<Rendered, minijinja::Error> {
        let trial = trials(&variables(event, portal_name)).into_iter().next().unwrap_or_default();
        self.rendered(&trial, JUDGING)
    }
}

/// Renders `entry` as it is sent from a portal at `portal_url`, with the token of its link where it carries one, by the
/// `changed` templates where there are some.
///
/// Changed templates were tried before they were kept, with samples. One that fails all the same, or with what an entry
/// says leaves out the link, does not keep the mail back: the built-in ones take its place, and the log says so.
///
/// # Errors
/// A built-in template that does not fit its variables; the message names template and line, never a value.
pub fn render(
    entry: &OutboxEntry,
    changed: Option<&MailTemplate>,
    settings: &MailSettings,
    portal_url: &str,
    token: Option<&PlainToken>,
) -> Result<Rendered, minijinja::Error> {
    let portal_url = portal_url.trim_end_matches('/');
    let link = entry.link.as_ref().zip(token);
    let link = link.map(|(order, token)| format!("{portal_url}/{}#token={}", order.purpose.page(), token.expose()));
    let mut variables = entry.variables.clone();
    variables.insert("portal_name".to_owned(), json!(settings.portal_name));
    variables.insert("portal_url".to_owned(), json!(portal_url));
    variables.extend(link.iter().map(|link| ("link".to_owned(), json!(link))));
    if let Some(changed) = changed {
        match changed.rendered(&variables, SENDING) {
            Ok(rendered) if rendered.carries(link.as_deref()) => return Ok(rendered),
            Ok(_) => {
                let event = entry.event.as_str();
                tracing::error!(mail = %entry.id, event, "a changed template left out the link");
            }
            Err(error) => {
                let (event, kind) = (entry.event.as_str(), error.kind().to_string());
                let (template, line_number) = (error.name(), error.line());
                tracing::error!(mail = %entry.id, event, kind, template, line_number, "a changed template failed");
            }
        }
    }
    MailTemplate::built_in(entry.event).rendered(&variables, SENDING)
}

#[cfg(test)]
mod promises;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::variables::{link_of, of_entry},
        *,
    };
    use crate::{
        domain::{
            email::Email,
            ids::InvitationId,
            invite_code::InviteCode,
            organisation::Placement,
            settings::Settings,
            user::{NewUser, Role, Source, Start, Status, User},
        },
        mail::Composer,
        random::Random,
        store::{InvitationCopy, NoticeFacts},
    };
    use jiff::Timestamp;

    pub(super) const PORTAL: &str = "https://portal.example.com/";

    pub(super) fn settings(portal_name: &str) -> MailSettings {
        MailSettings { sender: None, portal_name: Name::parse(portal_name).unwrap() }
    }

    pub(super) fn person(first_name: &str) -> User {
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

    fn invitation(organisation: Option<&str>) -> InvitationCopy {
        let mut variables = Map::new();
        variables.insert("first_name".to_owned(), json!("Ada"));
        variables.insert("organisation".to_owned(), json!(organisation));
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

    fn engines() -> Name {
        Name::given("Analytical Engines")
    }

    /// Every mail of the product, under the name of its case.
    pub(super) fn mails(user: &User) -> Vec<(&'static str, OutboxEntry)> {
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
        let charles = User { first_name: Name::given("Charles"), last_name: Name::given("Babbage"), ..user.clone() };
        let invite = |to, by| compose.invitation(&user.email, &user.id, 1, &invitation(to), by);
        vec![
            ("confirm_registration", compose.confirm_registration(&user.email, &user.id, 1, Timestamp::UNIX_EPOCH)),
            ("already_registered", compose.known_address(&user.email, &known)),
            ("already_registered_and_invited", compose.invited_though_registered(&user.email, &user.id)),
            ("registration_pending", compose.registration_pending([&owner], user).unwrap()),
            ("welcome_active", compose.welcome(user, Status::Active)),
            ("welcome_inactive", compose.welcome(user, Status::Inactive)),
            ("approved", compose.approved(user)),
            ("rejected_with_reason", compose.rejected(user, Some("We know nobody of this name.\nTry again."))),
            ("rejected", compose.rejected(user, None)),
            ("activated", compose.activated(user)),
            ("deactivated", compose.deactivated(user)),
            ("invitation", invite(Some("Analytical Engines"), Some(&charles))),
            ("invitation_by_the_deployment", invite(None, None)),
            ("reset_password", compose.reset_password(&user.email, &user.id, 1)),
            ("password_changed", compose.password_changed(user)),
            ("email_changed_to", compose.email_changed(user, &user.email)),
            ("email_changed_from", compose.email_changed(user, &owner)),
            ("organisation_requested", compose.organisation_requested([&owner], user, &engines()).unwrap()),
            ("organisation_approved", compose.organisation_approved(user, &engines())),
            ("organisation_rejected_with_reason", compose.organisation_rejected(user, &engines(), Some("Too small."))),
            ("organisation_rejected", compose.organisation_rejected(user, &engines(), None)),
            ("pending_digest", compose.pending_digest(std::slice::from_ref(&owner), 1, user.status_since)),
            ("pending_digest_of_many", compose.pending_digest(&[owner], 5, user.status_since)),
            ("invite_code_low", compose.invite_code_low(&code(20, 18), &notice())),
            ("invite_code_used_up", compose.invite_code_low(&code(20, 20), &notice())),
            ("invite_code_expiring", compose.invite_code_expiring(&code(20, 7), &notice())),
        ]
    }

    #[test]
    fn every_mail_reads_as_it_should() {
        let token = PlainToken::new([7; 32]);
        for (case, entry) in mails(&person("Ada")) {
            let mail = render(&entry, None, &settings("Example APIs"), PORTAL, Some(&token)).unwrap();
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
    fn what_is_declared_of_an_event_is_what_its_mails_say() {
        for (case, entry) in mails(&person("Ada")) {
            let declared: BTreeSet<_> = of_entry(entry.event).iter().map(|variable| variable.name).collect();
            let said: BTreeSet<_> = entry.variables.keys().map(String::as_str).collect();
            assert_eq!(said, declared, "{case}");
            assert_eq!(entry.link.map(|order| order.purpose), link_of(entry.event), "{case}");
        }
    }

    #[test]
    fn a_sample_of_every_event_can_be_shown() {
        for event in Event::ALL {
            let mail = MailTemplate::built_in(event).preview(event, &Name::parse("Example APIs").unwrap()).unwrap();
            assert!(mail.html.contains("Example APIs") && !mail.subject.is_empty(), "{}", event.as_str());
        }
    }
}
