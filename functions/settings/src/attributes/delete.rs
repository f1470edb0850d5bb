//! `DELETE /v1/user-attributes/{name}`: takes an attribute away. What people have of it is not shown any more.

use axum::extract::State;
use http::StatusCode;
use shared::{
    domain::{
        attribute::{AttributeName, Definition},
        audit::Actor,
    },
    http::{IfMatch, PathId, Payload, Problem, RequestId, Session},
    store::AttributesChange,
};

use super::{MAX_TRIES, open};
use crate::App;

/// Why an attribute is not deleted.
#[derive(Debug)]
pub enum DeleteError {
    /// There is no such attribute.
    Unknown,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing the attributes at the same time.
    Overtaken,
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Unknown => Self::not_found(),
            DeleteError::VersionMismatch => Self::version_mismatch(),
            DeleteError::Overtaken => Self::try_again(1),
        }
    }
}

/// Deletes an attribute, with effect for the very next request. One that is defined anew under the same name has nobody's
/// old value.
#[utoipa::path(
    delete, path = "/v1/user-attributes/{name}",
    params(("name" = AttributeName, Path, description = "The attribute's name."), IfMatch),
    responses(
        (status = 204, description = "There is no such attribute any more."),
        (status = 403, description = "`forbidden`: only API Owners manage attributes."),
    ),
)]
pub async fn delete(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let (caller, mut before) = open(&app, &session).await?;
    let meant = before.named(&name).ok_or(DeleteError::Unknown)?.id.clone();
    payload.read_nothing()?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        let is_meant = |definition: &&Definition| definition.id == meant;
        let old = before.named(&name).filter(is_meant).ok_or(DeleteError::Unknown)?;
        if !if_match.allows(old.version) {
            return Err(DeleteError::VersionMismatch.into());
        }
        let after = before.without(&old.id);
        match app.store.change_attributes(&before, &after, (old, None), &origin).await? {
            AttributesChange::Done => return Ok(StatusCode::NO_CONTENT),
            AttributesChange::Overtaken => before = app.store.attributes().await?,
        }
    }
    Err(DeleteError::Overtaken.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::json;

    use crate::{
        attributes::{
            change::tests::change,
            create::tests::{audited, company, define},
        },
        change::tests::{app, portal, send},
        router,
    };

    async fn delete(bench: &Bench, owner: &SignedIn, if_match: &str) -> Reply {
        send(bench, Sample::of("settings-attributes-delete").by(owner).header("if-match", if_match)).await
    }

    #[tokio::test]
    async fn a_deleted_attribute_is_gone_and_its_name_free() {
        let (bench, owner) = portal().await;
        define(&bench, &owner, &company(&json!({}))).await;

        let (reply, calls) = bench.calls(delete(&bench, &owner, "*")).await;

        assert_eq!((reply.status, calls.len()), (204, 2));
        assert_eq!(delete(&bench, &owner, "*").await.problem(), "not-found");
        assert_eq!(bench.store.attributes().await.unwrap().iter().count(), 0);
        let event = audited(&bench).await.pop().unwrap();
        assert_eq!(event["action"], "user_attribute.deleted");
        assert_eq!((&event["before"]["name"], &event["after"]["name"]), (&json!("company"), &json!(null)));
        assert_eq!(define(&bench, &owner, &company(&json!({"type": "number"}))).await.status, 201);
    }

    #[tokio::test]
    async fn only_the_version_that_was_seen_is_deleted() {
        let (bench, owner) = portal().await;
        define(&bench, &owner, &company(&json!({}))).await;
        change(&bench, &owner, &json!({"required": true})).await;

        let reply = delete(&bench, &owner, "\"1\"").await;

        assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"));
        assert_eq!(delete(&bench, &owner, "\"2\"").await.status, 204);
    }

    #[tokio::test]
    async fn one_that_was_defined_anew_meanwhile_is_another() {
        let (bench, owner) = portal().await;
        define(&bench, &owner, &company(&json!({}))).await;
        let gone = Sample::of("settings-attributes-delete").by(&owner);
        let anew = Sample::of("settings-attributes-create").by(&owner).body(&company(&json!({})));
        let (one, other) = (router(app(&bench)), router(app(&bench)));
        let meanwhile = async move {
            assert_eq!(gone.send(one).await.status, 204);
            assert_eq!(anew.send(other).await.status, 201);
        };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = delete(&bench, &owner, "*").await;

        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        assert_eq!(bench.store.attributes().await.unwrap().iter().count(), 1);
    }
}
