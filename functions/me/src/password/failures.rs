//! Changes at once, and changes that were cut off.

use harness::{Bench, Fault, PASSWORD};
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::transition::Transition;

use super::tests::{ADA, NEW, WRONG, ada, app, change, changing, is_password};
use crate::router;

fn denied() -> Fault {
    Fault::refused("AccessDeniedException", "no")
}

#[tokio::test]
async fn of_two_changes_at_once_one_waits_its_turn_and_finds_its_session_ended() {
    let (bench, ada) = ada().await;
    let (rival, caller) = (app(&bench), ada.clone());
    let meanwhile = async move {
        let reply = changing(&caller, PASSWORD, "what the rival chose").send(router(rival)).await;
        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 200);

    assert!(is_password(&bench, &ada, NEW).await);
    assert_eq!(change(&bench, &ada, NEW, WRONG).await.problem(), "unauthenticated");
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"]);
    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn the_same_request_works_after_a_failure_at_any_step() {
    let before = ["Cognito.AdminInitiateAuth", "Cognito.AdminSetUserPassword"];
    let after = ["Cognito.AdminUserGlobalSignOut", "DynamoDB.TransactWriteItems"];
    for step in before.into_iter().chain(after) {
        let (bench, ada) = ada().await;
        bench.services.calls().fail_next(step, denied());

        let failed = change(&bench, &ada, PASSWORD, NEW).await;

        assert_eq!((failed.status, failed.problem()), (500, "internal"), "{step}");
        assert_eq!(is_password(&bench, &ada, PASSWORD).await, before.contains(&step), "{step}");
        assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 200, "{step}");
        let user = bench.read(&ada.user.id).await;
        assert!(!user.password_change_begun && user.claimed_until.is_none() && user.sessions.len() == 1, "{step}");
        assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"], "{step}");
    }
}

#[tokio::test]
async fn a_password_that_was_set_without_an_answer_is_found_by_the_same_request() {
    let (bench, ada) = ada().await;
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", denied().after());
    assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 500);

    assert_eq!(change(&bench, &ada, WRONG, PASSWORD).await.status, 401, "only the two that belong together");

    assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 200);
    assert!(is_password(&bench, &ada, NEW).await);
}

#[tokio::test]
async fn after_a_crash_the_same_request_works_once_the_claim_has_lapsed() {
    let (bench, ada) = ada().await;
    let claimed = (bench.now() + SignedDuration::from_secs(60)).as_millisecond();
    bench.overwrite(&ada.user.id, "claimed_until", &json!(claimed)).await;
    bench.overwrite(&ada.user.id, "password_change_begun", &json!(true)).await;
    bench.identity.set_password(&ada.user.id, &shared::domain::password::Password::new(NEW)).await.unwrap();

    let at_once = change(&bench, &ada, PASSWORD, NEW).await;
    bench.advance(SignedDuration::from_secs(60));
    let later = change(&bench, &ada, PASSWORD, NEW).await;

    assert_eq!((at_once.status, later.status), (503, 200));
}

#[tokio::test]
async fn where_nothing_was_cut_off_the_new_password_is_no_second_guess() {
    let (bench, ada) = ada().await;

    let (reply, calls) = bench.calls(change(&bench, &ada, WRONG, PASSWORD)).await;

    assert_eq!(reply.status, 401);
    assert_eq!(calls.iter().filter(|call| call.operation == "Cognito.AdminInitiateAuth").count(), 1);
}

/// Changes the password while something else happens to the caller just before `operation`.
async fn overtaken(operation: &str, logged_out: bool) -> (Bench, u16, String) {
    let (bench, ada) = ada().await;
    let (store, origin, caller) = (bench.store.clone(), bench.origin(), ada.clone());
    let meanwhile = async move {
        if logged_out {
            store.close_session(&caller.user.id, &caller.session).await.unwrap();
        } else {
            store.transition(&caller.user, Transition::Deactivate, None, &origin).await.unwrap();
        }
    };
    bench.services.calls().before_next(operation, meanwhile);
    let reply = change(&bench, &ada, PASSWORD, NEW).await;
    let user = bench.read(&ada.user.id).await;
    assert!(user.sessions.is_empty() && user.claimed_until.is_none());
    (bench, reply.status, reply.problem().to_owned())
}

#[tokio::test]
async fn who_is_logged_out_or_switched_off_meanwhile_gets_no_session() {
    for (operation, logged_out) in [
        ("Cognito.AdminInitiateAuth", true),
        ("Cognito.AdminInitiateAuth", false),
        ("Cognito.AdminSetUserPassword", false),
        ("DynamoDB.TransactWriteItems", false),
    ] {
        let (bench, status, problem) = overtaken(operation, logged_out).await;

        assert_eq!((status, problem.as_str()), (401, "unauthenticated"), "{operation}");
        assert!(!bench.mail_events(ADA).await.contains(&"password_changed".to_owned()), "{operation}");
    }
}

#[tokio::test]
async fn what_was_changed_without_new_tokens_is_changed() {
    let (bench, ada) = ada().await;
    let calls = std::sync::Arc::clone(bench.services.calls());
    let then = async move { calls.fail_next("Cognito.AdminInitiateAuth", denied()) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", then);

    assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 500);

    assert!(is_password(&bench, &ada, NEW).await);
    assert!(bench.read(&ada.user.id).await.sessions.is_empty());
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"]);
}
