//! `POST /v1/users/{id}/activate`: switches a person on.

use axum::{Json, extract::State};
use shared::{
    domain::{ids::UserId, transition::Transition},
    http::{PathId, Payload, Problem, RequestId, Session, UserBody},
    store::Terms,
};

use crate::{App, act};

/// Switches an inactive person on; they are told by mail.
#[utoipa::path(
    post, path = "/v1/users/{id}/activate",
    params(("id" = UserId, Path, description = "The person.")),
    responses(
        (status = 200, description = "The person, who is active now.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners decide, and nobody about themselves."),
        (status = 409, description = "`wrong-status`: the person is not inactive, or has no password yet; `user_status` says what they are."),
    ),
)]
pub async fn activate(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id, &Terms::default()).await?;
    payload.read_nothing()?;
    act::act(&app, &request, case, Transition::Activate, None).await.map(Json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::domain::user::{Role, Status};

    use crate::act::tests::{audited, portal, request, send};

    #[tokio::test]
    async fn an_inactive_person_is_switched_on_told_and_can_log_in() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::ConsumerAdmin, Status::Inactive).await;

        let reply = send(&bench, request("activate", &ada.id, &owner)).await;

        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("active")));
        assert_eq!(bench.mail_events("ada@example.com").await, ["welcome", "activated"]);
        bench.sign_in(&ada).await;
        let event = audited(&bench, "user.activated").await;
        assert_eq!((&event["before"], &event["after"]), (&json!({"status": "inactive"}), &json!({"status": "active"})));
    }

    #[tokio::test]
    async fn an_api_owner_who_is_switched_on_is_told_of_what_waits_again() {
        let (bench, owner) = portal().await;
        let second = bench.person("second@example.com", Role::ApiOwner, Status::Inactive).await;

        let reply = send(&bench, request("activate", &second.id, &owner)).await;

        assert_eq!((reply.status, &reply.body["organisation"], &reply.body["teams"]), (200, &json!(null), &json!([])));
        let settings = bench.store.settings().await.unwrap();
        let mut told = bench.store.owners_to_notify(&settings).await.unwrap();
        told.sort_unstable();
        assert_eq!(told, [owner.user.email, second.email]);
    }
}
