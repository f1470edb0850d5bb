//! The queue empties by itself once the settings say so, and only then.

use harness::{Bench, Fault};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    email::MailDomain,
    transition::Transition,
    user::{Role, Start, Status, User},
};
use shared::store::{Registered, Transitioned};

use super::super::{
    Report, handle,
    tests::{app, newcomer, sweep, unfinished},
};

/// Somebody who waits for approval, without a user of Cognito's, who is not needed here.
async fn wait(bench: &Bench, address: &str) -> User {
    let registered =
        bench.store.register(newcomer(address, Start::As(Status::Pending)), &bench.origin()).await.unwrap();
    let Registered::New(user) = registered else { panic!("{registered:?}") };
    *user
}

async fn switch_on(bench: &Bench) {
    bench.set(|settings| settings.auto_approve = true).await;
}

/// The outbox entries of an event.
async fn queued(bench: &Bench, event: &str) -> Vec<Value> {
    let mut mails = bench.rows_in("OUTBOX#").await;
    mails.retain(|mail| mail["event"] == event);
    mails
}

#[tokio::test]
async fn while_nothing_is_approved_by_itself_the_queue_waits_and_is_not_read() {
    let bench = Bench::new().await;
    let ada = wait(&bench, "ada@example.com").await;

    let (report, calls) = bench.calls(sweep(&bench)).await;

    assert_eq!((report, bench.read(&ada.id).await.status), (Report::default(), Status::Pending));
    assert!(calls.iter().all(|call| !call.request.to_string().contains("USERS#pending")));
}

#[tokio::test]
async fn whoever_waits_though_the_setting_is_on_is_approved_by_the_system_and_told_once() {
    let bench = Bench::new().await;
    let ada = wait(&bench, "ada@example.com").await;
    switch_on(&bench).await;

    let runs = [sweep(&bench).await, sweep(&bench).await];

    assert_eq!(runs.map(|report| report.waiting_approved), [1, 0]);
    assert_eq!(bench.read(&ada.id).await.status, Status::Active);
    assert_eq!(queued(&bench, "approved").await.len(), 1);
    let events = bench.rows_in("AUDIT#").await;
    let event = events.iter().find(|event| event["action"] == "user.approved").unwrap();
    assert_eq!((&event["actor"], &event["target"]), (&json!("system"), &json!(ada.id)));
}

#[tokio::test]
async fn a_domain_approves_its_own_and_leaves_the_others_waiting() {
    let bench = Bench::new().await;
    let other = wait(&bench, "eve@example.org").await;
    let below = wait(&bench, "mary@sub.example.com").await;
    let ada = wait(&bench, "ada@example.com").await;
    bench.set(|settings| settings.auto_approve_domains = vec![MailDomain::parse("example.com").unwrap()]).await;

    let report = sweep(&bench).await;

    assert_eq!(report, Report { waiting_approved: 1, ..Report::default() });
    assert_eq!(bench.read(&ada.id).await.status, Status::Active);
    for person in [other, below] {
        assert_eq!(bench.read(&person.id).await.status, Status::Pending);
    }
}

#[tokio::test]
async fn neither_the_rejected_nor_a_waiting_api_owner_is_approved() {
    let bench = Bench::new().await;
    let rejected = wait(&bench, "ada@example.com").await;
    bench.store.transition(&rejected, Transition::Reject, None, &bench.origin()).await.unwrap();
    let owner = bench.person("owner@example.com", Role::ApiOwner, Status::Pending).await;
    switch_on(&bench).await;

    assert_eq!(sweep(&bench).await.waiting_approved, 0);

    assert_eq!(bench.read(&rejected.id).await.status, Status::Rejected);
    assert_eq!(bench.read(&owner.id).await.status, Status::Pending);
}

#[tokio::test]
async fn who_is_decided_about_between_the_list_and_the_approval_stays_as_decided() {
    for transition in [Transition::Reject, Transition::Approve] {
        let bench = Bench::new().await;
        let ada = wait(&bench, "ada@example.com").await;
        switch_on(&bench).await;
        let (store, late, origin) = (bench.store.clone(), ada.clone(), bench.origin());
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move {
            let decided = store.transition(&late, transition, None, &origin).await.unwrap();
            assert!(matches!(decided, Transitioned::Done(_)));
        });

        assert_eq!(sweep(&bench).await, Report::default());

        assert_eq!(bench.read(&ada.id).await.status, transition.to());
        assert_eq!(queued(&bench, "approved").await.len() + queued(&bench, "rejected").await.len(), 1);
    }
}

#[tokio::test]
async fn a_hundred_and_twenty_who_wait_are_approved_in_one_run_and_the_one_that_fails_in_the_next() {
    let bench = Bench::new().await;
    for number in 0..120 {
        wait(&bench, &format!("person-{number}@example.com")).await;
    }
    switch_on(&bench).await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

    let first = unfinished(handle(&app(&bench), None).await);

    assert_eq!(first, Report { waiting_approved: 119, failures: 1, ..Report::default() });
    assert_eq!(sweep(&bench).await.waiting_approved, 1);
    assert_eq!(queued(&bench, "approved").await.len(), 120);
}

#[tokio::test]
async fn a_run_that_is_cut_off_leaves_the_rest_to_the_next() {
    let bench = Bench::new().await;
    for number in 0..60 {
        wait(&bench, &format!("person-{number}@example.com")).await;
    }
    switch_on(&bench).await;
    for _ in 0..54 {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(1)) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", pass);

    let cut_off = handle(&app(&bench), Some(bench.now() + SignedDuration::from_secs(1))).await.unwrap();

    assert_eq!((cut_off.waiting_approved, cut_off.failures), (55, 0));
    assert_eq!(sweep(&bench).await.waiting_approved, 5);
    assert_eq!(queued(&bench, "approved").await.len(), 60);
}

#[tokio::test]
async fn switched_off_between_two_pages_it_approves_nobody_of_the_second() {
    let bench = std::sync::Arc::new(Bench::new().await);
    for number in 0..60 {
        wait(&bench, &format!("person-{number}@example.com")).await;
    }
    switch_on(&bench).await;
    let then = bench.clone();
    let off = async move { then.set(|settings| settings.auto_approve = false).await };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", off);

    assert_eq!(sweep(&bench).await.waiting_approved, 50);
    assert_eq!(sweep(&bench).await.waiting_approved, 0);
}

#[tokio::test]
async fn two_sweeps_at_once_approve_each_once() {
    let bench = Bench::new().await;
    for number in 0..5 {
        wait(&bench, &format!("person-{number}@example.com")).await;
    }
    switch_on(&bench).await;

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!((one.waiting_approved + other.waiting_approved, queued(&bench, "approved").await.len()), (5, 5));
}
