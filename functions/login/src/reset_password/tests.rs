use harness::{Bench, PASSWORD, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    transition::Transition,
    user::{Role, Status},
};

use crate::{
    forgot_password::tests::forget,
    login::tests::{app, log_in, log_in_from},
    router,
};

pub(super) const ADA: &str = "ada@example.com";
pub(super) const NEW: &str = "amber tractor 42!";

/// A person with a session, and the token of a link that was mailed to them.
pub(super) async fn forgotten() -> (Bench, SignedIn, String) {
    let bench = Bench::new().await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    forget(&bench, ADA).await;
    let token = bench.token(ADA).await;
    (bench, ada, token)
}

pub(super) fn resetting(token: &str, password: &str) -> Sample {
    Sample::of("login-reset-password").body(&json!({"token": token, "password": password}))
}

pub(super) async fn reset(bench: &Bench, token: &str, password: &str) -> Reply {
    resetting(token, password).send(router(app(bench))).await
}

pub(super) fn dead(reply: &Reply) {
    assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"));
}

#[tokio::test]
async fn a_link_gives_another_password_and_ends_every_session() {
    let (bench, ada, token) = forgotten().await;

    let reply = reset(&bench, &token, NEW).await;

    assert_eq!((reply.status, &reply.body), (200, &json!({"next": "log_in"})));
    let after = bench.read(&ada.user.id).await;
    assert_eq!((after.sessions.len(), after.link_version, after.claimed_until), (0, ada.user.link_version + 1, None));
    assert_eq!((after.version, after.updated_at), (ada.user.version, ada.user.updated_at));
    assert!(bench.identity.refresh(&ada.refresh_token).await.unwrap().is_none(), "Cognito's tokens are ended too");
    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 401);
    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "reset_password", "password_changed"]);
    assert!(bench.rows_in("LINK#").await.is_empty());
}

#[tokio::test]
async fn resetting_takes_these_calls_in_this_order() {
    let (bench, _, token) = forgotten().await;

    let (reply, calls) = bench.calls(reset(&bench, &token, NEW)).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.UpdateItem",
        "Cognito.AdminCreateUser",
        "Cognito.AdminSetUserPassword",
        "Cognito.AdminUserGlobalSignOut",
        "DynamoDB.TransactWriteItems",
        "DynamoDB.UpdateItem",
    ];
    assert_eq!(operations, expected);
    assert_eq!(harness::write_units(&calls), 12);
}

#[tokio::test]
async fn who_has_no_cognito_user_any_more_gets_one_again() {
    let (bench, ada, token) = forgotten().await;
    bench.identity.delete(&ada.user.id).await.unwrap();

    assert_eq!(reset(&bench, &token, NEW).await.status, 200);

    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
}

#[tokio::test]
async fn a_refused_password_leaves_the_link_usable() {
    let (bench, _, token) = forgotten().await;

    assert_eq!(reset(&bench, &token, "grace hopper").await.faults(), [("/password", "password_tells_name")]);

    assert_eq!(reset(&bench, &token, NEW).await.status, 200);
}

#[tokio::test]
async fn used_unknown_malformed_and_expired_links_get_one_answer() {
    let (bench, _, token) = forgotten().await;
    forget(&bench, ADA).await;
    let late = bench.token(ADA).await;
    reset(&bench, &token, NEW).await;

    let used = reset(&bench, &token, NEW).await;
    dead(&used);
    assert_eq!(reset(&bench, &"A".repeat(43), NEW).await, used);
    assert_eq!(reset(&bench, "no token", NEW).await, used);
    assert_eq!(reset(&bench, &late, NEW).await, used, "a change voids every earlier link");
    forget(&bench, ADA).await;
    let expired = bench.token(ADA).await;
    bench.advance(SignedDuration::from_hours(1));
    assert_eq!(reset(&bench, &expired, NEW).await, used);
}

