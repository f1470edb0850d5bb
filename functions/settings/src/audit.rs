//! `GET /v1/audit-events`: who did what to whom, the newest first; as a list, or as lines of JSON to be kept elsewhere.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{
    domain::{
        Fault,
        audit::{Actor, AuditEvent},
        ids::{EventId, OrganisationId, UserId},
        rights::{Action, decide},
    },
    http::{Instant, PageBody, Parameters, Problem, Session, admit, instant},
    store::{EventFilter, StoreError},
};
use utoipa::ToSchema;

use crate::App;

/// The media type of an export.
const LINES: &str = "application/x-ndjson";
/// The header in which an export says where it goes on.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
/// How many events an export has at most, also when nothing is said.
const MOST_LINES: u16 = 1000;
/// How long an export is at most, in bytes: Lambda answers with 6 MB at most, in base64.
const MOST_BYTES: usize = 4_000_000;
/// How far the clocks of two functions may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(1);
/// The longest id or action that is looked for.
const MAX_WORD: usize = 100;

/// An event, as API Owners see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct EventBody {
    id: EventId,
    at: Instant,
    actor: ActorBody,
    /// What was done, like `user.approved`.
    action: String,
    /// To what, by id.
    target: Option<String>,
    /// The fields that changed.
    changed: Vec<String>,
    /// Former values that are not personal.
    before: Map<String, Value>,
    /// New values that are not personal.
    after: Map<String, Value>,
    /// The request that did it, as in `x-request-id`.
    request_id: String,
}

/// Who did it: a person by id, a visitor or the portal itself without one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditActor)]
struct ActorBody {
    /// `user`, `visitor` or `system`.
    kind: &'static str,
    id: Option<UserId>,
}

impl From<AuditEvent> for EventBody {
    fn from(event: AuditEvent) -> Self {
        let (kind, id) = match event.actor {
            Actor::User(id) => ("user", Some(id)),
            Actor::Visitor => ("visitor", None),
            Actor::System => ("system", None),
        };
        Self {
            id: event.id,
            at: Instant(event.at),
            actor: ActorBody { kind, id },
            action: event.action,
            target: event.target,
            changed: event.changed,
            before: event.before,
            after: event.after,
            request_id: event.request_id,
        }
    }
}

/// Lists what happened from `from` on and before `to`, the newest first.
///
/// The list ends at the portal's first day. A page may be short, or empty, before its end.
#[utoipa::path(
    get, path = "/v1/audit-events",
    params(
        ("actor" = Option<String>, Query, description = "Only what they did: a person's id, `visitor` or `system`."),
        ("target" = Option<String>, Query, description = "Only what was done to this, by id.", max_length = 100,
            pattern = "^[A-Za-z0-9_-]+$"),
        ("action" = Option<String>, Query, description = "Only this, like `user.approved`.",
            pattern = "^[a-z_]{1,100}[.][a-z_]{1,100}$"),
        ("from" = Option<Instant>, Query, description = "The first instant of the span."),
        ("to" = Option<Instant>, Query, description = "The first instant behind it."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000,
            description = "How many entries at most: up to 100 of a list, 25 by default; as lines up to 1,000, the default."),
        ("cursor" = Option<String>, Query, description = "Where to go on: `next_cursor` or `x-next-cursor` of a page of the \
            same search."),
    ),
    responses(
        (status = 200, description = "A page, or its entries on a line each where the request accepts these.",
            content((PageBody<EventBody> = "application/json"), (String = "application/x-ndjson")),
            headers(("x-next-cursor" = String, description = "Where lines go on; absent at the end, and in a list."))),
        (status = 403, description = "`forbidden`: only API Owners read the audit."),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let default = OrganisationId::default_organisation();
    let (caller, default) = app.store.caller_and_organisation(&session.user_id, &default).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::ReadAudit)?;
    let filter = EventFilter {
        actor: parameters.optional("actor", actor),
        target: parameters.optional("target", target),
        action: parameters.optional("action", action),
    };
    let from = parameters.optional("from", moment);
    let to = parameters.optional("to", moment);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        parameters.fault("from", Fault::new("out_of_range", "The span ends before it begins."));
    }
    let query = format!("audit {filter:?} {from:?} {to:?} of {}", caller.id);
    let as_lines = accepts_lines(&headers);
    let listing = if as_lines {
        parameters.listing_within(&query, MOST_LINES, MOST_LINES)?
    } else {
        parameters.listing(&query)?
    };
    let after = listing.position(EventId::parse)?;

    // Nothing happened before the Default Organisation was there: the deployment makes it first of all.
    let began = default.ok_or(StoreError::Missing("ORG"))?.created_at;
    let now = app.clock.now() + CLOCKS_APART;
    let span = from.map_or(began, |from| from.max(began))..to.map_or(now, |to| to.min(now));
    let page = app.store.audit_trail(&filter, span, after, listing.limit).await?;

    let events: Vec<_> = page.events.into_iter().map(EventBody::from).collect();
    if as_lines {
        let (lines, next) = lines(&events, page.next)?;
        let next = listing.page(Vec::<EventBody>::new(), next.map(String::from));
        return export(lines, next);
    }
    Ok(listing.page(events, page.next.map(String::from)).into_response())
}

