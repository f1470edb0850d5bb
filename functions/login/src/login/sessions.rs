//! Sessions: at most twenty, and none for a login that something overtook.

use std::sync::Arc;

use harness::{Bench, Fault, PASSWORD, Sample};
use serde_json::json;
use shared::domain::{
    transition::Transition,
    user::{MAX_SESSIONS, Role, Status, User},
};
use tokio::task::JoinSet;

use super::tests::{app, log_in};
use crate::router;

/// Somebody with `sessions` sessions, who has logged in from the samples' source before.
async fn with_sessions(bench: &Bench, sessions: usize) -> User {
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    assert_eq!(log_in(bench, "ada@example.com", PASSWORD).await.status, 200);
    for _ in 1..sessions {
        bench.advance(jiff::SignedDuration::from_millis(1));
        bench.sign_in(&ada).await;
    }
    bench.read(&ada.id).await
}

#[tokio::test]
async fn the_twenty_first_session_ends_the_oldest_by_exactly_one_more_write() {
    let bench = Bench::new().await;
    let before = with_sessions(&bench, MAX_SESSIONS).await;

    let (reply, calls) = bench.calls(log_in(&bench, "ada@example.com", PASSWORD)).await;

    assert_eq!(reply.status, 200);
    assert_eq!(harness::write_units(&calls), 2);
    assert_eq!(calls.len(), 4);
    let mut expected = before.sessions.clone();
    expected.remove(before.oldest_session().unwrap());
    let after = bench.read(&before.id).await;
    assert_eq!(after.sessions.len(), MAX_SESSIONS);
    assert!(expected.keys().all(|session| after.sessions.contains_key(session)));
}

#[tokio::test]
async fn the_twentieth_session_ends_none() {
    let bench = Bench::new().await;
    let before = with_sessions(&bench, MAX_SESSIONS - 1).await;

    let (_, calls) = bench.calls(log_in(&bench, "ada@example.com", PASSWORD)).await;

    assert_eq!(harness::write_units(&calls), 1);
    let after = bench.read(&before.id).await;
    assert!(before.sessions.keys().all(|session| after.sessions.contains_key(session)));
}

#[tokio::test]
async fn many_logins_at_once_leave_at_most_twenty_sessions() {
    let bench = Bench::new().await;
    let ada = with_sessions(&bench, MAX_SESSIONS - 3).await;
    let mut logins = JoinSet::new();
    for _ in 0..12 {
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        logins.spawn(Sample::of("login-login").body(&body).send(router(app(&bench))));
    }

    let replies = logins.join_all().await;

    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(bench.read(&ada.id).await.sessions.len(), MAX_SESSIONS);
}

#[tokio::test]
async fn a_lost_answer_ends_no_session_that_had_room() {
    let bench = Bench::new().await;
    let before = with_sessions(&bench, MAX_SESSIONS - 1).await;
    bench.services.calls().fail_next("DynamoDB.UpdateItem", Fault::dropped().after());

    let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!(reply.status, 200);
    let after = bench.read(&before.id).await;
    assert_eq!(after.sessions.len(), MAX_SESSIONS);
    assert!(before.sessions.keys().all(|session| after.sessions.contains_key(session)));
}

#[tokio::test]
async fn a_lost_answer_beyond_the_twentieth_ends_one_session_and_no_more() {
    let bench = Bench::new().await;
    let before = with_sessions(&bench, MAX_SESSIONS).await;
    let bench = Arc::new(bench);
    let then = bench.clone();
    // The first write finds no room; the second, which ends the oldest session, is carried out unheard.
    let found_full = async move {
        then.services.calls().fail_next("DynamoDB.UpdateItem", Fault::dropped().after());
    };
    bench.services.calls().before_next("DynamoDB.UpdateItem", found_full);

    let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!(reply.status, 200);
    let after = bench.read(&before.id).await;
    assert_eq!(after.sessions.len(), MAX_SESSIONS);
    let left = before.sessions.keys().filter(|session| after.sessions.contains_key(session)).count();
    assert_eq!(left, MAX_SESSIONS - 1);
}

#[tokio::test]
async fn a_login_that_raced_a_password_change_gets_no_session() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let raised = bench.overwrite(&ada.id, "link_version", &json!(ada.link_version + 1));
    bench.services.calls().before_next("Cognito.AdminInitiateAuth", raised);

    let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
    assert!(bench.read(&ada.id).await.sessions.is_empty());
    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn a_login_that_raced_a_deactivation_is_told_and_gets_no_session() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let (store, origin, person) = (bench.store.clone(), bench.origin(), ada.clone());
    let deactivated = async move { drop(store.transition(&person, Transition::Deactivate, None, &origin).await) };
    bench.services.calls().before_next("DynamoDB.UpdateItem", deactivated);

    let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!((reply.status, reply.problem()), (403, "account-inactive"));
    let after = bench.read(&ada.id).await;
    assert_eq!((after.status, after.sessions.len()), (Status::Inactive, 0));
}

#[tokio::test]
async fn a_login_that_raced_a_deletion_is_a_wrong_one() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    bench.services.calls().before_next("DynamoDB.UpdateItem", bench.erase(&ada.id));

    let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
    assert!(bench.store.person(&ada.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_login_that_crashed_before_its_answer_harms_nothing() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let refused = Fault::refused("AccessDeniedException", "no").after();
    bench.services.calls().fail_next("DynamoDB.UpdateItem", refused);
    assert_eq!(log_in(&bench, "ada@example.com", PASSWORD).await.status, 500);

    let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

    assert_eq!(reply.status, 200);
    assert_eq!(bench.read(&ada.id).await.sessions.len(), 2);
}
