//! `DELETE /v1/email-templates/{event}`: goes back to the built-in templates.

use axum::extract::State;
use http::StatusCode;
use shared::{
    domain::audit::Actor,
    http::{IfMatch, PathId, Problem, RequestId, Session},
    mail::Event,
    store::TemplateChange,
};

use super::{Asked, MAX_TRIES, etag, find};
use crate::App;

/// Why the templates stay as they are.
#[derive(Debug)]
pub enum ResetError {
    /// They are of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing them at the same time.
    Overtaken,
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::VersionMismatch => Self::version_mismatch(),
            ResetError::Overtaken => Self::try_again(1),
        }
    }
}

/// Resets an event's templates, with effect for the very next mail. Those that nobody changed stay as they are.
#[utoipa::path(
    delete, path = "/v1/email-templates/{event}",
    params(("event" = Event, Path, description = "What the mails are about."), IfMatch),
    responses(
        (status = 204, description = "The built-in templates are in use."),
        (status = 403, description = "`forbidden`: only API Owners manage templates."),
    ),
)]
pub async fn reset(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
    if_match: IfMatch,
    request: RequestId,
) -> Result<StatusCode, Problem> {
    let Asked { caller, event, changed: mut before, .. } = find(&app, &session, &name).await?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(etag(before.as_ref()).0) {
            return Err(ResetError::VersionMismatch.into());
        }
        let Some(standing) = before else { return Ok(StatusCode::NO_CONTENT) };
        match app.store.reset_template(event, &standing, &origin).await? {
            TemplateChange::Done(()) => return Ok(StatusCode::NO_CONTENT),
            TemplateChange::Overtaken(now) => before = now,
        }
    }
    Err(ResetError::Overtaken.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::json;

    use crate::{
        change::tests::{app, portal, send},
        router,
        templates::change::tests::{change, events, only_owners, read},
    };

    async fn reset(bench: &Bench, owner: &SignedIn) -> Reply {
        send(bench, Sample::of("settings-reset-template").by(owner).parameter("event", "rejected")).await
    }

    #[tokio::test]
    async fn the_built_in_templates_are_back_and_the_audit_says_what_went() {
        let (bench, owner) = portal().await;
        let before = read(&bench, &owner, "rejected").await;
        change(&bench, &owner, "rejected", &json!({"subject": "No", "text": "No."})).await;

        let (reply, calls) = bench.calls(reset(&bench, &owner)).await;

        assert_eq!((reply.status, calls.len()), (204, 2));
        let after = read(&bench, &owner, "rejected").await;
        assert_eq!((after.body, &after.headers["etag"]), (before.body, &json!("\"0\"")));
        assert_eq!(bench.rows_in("TEMPLATE#").await.len(), 0);
        let event = events(&bench, "email_template.reset").await.remove(0);
        assert_eq!((&event["target"], &event["changed"]), (&json!("rejected"), &json!(["subject", "text"])));
    }

    #[tokio::test]
    async fn what_nobody_changed_is_reset_without_a_write() {
        let (bench, owner) = portal().await;

        let (reply, calls) = bench.calls(reset(&bench, &owner)).await;

        assert_eq!((reply.status, calls.len(), events(&bench, "email_template.reset").await.len()), (204, 1, 0));
    }

    #[tokio::test]
    async fn a_named_version_is_held_to_and_a_change_meanwhile_is_reset_too() {
        let (bench, owner) = portal().await;
        change(&bench, &owner, "rejected", &json!({"subject": "No"})).await;
        let stale =
            Sample::of("settings-reset-template").by(&owner).parameter("event", "rejected").header("if-match", "\"0\"");
        assert_eq!(send(&bench, stale).await.problem(), "version-mismatch");
        let rival =
            crate::templates::change::tests::changing(&bench, &owner, "rejected", &json!({"subject": "Never"})).await;
        let routes = router(app(&bench));
        let meanwhile = async move { assert_eq!(rival.send(routes).await.status, 200) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        assert_eq!(reset(&bench, &owner).await.status, 204);

        assert_eq!(read(&bench, &owner, "rejected").await.body["changed"], false);
    }

    #[tokio::test]
    async fn only_owners_reset_templates() {
        let (bench, owner) = portal().await;

        only_owners(&bench, &owner, "settings-reset-template").await;
    }
}
