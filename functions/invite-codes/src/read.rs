//! `GET /v1/invite-codes/{code}`: one code.

use axum::{Json, extract::State};
use shared::{
    domain::invite_code::FoldedCode,
    http::{ETag, PathId, Problem, Session},
};

use crate::{
    App,
    view::{CodeBody, find, shown},
};

/// Why a code is not shown.
#[derive(Debug)]
pub enum ReadError {
    /// There is no such code.
    Unknown,
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unknown => Self::not_found(),
        }
    }
}

/// Shows one code, with the version to name in a change.
#[utoipa::path(
    get, path = "/v1/invite-codes/{code}",
    params(("code" = FoldedCode, Path, description = "The code.")),
    responses(
        (status = 200, description = "The code.", body = CodeBody,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage codes."),
    ),
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    PathId(path): PathId,
) -> Result<(ETag, Json<CodeBody>), Problem> {
    let (_, code) = find(&app, &session, &path).await?;
    let code = code.ok_or(ReadError::Unknown)?;
    let version = ETag(code.version);
    Ok((version, Json(shown(&app, code, app.clock.now()).await?)))
}

#[cfg(test)]
mod tests {
    use harness::{CODE, Sample};
    use jiff::SignedDuration;
    use serde_json::json;

    use crate::create::tests::{only_owners, portal, send};

    #[tokio::test]
    async fn a_code_in_a_path_is_read_as_a_typed_one() {
        let (bench, owner) = portal().await;
        bench.invite_code("OIL-RIG-2026", |code| (code.quota, code.used) = (Some(5), 2)).await;
        for path in ["OIL-RIG-2026", "oilrig2026", "01L-R1G-2O26", "oil%20rig%202026"] {
            let reply = send(&bench, Sample::of("invite-codes-read").code(path).by(&owner)).await;
            assert_eq!((reply.status, &reply.body["code"]), (200, &json!("OIL-RIG-2026")), "{path}");
            assert_eq!((&reply.body["used"], &reply.body["remaining"]), (&json!(2), &json!(3)));
        }
    }

    #[tokio::test]
    async fn what_is_no_code_is_not_found() {
        let (bench, owner) = portal().await;
        for path in ["NO-SUCH-CODE", "redeem", "%ff", "--------", "code_01kf0ev11gzqq463a0qnbxxtp1"] {
            let reply = send(&bench, Sample::of("invite-codes-read").code(path).by(&owner)).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{path}");
        }
    }

    #[tokio::test]
    async fn the_state_is_that_of_this_moment_and_of_the_team() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 0).await;
        let (until, team_id) = (bench.now() + SignedDuration::from_hours(1), teams[0].clone());
        let organisation_id = acme.clone();
        bench
            .invite_code(CODE, |code| {
                (code.expires_at, code.team_id, code.organisation_id) = (Some(until), team_id, organisation_id);
            })
            .await;
        let read = async || send(&bench, Sample::of("invite-codes-read").by(&owner)).await.body;

        assert_eq!(read().await["state"], "usable");
        bench.advance(SignedDuration::from_hours(1));
        assert_eq!(read().await["state"], "expired");
        bench.erase_team(&teams[0]).await;
        let gone = read().await;
        assert_eq!((&gone["state"], &gone["team"]), (&json!("inactive"), &json!(null)));
        assert_eq!(gone["organisation"]["id"], json!(acme));
    }

    #[tokio::test]
    async fn only_owners_read_codes_and_nobody_else_learns_which_there_are() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;

        only_owners(&bench, &owner, "invite-codes-read").await;
    }

    #[tokio::test]
    async fn reading_is_a_batch_and_one_for_the_names() {
        let (bench, owner) = portal().await;
        bench.invite_code(CODE, |_| {}).await;

        let (reply, calls) = bench.calls(send(&bench, Sample::of("invite-codes-read").by(&owner))).await;

        assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"1\"")));
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem"; 2]);
    }
}
