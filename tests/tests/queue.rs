//! A long queue of registrations, once they are approved by themselves: what the change of the settings has no time for, the
//! sweep finishes.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::BTreeMap, sync::Arc};

use harness::{Bench, Sample, email};
use jiff::SignedDuration;
use serde_json::json;
use shared::{
    domain::{
        name::Name,
        organisation::Placement,
        transition::Transition,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    store::{Filter, Registered},
};

mod functions;

const CROWD: usize = 300;

/// Somebody who waits.
async fn wait(bench: &Bench, number: usize) -> User {
    let new = NewUser {
        email: email(&format!("person-{number}@example.com")),
        first_name: Name::given("Ada"),
        last_name: Name::given("Lovelace"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start: Start::As(Status::Pending),
    };
    let registered = bench.store.register(new, &bench.origin()).await.unwrap();
    let Registered::New(user) = registered else { panic!("{registered:?}") };
    *user
}

#[tokio::test]
async fn three_hundred_who_wait_are_let_in_by_the_change_and_by_the_sweep_after_it_each_told_once() {
    let bench = Arc::new(Bench::new().await);
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    let mut people = Vec::new();
    for number in 0..CROWD {
        people.push(wait(&bench, number).await);
    }
    bench.advance(SignedDuration::from_millis(1));
    let (store, last, origin) = (bench.store.clone(), people.pop().unwrap(), bench.origin());
    let calls = bench.services.calls();
    // Somebody rejects the last one while the first hundred are let in; then the time is up.
    calls.before_next("DynamoDB.TransactWriteItems", async {});
    let rejected = last.clone();
    calls.before_next("DynamoDB.TransactWriteItems", async move {
        drop(store.transition(&rejected, Transition::Reject, None, &origin).await.unwrap());
    });
    for _ in 0..100 {
        calls.before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    calls.before_next("DynamoDB.TransactWriteItems", async move { clock.advance(SignedDuration::from_mins(1)) });

    let change = Sample::of("settings-change").by(&owner).body(&json!({"auto_approve": true}));
    let reply = functions::send(&bench, change).await;

    assert_eq!((reply.status, &reply.body["auto_approve"]), (200, &json!(true)));
    let waiting = Filter { status: Some(Status::Pending), ..Filter::default() };
    let left = bench.store.everybody(&waiting, None, 100).await.unwrap();
    assert_eq!(left.people.len(), 100, "more than a page is left");
    let app = expire::App {
        store: bench.store.clone(),
        identity: bench.identity.clone(),
        mailer: bench.mailer.clone(),
        owns_pool: true,
        clock: bench.clock.clone(),
    };
    let report = Box::pin(expire::handle(&app, None)).await.unwrap();

    assert!((100..200).contains(&report.waiting_approved), "{report:?}");
    assert!(bench.store.everybody(&waiting, None, 100).await.unwrap().people.is_empty());
    assert_eq!(bench.read(&last.id).await.status, Status::Rejected);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for mail in bench.rows_in("OUTBOX#").await {
        if mail["event"] == "approved" {
            *told.entry(mail["to"][0]["email"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!((told.len(), told.values().max()), (CROWD - 1, Some(&1)));
    assert!(!told.contains_key(last.email.as_str()));
}
