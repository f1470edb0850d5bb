//! `DELETE /v1/invite-codes/{code}`: ends a code. Who came in by it stays.

use axum::extract::State;
use http::StatusCode;
use shared::{
    domain::{audit::Actor, invite_code::FoldedCode},
    http::{IfMatch, PathId, Payload, Problem, RequestId, Session},
    store::CodeDeletion,
};

use crate::{App, view::find};

/// How often a deletion is made again because the code was redeemed meanwhile, before the caller is told to try later.
const MAX_TRIES: usize = 5;

/// Why a code is not deleted.
#[derive(Debug)]
pub enum DeleteError {
    /// There is no such code.
    Unknown,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// It kept being redeemed at the same time.
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

/// Deletes a code, with effect for the very next redemption. The audit keeps how many redeemed it.
#[utoipa::path(
    delete, path = "/v1/invite-codes/{code}",
    params(("code" = FoldedCode, Path, description = "The code."), IfMatch),
    responses(
        (status = 204, description = "There is no such code any more."),
        (status = 403, description = "`forbidden`: only API Owners manage codes."),
    ),
)]
pub async fn delete(
    State(app): State<App>,
    session: Session,
    PathId(path): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let (caller, code) = find(&app, &session, &path).await?;
    let mut code = code.ok_or(DeleteError::Unknown)?;
    payload.read_nothing()?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(code.version) {
            return Err(DeleteError::VersionMismatch.into());
        }
        match app.store.delete_invite_code(&code, &origin).await? {
            CodeDeletion::Done => return Ok(StatusCode::NO_CONTENT),
            // Created anew under the same text: that is not the code which the caller wants to end.
            CodeDeletion::Overtaken(now) if now.id != code.id => return Err(DeleteError::Unknown.into()),
            CodeDeletion::Overtaken(now) => code = *now,
            CodeDeletion::Gone => return Err(DeleteError::Unknown.into()),
        }
    }
    Err(DeleteError::Overtaken.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, CODE, Fault, Reply, Sample, SignedIn};
    use serde_json::json;

    use crate::create::tests::{only_owners, portal, send};

    async fn delete(bench: &Bench, owner: &SignedIn) -> Reply {
        send(bench, Sample::of("invite-codes-delete").by(owner)).await
    }

    #[tokio::test]
    async fn a_deleted_code_is_gone_and_the_audit_keeps_how_many_redeemed_it() {
        let (bench, owner) = portal().await;
        let code = bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(9), 4)).await;

        let reply = delete(&bench, &owner).await;

        assert_eq!((reply.status, reply.body), (204, json!(null)));
        assert!(bench.code(CODE).await.is_none());
        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["action"] == "invite_code.deleted");
        assert_eq!((events[0]["target"].clone(), &events[0]["before"]["used"]), (json!(code.id), &json!(4)));
        let again = delete(&bench, &owner).await;
        assert_eq!((again.status, again.problem()), (404, "not-found"));
    }

    #[tokio::test]
    async fn a_code_redeemed_meanwhile_is_deleted_with_the_slot_in_the_audit() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        let redeemed = bench.overwrite_code(CODE, "used", &json!(1));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", redeemed);

        assert_eq!(delete(&bench, &owner).await.status, 204);

        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["action"] == "invite_code.deleted");
        assert_eq!((events.len(), &events[0]["before"]["used"]), (1, &json!(1)));
    }

    #[tokio::test]
    async fn a_code_redeemed_all_the_time_is_told_in_the_end() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        for used in 1..6 {
            let redeemed = bench.overwrite_code(CODE, "used", &json!(used));
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", redeemed);
        }

        assert_eq!(delete(&bench, &owner).await.problem(), "try-again");
        assert_eq!(bench.used(CODE).await, 5);
    }

    #[tokio::test]
    async fn a_code_deleted_or_created_anew_meanwhile_is_not_found_and_the_new_one_stays() {
        for anew in [false, true] {
            let (bench, owner) = portal().await;
            let code = bench.invite_code(CODE, |_| {}).await;
            let bench = std::sync::Arc::new(bench);
            let (gone, then) = (bench.delete_code(&code), bench.clone());
            let meanwhile = async move {
                gone.await;
                if anew {
                    then.invite_code(CODE, |code| code.used = 7).await;
                }
            };
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

            assert_eq!(delete(&bench, &owner).await.status, 404);
            assert_eq!(bench.code(CODE).await.map(|code| code.used), anew.then_some(7));
        }
    }

    #[tokio::test]
    async fn a_named_version_is_held_to() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        let with = |tag| Sample::of("invite-codes-delete").by(&owner).header("if-match", tag);

        let other = send(&bench, with("\"2\"")).await;
        assert_eq!((other.status, other.problem()), (412, "version-mismatch"));
        assert_eq!(send(&bench, with("\"1\"")).await.status, 204);
    }

    #[tokio::test]
    async fn a_lost_answer_is_no_failure() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

        assert_eq!(delete(&bench, &owner).await.status, 204);
    }

    #[tokio::test]
    async fn only_owners_delete_codes() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;

        only_owners(&bench, &owner, "invite-codes-delete").await;

        assert!(bench.code(CODE).await.is_some());
    }
}