/// As many events as an answer holds, one on a line, and where to go on.
fn lines(events: &[EventBody], next: Option<EventId>) -> Result<(String, Option<EventId>), Problem> {
    let mut lines = String::new();
    let mut last = None;
    for event in events {
        let line = serde_json::to_string(event).map_err(Problem::internal)?;
        if last.is_some() && lines.len() + line.len() >= MOST_BYTES {
            return Ok((lines, last));
        }
        lines.push_str(&line);
        lines.push('\n');
        last = Some(event.id.clone());
    }
    Ok((lines, next))
}

fn export(lines: String, next: PageBody<EventBody>) -> Result<Response, Problem> {
    let mut response = lines.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(LINES));
    if let Some(cursor) = next.next_cursor {
        let cursor = HeaderValue::try_from(cursor).map_err(Problem::internal)?;
        response.headers_mut().insert(NEXT_CURSOR, cursor);
    }
    Ok(response)
}

/// Whether the caller asks for lines: names their media type, in any place.
fn accepts_lines(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let mut types = named.flat_map(|value| value.split(',')).filter_map(|part| part.split(';').next());
    types.any(|media_type| media_type.trim().eq_ignore_ascii_case(LINES))
}

fn actor(text: &str) -> Result<Actor, Fault> {
    match text {
        "visitor" => Ok(Actor::Visitor),
        "system" => Ok(Actor::System),
        id => UserId::parse(id)
            .map(Actor::User)
            .ok_or_else(|| Fault::new("invalid_actor", "An actor is a person's id, `visitor` or `system`.")),
    }
}

fn target(text: &str) -> Result<String, Fault> {
    let is_id = is_word(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_id { Ok(text.to_owned()) } else { Err(Fault::new("invalid_id", "This is no id.")) }
}

fn action(text: &str) -> Result<String, Fault> {
    let is_name = |part| is_word(part, |c| c.is_ascii_lowercase() || c == '_');
    let is_action = text.split_once('.').is_some_and(|(subject, done)| is_name(subject) && is_name(done));
    let fault = || Fault::new("invalid_action", "An action is written like user.approved.");
    if is_action { Ok(text.to_owned()) } else { Err(fault()) }
}

fn is_word(text: &str, of: impl Fn(char) -> bool) -> bool {
    (1..=MAX_WORD).contains(&text.len()) && text.chars().all(of)
}

fn moment(text: &str) -> Result<Timestamp, Fault> {
    instant(&text.into())
}

#[cfg(test)]
mod paging;
#[cfg(test)]
mod tests;
