//! The templates of mails: what the endpoints show of them, and what they read.

pub mod change;
pub mod list;
pub mod preview;
pub mod read;
pub mod reset;

use serde::Serialize;
use serde_json::Value;
use shared::{
    domain::{
        name::Name,
        rights::{Action, decide},
        user::User,
    },
    http::{ETag, Fields, Instant, Problem, Session, admit, text},
    mail::{Event, MailTemplate, Part, judge, link_of, variables},
    store::ChangedTemplate,
};
use utoipa::ToSchema;

use crate::App;

/// The largest body of a request about a template, in KiB.
const MAX_BODY_KIB: usize = 256;
/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;

/// Something that a template can say.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateVariable)]
struct VariableBody {
    /// What a template calls it.
    name: &'static str,
    /// What it is.
    description: &'static str,
    /// A value as it may be.
    sample: Value,
}

fn shown_variables(event: Event, portal_name: &Name) -> Vec<VariableBody> {
    let variables = variables(event, portal_name).into_iter();
    let shown = variables.map(|variable| VariableBody {
        name: variable.name,
        description: variable.description,
        sample: variable.samples.into_iter().next().unwrap_or_default(),
    });
    shown.collect()
}

/// The templates of an event's mails, as API Owners see them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateBody {
    #[schema(value_type = Event)]
    event: &'static str,
    /// Whether they are others than the built-in ones.
    changed: bool,
    /// The template of the subject.
    subject: String,
    /// The template of the plain text.
    text: String,
    /// The template of the HTML.
    html: String,
    /// Whether text and HTML carry a link in every case.
    needs_link: bool,
    /// What the templates may name.
    variables: Vec<VariableBody>,
    updated_at: Option<Instant>,
}

impl TemplateBody {
    fn new(event: Event, changed: Option<&ChangedTemplate>, portal_name: &Name) -> Self {
        let updated_at = changed.map(|changed| Instant(changed.updated_at));
        let template = current(event, changed);
        Self {
            event: event.as_str(),
            changed: changed.is_some(),
            subject: template.subject,
            text: template.text,
            html: template.html,
            needs_link: link_of(event).is_some(),
            variables: shown_variables(event, portal_name),
            updated_at,
        }
    }
}

/// What is shown beside the templates themselves: it may be sent back with them, and is not read, for all of it follows.
const BESIDE: [&str; 4] = ["changed", "needs_link", "variables", "updated_at"];

/// The templates by which an event's mails are made now.
fn current(event: Event, changed: Option<&ChangedTemplate>) -> MailTemplate {
    changed.map_or_else(|| MailTemplate::built_in(event), |changed| changed.template.clone())
}

/// The version of what is shown: 0 for the built-in templates.
fn etag(changed: Option<&ChangedTemplate>) -> ETag {
    ETag(changed.map_or(0, |changed| changed.version))
}

/// A caller who may, an event that there is, and what its templates were changed to.
struct Asked {
    caller: User,
    event: Event,
    changed: Option<ChangedTemplate>,
    portal_name: Name,
}

/// Finds the event that a path names, for a caller who may know.
async fn find(app: &App, session: &Session, name: &str) -> Result<Asked, Problem> {
    // Rights come first, so an event that there is not is looked up like one that there is.
    let event = Event::parse(name);
    let facts = app.store.template_facts(&session.user_id, event.unwrap_or(Event::Welcome)).await?;
    let caller = admit(session, facts.caller)?;
    decide(&caller, Action::ManageMailTemplates)?;
    let event = event.ok_or_else(Problem::not_found)?;
    Ok(Asked { caller, event, changed: facts.changed, portal_name: facts.portal_name })
}

/// The three parts with the names of their fields.
const PARTS: [(&str, Part); 3] = [("subject", Part::Subject), ("text", Part::Text), ("html", Part::Html)];

/// Reads the template of a part, and judges it.
fn part(event: Event, part: Part, portal_name: &Name) -> impl FnOnce(&Value) -> Result<String, shared::http::Faults> {
    move |value| {
        let source = text(|source| Ok(source.to_owned()))(value)?;
        judge(event, part, &source, portal_name)?;
        Ok(source)
    }
}

/// Reads templates; those that are absent are `otherwise`, or are a fault where there is no such thing.
fn read_parts(
    fields: &mut Fields,
    event: Event,
    portal_name: &Name,
    otherwise: Option<&MailTemplate>,
) -> Option<MailTemplate> {
    let mut read = PARTS.map(|(name, which)| {
        let parse = part(event, which, portal_name);
        match otherwise {
            None => fields.required(name, parse),
            Some(otherwise) => fields.optional(name, parse).or_else(|| {
                Some(match which {
                    Part::Subject => otherwise.subject.clone(),
                    Part::Text => otherwise.text.clone(),
                    Part::Html => otherwise.html.clone(),
                })
            }),
        }
    });
    let [subject, text, html] = read.each_mut().map(Option::take);
    Some(MailTemplate { subject: subject?, text: text?, html: html? })
}
