//! From an outbox entry to subject, text and HTML.
//!
//! Templates are files, one folder per event. HTML is escaped by their `.html` name, a subject never spans lines, and a
//! variable that a template names and an entry lacks is an error, not a gap.

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde_json::json;

use super::entry::{Event, MailSettings, OutboxEntry};
use crate::domain::link::PlainToken;

/// A mail as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The text part; links stand in it whole.
    pub text: String,
    /// The HTML part.
    pub html: String,
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
