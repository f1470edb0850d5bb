//! Challenges answered twice at once, and answers that were cut off.

use harness::{Fault, PASSWORD};
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::{transition::Transition, user::Role};

use super::tests::{ADA, NEW, answer, answering, challenged, due};
use crate::{
    login::tests::{app, log_in},
    router,
};

/// The calls that change something, in their order.
const STEPS: [&str; 5] = [
    "DynamoDB.UpdateItem",
    "Cognito.AdminSetUserPassword",
    "Cognito.AdminUserGlobalSignOut",
    "DynamoDB.TransactWriteItems",
    "Cognito.AdminInitiateAuth",
];

#[tokio::test]
async fn of_two_answers_at_once_one_waits_its_turn_and_then_is_too_late() {
    let (bench, _) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    let (rival, same) = (app(&bench), session.clone());
    let meanwhile = async move {
        let reply = answering(ADA, &same, "what the rival chose").send(router(rival)).await;
        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    assert_eq!(answer(&bench, &session, NEW).await.status, 200);

    assert_eq!(answer(&bench, &session, "what the rival chose").await.status, 401);
    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"]);
    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn a_failure_before_any_step_of_the_change_leaves_the_challenge_usable_at_once() {
    for step in &STEPS[..4] {
        let (bench, _) = due(Role::TeamMember).await;
        let session = challenged(&bench).await;
        bench.services.calls().fail_next(step, Fault::refused("AccessDeniedException", "no"));

        let failed = answer(&bench, &session, NEW).await;

        assert_eq!((failed.status, failed.problem()), (500, "internal"), "{step}");
        assert_eq!(answer(&bench, &session, NEW).await.status, 200, "{step}");
        assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"], "{step}");
    }
}

#[tokio::test]
async fn a_step_that_was_taken_and_not_answered_is_taken_again() {
    for step in &STEPS[1..3] {
        let (bench, _) = due(Role::TeamMember).await;
        let session = challenged(&bench).await;
        bench.services.calls().fail_next(step, Fault::refused("AccessDeniedException", "instead").after());

        assert_eq!(answer(&bench, &session, NEW).await.status, 500, "{step}");

        assert_eq!(answer(&bench, &session, NEW).await.status, 200, "{step}");
    }
}

#[tokio::test]
async fn what_was_changed_without_an_answer_lets_log_in_with_the_new_password() {
    let (bench, _) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    let refused = Fault::refused("AccessDeniedException", "instead of the answer").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", refused);
    assert_eq!(answer(&bench, &session, NEW).await.status, 500);

    assert_eq!(answer(&bench, &session, NEW).await.status, 401);

    assert!(log_in(&bench, ADA, NEW).await.body["access_token"].is_string());
    let (bench, _) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    bench.services.calls().fail_next("Cognito.AdminInitiateAuth", Fault::refused("AccessDeniedException", "no"));
    assert_eq!(answer(&bench, &session, NEW).await.status, 500);
    assert!(log_in(&bench, ADA, NEW).await.body["access_token"].is_string());
}

#[tokio::test]
async fn after_a_crash_the_challenge_works_once_the_claim_has_lapsed() {
    let (bench, ada) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    let claimed = bench.now() + SignedDuration::from_secs(60);
    bench.overwrite(&ada.id, "claimed_until", &json!(claimed.as_millisecond())).await;

    let at_once = answer(&bench, &session, NEW).await;
    bench.advance(SignedDuration::from_secs(60));
    let later = answer(&bench, &session, NEW).await;

    assert_eq!((at_once.status, later.status), (503, 200));
}

#[tokio::test]
async fn who_is_switched_off_while_cognito_is_asked_gets_no_session() {
    let (bench, ada) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    let (store, origin, person) = (bench.store.clone(), bench.origin(), ada.clone());
    let deactivated = async move { drop(store.transition(&person, Transition::Deactivate, None, &origin).await) };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", deactivated);

    let reply = answer(&bench, &session, NEW).await;

    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
    let after = bench.read(&ada.id).await;
    assert!(after.sessions.is_empty() && after.must_change_password && after.claimed_until.is_none());
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "deactivated"]);
}

#[tokio::test]
async fn a_pool_that_refuses_the_password_leaves_the_challenge_usable() {
    let (bench, _) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);

    assert_eq!(answer(&bench, &session, NEW).await.faults(), [("/new_password", "password_refused")]);
    assert!(log_in(&bench, ADA, PASSWORD).await.body["session"].is_string());
}