#[tokio::test]
async fn a_link_works_until_the_last_moment_of_its_hour() {
    let (bench, _, token) = forgotten().await;
    bench.advance(SignedDuration::from_hours(1) - SignedDuration::from_millis(1));

    assert_eq!(reset(&bench, &token, NEW).await.status, 200);
}

#[tokio::test]
async fn several_links_work_until_one_is_used() {
    let (bench, _, first) = forgotten().await;
    forget(&bench, ADA).await;
    let second = bench.token(ADA).await;
    assert_ne!(first, second);

    assert_eq!(reset(&bench, &first, NEW).await.status, 200);

    dead(&reset(&bench, &second, "grey tractor 42!").await);
    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
}

#[tokio::test]
async fn a_link_of_a_person_who_was_switched_off_is_dead_and_works_again_with_them() {
    let (bench, ada, token) = forgotten().await;
    bench.store.transition(&ada.user, Transition::Deactivate, None, &bench.origin()).await.unwrap();

    dead(&reset(&bench, &token, NEW).await);

    let inactive = bench.read(&ada.user.id).await;
    bench.store.transition(&inactive, Transition::Activate, None, &bench.origin()).await.unwrap();
    assert_eq!(reset(&bench, &token, NEW).await.status, 200);
}

#[tokio::test]
async fn a_link_of_another_purpose_or_of_somebody_gone_is_dead() {
    let (bench, ada, token) = forgotten().await;
    crate::login::tests::without_password(&bench).await;
    let confirm = bench.token("unconfirmed@example.com").await;

    dead(&reset(&bench, &confirm, NEW).await);
    bench.erase(&ada.user.id).await;
    dead(&reset(&bench, &token, NEW).await);
}

#[tokio::test]
async fn a_reset_answers_the_challenge_of_a_password_that_had_to_be_changed() {
    let (bench, ada, token) = forgotten().await;
    bench.overwrite(&ada.user.id, "must_change_password", &json!(true)).await;
    assert!(log_in(&bench, ADA, PASSWORD).await.body["session"].is_string());

    reset(&bench, &token, NEW).await;

    let after = bench.read(&ada.user.id).await;
    assert!(!after.must_change_password && after.challenge.is_none());
    assert!(log_in(&bench, ADA, NEW).await.body["access_token"].is_string());
}

#[tokio::test]
async fn who_failed_too_often_and_has_the_mail_is_served_where_they_opened_it() {
    let (bench, _, token) = forgotten().await;
    for _ in 0..5 {
        log_in(&bench, ADA, "violet tractor 43!").await;
    }

    reset(&bench, &token, NEW).await;

    assert_eq!(log_in_from(&bench, "198.51.100.7", ADA, NEW).await.status, 401, "another source waits on");
    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
}

#[tokio::test]
async fn the_audit_tells_of_the_request_and_of_the_change() {
    let (bench, ada, token) = forgotten().await;
    reset(&bench, &token, NEW).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["target"] == json!(ada.user.id) && event["actor"] == "visitor");

    let mut actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["user.password_changed", "user.password_reset_requested"]);
    let rows = format!("{:?}", bench.rows().await);
    assert!(!rows.contains(NEW) && !rows.contains(&token));
}

#[tokio::test]
async fn pending_people_have_no_link_that_works() {
    let (bench, ada, token) = forgotten().await;
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Active) {
        bench.overwrite(&ada.user.id, "status", &json!(status)).await;
        dead(&reset(&bench, &token, NEW).await);
    }
}

#[tokio::test]
async fn both_fields_are_needed() {
    let bench = Bench::new().await;
    let send = async |body: &Value| Sample::of("login-reset-password").body(body).send(router(app(&bench))).await;

    assert_eq!(send(&json!({})).await.faults(), [("/token", "required"), ("/password", "required")]);
    assert_eq!(
        send(&json!({"token": "x", "password": "y", "email": "z"})).await.faults(),
        [("/email", "unknown_field")]
    );
}
