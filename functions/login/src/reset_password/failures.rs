//! Links used twice at once, and resets that were cut off.

use harness::{Fault, PASSWORD, Sample};
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::transition::Transition;

use super::tests::{ADA, NEW, dead, forgotten, reset, resetting};
use crate::{
    forgot_password::tests::{forget, forgetting},
    login::tests::{app, log_in},
    router,
};

#[tokio::test]
async fn of_two_resets_with_one_link_one_waits_its_turn_and_then_is_too_late() {
    let (bench, _, token) = forgotten().await;
    let (rival, same) = (app(&bench), token.clone());
    let meanwhile = async move {
        let reply = resetting(&same, "what the rival chose").send(router(rival)).await;
        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    assert_eq!(reset(&bench, &token, NEW).await.status, 200);

    dead(&reset(&bench, &token, "what the rival chose").await);
    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn a_second_forgotten_password_meanwhile_voids_nothing_and_is_voided() {
    let (bench, _, token) = forgotten().await;
    let rival = app(&bench);
    let meanwhile = async move { assert_eq!(forgetting(ADA).send(router(rival)).await.status, 202) };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    assert_eq!(reset(&bench, &token, NEW).await.status, 200);

    let mails = bench.mails(ADA).await;
    let text = mails.iter().find(|mail| mail.event.as_deref() == Some("reset_password")).unwrap().text.clone().unwrap();
    let second = text.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_ne!(second, token);
    dead(&reset(&bench, second, "grey tractor 42!").await);
    forget(&bench, ADA).await;
    assert_eq!(reset(&bench, &bench.token(ADA).await, "grey tractor 42!").await.status, 200);
}

#[tokio::test]
async fn a_login_that_raced_the_reset_gets_no_session() {
    let (bench, ada, token) = forgotten().await;
    let (rival, same) = (app(&bench), token.clone());
    // Cognito takes the former password; before the session is written the password is another one.
    let meanwhile = async move { assert_eq!(resetting(&same, NEW).send(router(rival)).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.UpdateItem", meanwhile);

    let reply = log_in(&bench, ADA, PASSWORD).await;

    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
    assert!(bench.read(&ada.user.id).await.sessions.is_empty());
}

#[tokio::test]
async fn a_failure_at_any_step_leaves_the_link_usable_at_once() {
    let steps = [
        "DynamoDB.UpdateItem",
        "Cognito.AdminCreateUser",
        "Cognito.AdminSetUserPassword",
        "Cognito.AdminUserGlobalSignOut",
        "DynamoDB.TransactWriteItems",
    ];
    for step in steps {
        let (bench, ada, token) = forgotten().await;
        bench.services.calls().fail_next(step, Fault::refused("AccessDeniedException", "no"));

        let failed = reset(&bench, &token, NEW).await;

        assert_eq!((failed.status, failed.problem()), (500, "internal"), "{step}");
        assert_eq!(bench.read(&ada.user.id).await.claimed_until, None, "{step}");
        assert_eq!(reset(&bench, &token, NEW).await.status, 200, "{step}");
        assert_eq!(bench.mail_events(ADA).await, ["welcome", "reset_password", "password_changed"], "{step}");
    }
}

#[tokio::test]
async fn contention_at_the_last_step_does_not_hold_the_link() {
    let (bench, _, token) = forgotten().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9));

    let first = reset(&bench, &token, NEW).await;

    assert_eq!((first.status, first.problem()), (503, "try-again"));
    assert_eq!(reset(&bench, &token, NEW).await.status, 200);
}

#[tokio::test]
async fn what_was_written_and_not_answered_counts() {
    let (bench, _, token) = forgotten().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
    assert_eq!(reset(&bench, &token, NEW).await.status, 200);

    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "reset_password", "password_changed"]);
}

#[tokio::test]
async fn after_a_crash_the_link_works_once_the_claim_has_lapsed() {
    let (bench, ada, token) = forgotten().await;
    let claimed = bench.now() + SignedDuration::from_secs(60);
    bench.overwrite(&ada.user.id, "claimed_until", &json!(claimed.as_millisecond())).await;

    let at_once = reset(&bench, &token, NEW).await;
    bench.advance(SignedDuration::from_secs(60));
    let later = reset(&bench, &token, NEW).await;

    assert_eq!((at_once.status, later.status), (503, 200));
}

#[tokio::test]
async fn who_lost_a_lapsed_claim_to_another_is_told_to_try_again() {
    let (bench, ada, token) = forgotten().await;
    let other = (bench.now() + SignedDuration::from_mins(5)).as_millisecond();
    let claimed = bench.overwrite(&ada.user.id, "claimed_until", &json!(other));
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", claimed);

    let reply = reset(&bench, &token, NEW).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert_eq!(
        bench.read(&ada.user.id).await.claimed_until.unwrap().as_millisecond(),
        other,
        "the other's claim stays"
    );
}

#[tokio::test]
async fn who_is_switched_off_while_cognito_is_asked_finds_a_dead_link() {
    let (bench, ada, token) = forgotten().await;
    let (store, origin, person) = (bench.store.clone(), bench.origin(), ada.user.clone());
    let deactivated = async move { drop(store.transition(&person, Transition::Deactivate, None, &origin).await) };
    bench.services.calls().before_next("Cognito.AdminUserGlobalSignOut", deactivated);

    dead(&reset(&bench, &token, NEW).await);

    assert_eq!(bench.read(&ada.user.id).await.claimed_until, None);
    let logged_out = Sample::of("login-logout").by(&ada).send(router(app(&bench))).await;
    assert_eq!(logged_out.status, 401);
}
