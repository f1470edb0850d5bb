//! `POST /v1/users/{id}/deactivate`: switches a person off and ends every session.

use axum::{Json, extract::State};
use shared::{
    domain::{ids::UserId, transition::Transition},
    http::{PathId, Payload, Problem, RequestId, Session, UserBody},
    store::Terms,
};

use crate::{App, act};

/// Switches an active person off. Their tokens are refused with the next request.
// The sessions go in the same write as the state. Cognito's refresh tokens end after it; a crash in between leaves them
// without a session, hence useless.
#[utoipa::path(
    post, path = "/v1/users/{id}/deactivate",
    params(("id" = UserId, Path, description = "The person.")),
    responses(
        (status = 200, description = "The person, who is inactive now; every session of theirs has ended.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners decide, and nobody about themselves."),
        (status = 409, description = "`wrong-status`: the person is not active; `user_status` says what they are. \
            `last-api-owner`: the portal keeps at least one."),
    ),
)]
pub async fn deactivate(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id, &Terms::default()).await?;
    payload.read_nothing()?;
    let person = case.person().id.clone();
    let shown = act::act(&app, &request, case, Transition::Deactivate, None).await?;
    if let Err(error) = app.identity.sign_out_everywhere(&person).await {
        // What Cognito keeps belongs to sessions that have ended; asking again would only meet the new state.
        tracing::error!(user = %person, %error, "Cognito keeps refresh tokens of sessions that have ended");
    }
    Ok(Json(shown))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Sample, SignedIn};
    use serde_json::json;
    use shared::domain::user::{Role, Status};

    use crate::{
        act::tests::{app, audited, portal, request, send},
        router,
    };

    const ADA: &str = "ada@example.com";

    /// The status of `GET /v1/me` in a session.
    async fn me(bench: &Bench, caller: &SignedIn) -> u16 {
        let (store, identity, clock) = (bench.store.clone(), bench.identity.clone(), bench.clock.clone());
        let app = me::App { store, identity, clock };
        Sample::of("me-read").by(caller).send(me::router(app)).await.status
    }

    #[tokio::test]
    async fn every_session_of_a_deactivated_person_ends_at_once() {
        let (bench, owner) = portal().await;
        let ada = bench.signed_in(ADA, Role::TeamMember).await;
        let elsewhere = bench.sign_in(&ada.user).await;
        assert_eq!((me(&bench, &ada).await, me(&bench, &elsewhere).await), (200, 200));

        let reply = send(&bench, request("deactivate", &ada.user.id, &owner)).await;

        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("inactive")));
        assert_eq!((me(&bench, &ada).await, me(&bench, &elsewhere).await), (401, 401));
        assert!(bench.identity.refresh(&ada.refresh_token).await.unwrap().is_none());
        assert!(bench.identity.refresh(&elsewhere.refresh_token).await.unwrap().is_none());
        assert_eq!(bench.mail_events(ADA).await, ["welcome", "deactivated"]);
        let event = audited(&bench, "user.deactivated").await;
        assert_eq!((&event["before"], &event["after"]), (&json!({"status": "active"}), &json!({"status": "inactive"})));
    }

    #[tokio::test]
    async fn the_sessions_go_in_the_write_of_the_state_and_cognitos_tokens_after_it() {
        let (bench, owner) = portal().await;
        let ada = bench.signed_in(ADA, Role::TeamMember).await;

        let deactivate = request("deactivate", &ada.user.id, &owner).send(router(app(&bench)));
        let (reply, calls) = bench.calls(deactivate).await;

        assert_eq!(reply.status, 200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let expected = ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems", "Cognito.AdminUserGlobalSignOut"];
        assert_eq!(operations, expected);
        assert!(bench.read(&ada.user.id).await.sessions.is_empty());
    }

    #[tokio::test]
    async fn switching_on_again_brings_no_old_session_back() {
        let (bench, owner) = portal().await;
        let ada = bench.signed_in(ADA, Role::TeamMember).await;
        send(&bench, request("deactivate", &ada.user.id, &owner)).await;

        send(&bench, request("activate", &ada.user.id, &owner)).await;

        assert_eq!(me(&bench, &ada).await, 401);
        let again = bench.sign_in(&ada.user).await;
        assert_eq!(me(&bench, &again).await, 200);
    }

    #[tokio::test]
    async fn cognito_being_down_leaves_the_person_off_and_no_token_of_use() {
        let (bench, owner) = portal().await;
        let ada = bench.signed_in(ADA, Role::TeamMember).await;
        let down = Fault::refused("AccessDeniedException", "a role of ours");
        bench.services.calls().fail_next("Cognito.AdminUserGlobalSignOut", down);

        let reply = send(&bench, request("deactivate", &ada.user.id, &owner)).await;

        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("inactive")));
        assert_eq!(bench.read(&ada.user.id).await.status, Status::Inactive);
        assert_eq!(me(&bench, &ada).await, 401);
        assert_eq!(bench.mail_events(ADA).await, ["welcome", "deactivated"]);
        let repeated = send(&bench, request("deactivate", &ada.user.id, &owner)).await;
        assert_eq!((repeated.status, repeated.problem()), (409, "wrong-status"));
        // Cognito still takes the refresh token, but its session counts nowhere, not even after switching on again.
        let tokens = bench.identity.refresh(&ada.refresh_token).await.unwrap().unwrap();
        send(&bench, request("activate", &ada.user.id, &owner)).await;
        assert!(!bench.read(&ada.user.id).await.has_session(&tokens.session));
        assert_eq!(me(&bench, &ada).await, 401);
    }

    #[tokio::test]
    async fn a_login_at_the_same_time_gets_no_session() {
        let (bench, owner) = portal().await;
        let ada = bench.signed_in(ADA, Role::TeamMember).await;
        let rival = request("deactivate", &ada.user.id, &owner);
        let router = router(app(&bench));
        let meanwhile = async move { assert_eq!(rival.send(router).await.status, 200) };
        bench.services.calls().before_next("DynamoDB.UpdateItem", meanwhile);
        let account = bench.store.login_facts(&ada.user.email).await.unwrap().account.unwrap();

        let opening = bench.store.open_session(&account, &ada.session, true, bench.now()).await.unwrap();

        assert_eq!(opening, shared::store::Opening::WrongStatus(Status::Inactive));
        assert!(bench.read(&ada.user.id).await.sessions.is_empty());
    }

    #[tokio::test]
    async fn of_two_owners_who_switch_each_other_off_at_once_one_stays() {
        let (bench, owner) = portal().await;
        let rival = bench.signed_in("rival@example.com", Role::ApiOwner).await;
        let (first, router) = (request("deactivate", &owner.user.id, &rival), router(app(&bench)));
        let meanwhile = async move { assert_eq!(first.send(router).await.status, 200) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = send(&bench, request("deactivate", &rival.user.id, &owner)).await;

        assert_eq!((reply.status, reply.problem()), (409, "last-api-owner"));
        assert_eq!((me(&bench, &owner).await, me(&bench, &rival).await), (401, 200));
        assert_eq!(bench.mail_events("rival@example.com").await, ["welcome"]);
    }

    #[tokio::test]
    async fn however_two_owners_race_there_is_always_one() {
        let (bench, mut owner) = portal().await;
        for round in 0..25 {
            let rival = bench.signed_in(&format!("rival{round}@example.com"), Role::ApiOwner).await;

            let (one, other) = tokio::join!(
                send(&bench, request("deactivate", &rival.user.id, &owner)),
                send(&bench, request("deactivate", &owner.user.id, &rival)),
            );

            let lost = |reply: &harness::Reply| match reply.status {
                401 => reply.problem() == "unauthenticated",
                _ => reply.status == 409 && reply.problem() == "last-api-owner",
            };
            let winner = match (one.status, other.status) {
                (200, _) if lost(&other) => owner,
                (_, 200) if lost(&one) => rival,
                both => panic!("{both:?}"),
            };
            assert_eq!(me(&bench, &winner).await, 200);
            let settings = bench.store.settings().await.unwrap();
            assert_eq!(
                bench.store.owners_to_notify(&settings).await.unwrap(),
                std::slice::from_ref(&winner.user.email)
            );
            owner = winner;
        }
    }

    #[tokio::test]
    async fn the_last_api_owner_stays_even_when_the_caller_was_another_a_moment_ago() {
        let (bench, owner) = portal().await;

        let kept = bench
            .store
            .transition(&owner.user, shared::domain::transition::Transition::Deactivate, None, &bench.origin())
            .await
            .unwrap();

        assert!(matches!(kept, shared::store::Transitioned::LastOwner));
        assert_eq!(me(&bench, &owner).await, 200);
    }
}
