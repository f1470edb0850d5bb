//! `POST /v1/users/{id}/reopen`: lets a rejected registration wait again.

use axum::{Json, extract::State};
use shared::{
    domain::{ids::UserId, transition::Transition},
    http::{PathId, Payload, Problem, RequestId, Session, UserBody},
    store::Terms,
};

use crate::{App, act};

/// Lets a rejected registration wait for approval again.
#[utoipa::path(
    post, path = "/v1/users/{id}/reopen",
    params(("id" = UserId, Path, description = "The person.")),
    responses(
        (status = 200, description = "The person, who is pending now.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners decide, and nobody about themselves."),
        (status = 409, description = "`wrong-status`: the person is not rejected; `user_status` says what they are."),
    ),
)]
pub async fn reopen(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id, &Terms::default()).await?;
    payload.read_nothing()?;
    act::act(&app, &request, case, Transition::Reopen, None).await.map(Json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::{
        domain::user::{Role, Status},
        store::Filter,
    };

    use crate::act::tests::{audited, portal, request, send};

    #[tokio::test]
    async fn a_rejected_registration_waits_again_at_the_end_of_the_queue_and_without_a_mail() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        send(&bench, request("reject", &ada.id, &owner)).await;
        let grace = bench.person("grace@example.com", Role::TeamMember, Status::Pending).await;

        let reply = send(&bench, request("reopen", &ada.id, &owner)).await;

        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("pending")));
        let queue = Filter { status: Some(Status::Pending), ..Filter::default() };
        let queue = bench.store.everybody(&queue, None, 10).await.unwrap().people;
        assert_eq!(queue.into_iter().map(|person| person.id).collect::<Vec<_>>(), [grace.id, ada.id.clone()]);
        assert_eq!(bench.mail_events("ada@example.com").await, ["rejected"]);
        let event = audited(&bench, "user.reopened").await;
        assert_eq!((&event["target"], &event["after"]), (&json!(ada.id), &json!({"status": "pending"})));
    }

    #[tokio::test]
    async fn a_reopened_registration_can_be_approved() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Rejected).await;

        send(&bench, request("reopen", &ada.id, &owner)).await;
        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        assert_eq!(reply.status, 200);
        bench.sign_in(&ada).await;
    }
}
