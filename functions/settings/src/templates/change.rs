//! `PUT /v1/email-templates/{event}`: replaces the templates of an event's mails.

use axum::{Json, extract::State};
use serde_json::{Map, json};
use shared::{
    domain::{Fault, audit::Actor},
    http::{ETag, IfMatch, LargePayload, PathId, Problem, RequestId, Session},
    store::TemplateChange,
};

use super::{Asked, BESIDE, MAX_BODY_KIB, MAX_TRIES, TemplateBody, current, etag, find, read_parts};
use crate::App;

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
