//! Leaving while others act on the same person.

use std::sync::Arc;

use harness::{Bench, Sample};
use serde_json::json;
use shared::{
    domain::{
        transition::Transition,
        user::{Role, Status},
    },
    store::Deleted,
};

use super::tests::{leave, send, traces};

const WRITE: &str = "DynamoDB.TransactWriteItems";

#[tokio::test]
async fn who_was_changed_meanwhile_leaves_all_the_same_unless_a_version_is_named() {
    for (header, status) in [(None, 204), (Some("\"2\""), 412)] {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        assert_eq!(ada.user.version, 2);
        bench.services.calls().before_next(WRITE, bench.overwrite(&ada.user.id, "version", &json!(3)));
        let request = Sample::of("me-delete").by(&ada);
        let request = match header {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };

        assert_eq!(send(&bench, request).await.status, status);

        assert_eq!(bench.store.person(&ada.user.id).await.unwrap().is_none(), status == 204);
    }
}

#[tokio::test]
async fn who_is_changed_all_the_time_is_told_in_the_end() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    for version in 3..8 {
        bench.services.calls().before_next(WRITE, bench.overwrite(&ada.user.id, "version", &json!(version)));
    }

    assert_eq!(leave(&bench, &ada).await.problem(), "try-again");

    assert_eq!(bench.read(&ada.user.id).await.version, 7);
}

#[tokio::test]
async fn whose_session_ended_meanwhile_stays() {
    for deactivated in [false, true] {
        let bench = Arc::new(Bench::new().await);
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        let (then, who) = (bench.clone(), ada.clone());
        bench.services.calls().before_next(WRITE, async move {
            let (store, user) = (&then.store, &who.user);
            if deactivated {
                store.transition(user, Transition::Deactivate, None, &then.origin()).await.unwrap();
            } else {
                store.close_session(&user.id, &who.session).await.unwrap();
            }
        });

        assert_eq!(leave(&bench, &ada).await.problem(), "unauthenticated");

        assert_eq!(bench.read(&ada.user.id).await.email, ada.user.email);
        assert!(bench.rows_in("UNFINISHED#").await.is_empty());
    }
}

#[tokio::test]
async fn who_leaves_twice_at_once_is_deleted_once() {
    let bench = Arc::new(Bench::new().await);
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let (then, user) = (bench.clone(), ada.user.clone());
    bench.services.calls().before_next(WRITE, async move {
        let deleted = then.store.delete_person(&user, None, &then.origin()).await.unwrap();
        assert!(matches!(deleted, Deleted::Done));
    });

    let reply = leave(&bench, &ada).await;

    assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "user.deleted");
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let bench = Arc::new(Bench::new().await);
    let one = bench.signed_in("one@example.com", Role::ApiOwner).await;
    let other = bench.signed_in("other@example.com", Role::ApiOwner).await;
    let (then, first) = (bench.clone(), other.clone());
    bench.services.calls().before_next(WRITE, async move {
        assert_eq!(leave(&then, &first).await.status, 204);
    });

    let reply = leave(&bench, &one).await;

    assert_eq!((reply.status, reply.problem()), (409, "last-api-owner"));
    assert_eq!(bench.read(&one.user.id).await.status, Status::Active);
    assert!(bench.store.person(&other.user.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_login_that_lost_against_leaving_gets_no_session_and_writes_nobody_anew() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let account = bench.store.login_facts(&ada.user.email).await.unwrap().account.unwrap();
    bench.mails("ada@example.com").await;
    leave(&bench, &ada).await;

    let opening = bench.store.open_session(&account, &ada.session, true, bench.now()).await.unwrap();

    assert_eq!(opening, shared::store::Opening::Stale);
    bench.store.close_all_sessions(&ada.user.id).await.unwrap();
    assert!(bench.store.person(&ada.user.id).await.unwrap().is_none());
    assert_eq!(traces(&bench, &ada.user.id).await, ["UNFINISHED"]);
}
