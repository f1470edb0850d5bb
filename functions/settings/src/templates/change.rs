//! `PUT /v1/email-templates/{event}`: replaces the templates of an event's mails.

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};
use shared::{
    domain::{Fault, audit::Actor},
    http::{ETag, IfMatch, LargePayload, PathId, Problem, RequestId, Session},
    mail::Event,
    store::TemplateChange,
};
use utoipa::ToSchema;

use super::{Asked, BESIDE, MAX_BODY_KIB, MAX_TRIES, TemplateBody, current, etag, find, read_parts};
use crate::App;

/// The three templates, with what is shown beside them where it is sent back.
#[derive(Debug, ToSchema)]
#[schema(as = ReplaceTemplate)]
#[expect(dead_code, reason = "written down, not read: what a template may say hangs on its event")]
struct ChangeBody {
    /// The subject.
    #[schema(max_length = 500)]
    subject: String,
    /// The text.
    #[schema(max_length = 98_304)]
    text: String,
    /// The HTML.
    #[schema(max_length = 98_304)]
    html: String,
    /// The path's.
    #[schema(nullable = false)]
    event: Option<Event>,
    /// Not read.
    #[schema(value_type = Value, required = false)]
    changed: Value,
    /// Not read.
    #[schema(value_type = Value, required = false)]
    needs_link: Value,
    /// Not read.
    #[schema(value_type = Value, required = false)]
    variables: Value,
    /// Not read.
    #[schema(value_type = Value, required = false)]
    updated_at: Value,
}

/// Why the templates stay as they are.
#[derive(Debug)]
pub enum ChangeError {
    /// They are of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing them at the same time.
    Overtaken,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::VersionMismatch => Self::version_mismatch(),
            ChangeError::Overtaken => Self::try_again(1),
        }
    }
}

/// Replaces an event's templates, with effect for the very next mail; each was judged before it is kept. Of two at once the
/// later stands, unless its sender names the version to start from.
#[utoipa::path(
    put, path = "/v1/email-templates/{event}",
    params(("event" = Event, Path, description = "What the mails are about."), IfMatch), request_body = ChangeBody,
    responses(
        (status = 200, description = "The templates as they are now.", body = TemplateBody),
        (status = 403, description = "`forbidden`: only API Owners manage templates."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
    if_match: IfMatch,
    request: RequestId,
    LargePayload(payload): LargePayload<MAX_BODY_KIB>,
) -> Result<(ETag, Json<TemplateBody>), Problem> {
    let Asked { caller, event, changed: mut before, portal_name } = find(&app, &session, &name).await?;
    if !if_match.allows(etag(before.as_ref()).0) {
        return Err(ChangeError::VersionMismatch.into());
    }
    let named = Map::from_iter([("event".to_owned(), json!(event))]);
    let after = payload.read_with(|fields| {
        let template = read_parts(fields, event, &portal_name, None);
        fields.unchanged(&named, || Fault::new("not_changeable", "These are the templates of another event."));
        for name in BESIDE {
            fields.optional(name, |_| Ok::<(), Fault>(()));
        }
        template
    })?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(etag(before.as_ref()).0) {
            return Err(ChangeError::VersionMismatch.into());
        }
        if current(event, before.as_ref()) != after {
            match app.store.change_template(event, before.as_ref(), after.clone(), &origin).await? {
                TemplateChange::Done(changed) => before = Some(changed),
                TemplateChange::Overtaken(now) => {
                    before = now;
                    continue;
                }
            }
        }
        return Ok((etag(before.as_ref()), Json(TemplateBody::new(event, before.as_ref(), &portal_name))));
    }
    Err(ChangeError::Overtaken.into())
}

#[cfg(test)]
mod faults;
#[cfg(test)]
pub(crate) mod tests;
