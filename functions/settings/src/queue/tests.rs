//! Switching automatic approval on lets in who waits already.

use harness::{Bench, Fault, SignedIn};
use serde_json::{Value, json};
use shared::{
    domain::user::{Role, Status, User},
    store::Filter,
};

use super::{PAGE, TIME};
use crate::change::tests::{change, portal};

async fn wait(bench: &Bench, addresses: &[&str]) -> Vec<User> {
    let mut people = Vec::new();
    for address in addresses {
        people.push(bench.person(address, Role::TeamMember, Status::Pending).await);
    }
    people
}

async fn crowd(bench: &Bench, size: usize) -> Vec<User> {
    let addresses: Vec<_> = (0..size).map(|number| format!("person-{number}@example.com")).collect();
    wait(bench, &addresses.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn switch_on(bench: &Bench, owner: &SignedIn) {
    assert_eq!(change(bench, owner, &json!({"auto_approve": true})).await.status, 200);
}

async fn status(bench: &Bench, person: &User) -> Status {
    bench.read(&person.id).await.status
}

async fn approvals(bench: &Bench) -> Vec<Value> {
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "user.approved");
    events
}

#[tokio::test]
async fn everybody_who_waits_is_let_in_by_the_owner_who_switched_it_on_and_told() {
    let (bench, owner) = portal().await;
    let people = wait(&bench, &["ada@example.com", "grace@example.org"]).await;

    switch_on(&bench, &owner).await;

    for person in people {
        assert_eq!(status(&bench, &person).await, Status::Active);
        assert_eq!(bench.mail_events(person.email.as_str()).await, ["approved"]);
    }
    let events = approvals(&bench).await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["actor"] == json!({"user": owner.user.id})), "{events:?}");
}

#[tokio::test]
async fn a_further_domain_lets_in_its_own() {
    let (bench, owner) = portal().await;
    let people = wait(&bench, &["ada@example.com", "grace@example.org", "eve@sub.example.org"]).await;
    let domains = |domains: Value| json!({"auto_approve_domains": domains});

    change(&bench, &owner, &domains(json!(["example.com"]))).await;
    let first = [status(&bench, &people[0]).await, status(&bench, &people[1]).await];
    change(&bench, &owner, &domains(json!(["Example.ORG", "example.com"]))).await;

    assert_eq!(first, [Status::Active, Status::Pending]);
    assert_eq!((status(&bench, &people[1]).await, status(&bench, &people[2]).await), (Status::Active, Status::Pending));
}

#[tokio::test]
async fn the_rejected_and_waiting_api_owners_are_left_as_they_are() {
    let (bench, owner) = portal().await;
    let rejected = bench.person("ada@example.com", Role::TeamMember, Status::Rejected).await;
    let unconfirmed = bench.person("grace@example.com", Role::TeamMember, Status::Unconfirmed).await;
    let second = bench.person("second@example.com", Role::ApiOwner, Status::Pending).await;

    switch_on(&bench, &owner).await;

    for person in [rejected, unconfirmed, second] {
        assert_eq!(bench.read(&person.id).await, person);
    }
}

#[tokio::test]
async fn a_change_of_something_else_reads_no_queue() {
    let (bench, owner) = portal().await;
    bench.set(|settings| settings.auto_approve = true).await;
    let people = wait(&bench, &["ada@example.com"]).await;

    let body = json!({"auto_approve": true, "auto_approve_domains": ["example.com"], "sign_in": false});
    let (reply, calls) = bench.calls(change(&bench, &owner, &body)).await;

    assert_eq!((reply.status, status(&bench, &people[0]).await), (200, Status::Pending));
    assert!(calls.iter().all(|call| call.operation != "DynamoDB.Query"));
}

#[tokio::test]
async fn a_queue_of_several_pages_is_let_in_whole() {
    let (bench, owner) = portal().await;
    crowd(&bench, usize::from(PAGE) + 3).await;

    switch_on(&bench, &owner).await;

    let waiting = Filter { status: Some(Status::Pending), ..Filter::default() };
    assert!(bench.store.everybody(&waiting, None, 10).await.unwrap().people.is_empty());
    assert_eq!(approvals(&bench).await.len(), usize::from(PAGE) + 3);
}

#[tokio::test]
async fn a_change_whose_time_is_up_is_answered_and_leaves_the_rest_waiting() {
    let (bench, owner) = portal().await;
    crowd(&bench, 30).await;
    // The change itself, and ten approvals.
    for _ in 0..10 {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move { clock.advance(TIME) });

    let reply = change(&bench, &owner, &json!({"auto_approve": true})).await;

    assert_eq!((reply.status, &reply.body["auto_approve"]), (200, &json!(true)));
    let approved = approvals(&bench).await.len();
    assert!((10..30).contains(&approved), "{approved}");
}

#[tokio::test]
async fn one_that_fails_is_left_waiting_and_keeps_nobody_else() {
    let (bench, owner) = portal().await;
    crowd(&bench, 3).await;
    let calls = std::sync::Arc::clone(bench.services.calls());
    let refused = Fault::refused("AccessDeniedException", "no");
    let meanwhile = async move { calls.fail_next("DynamoDB.TransactWriteItems", refused) };
    bench.services.calls().before_next("DynamoDB.Query", meanwhile);

    switch_on(&bench, &owner).await;

    assert_eq!((approvals(&bench).await.len(), bench.services.calls().outstanding()), (2, 0));
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_does_not_undo_the_change() {
    let (bench, owner) = portal().await;
    let people = crowd(&bench, 1).await;
    bench.services.calls().fail_next("DynamoDB.Query", Fault::refused("AccessDeniedException", "no"));

    switch_on(&bench, &owner).await;

    assert!(bench.store.settings().await.unwrap().auto_approve);
    assert_eq!(status(&bench, &people[0]).await, Status::Pending);
}

#[tokio::test]
async fn who_is_decided_about_at_the_same_moment_is_told_once() {
    use shared::domain::transition::Transition;

    for transition in [Transition::Approve, Transition::Reject] {
        let (bench, owner) = portal().await;
        let ada = wait(&bench, &["ada@example.com"]).await.remove(0);
        let (store, late, origin) = (bench.store.clone(), ada.clone(), bench.origin());
        let decide = async move { drop(store.transition(&late, transition, None, &origin).await.unwrap()) };
        let calls = std::sync::Arc::clone(bench.services.calls());
        let meanwhile = async move { calls.before_next("DynamoDB.TransactWriteItems", decide) };
        bench.services.calls().before_next("DynamoDB.Query", meanwhile);

        switch_on(&bench, &owner).await;

        assert_eq!(status(&bench, &ada).await, transition.to());
        assert_eq!(bench.mail_events("ada@example.com").await.len(), 1);
    }
}

#[tokio::test]
async fn switched_off_again_at_once_it_lets_in_nobody() {
    let (bench, owner) = portal().await;
    let people = wait(&bench, &["ada@example.com"]).await;
    let bench = std::sync::Arc::new(bench);
    let then = bench.clone();
    let off = async move { then.set(|settings| settings.auto_approve = false).await };
    bench.services.calls().before_next("DynamoDB.Query", off);

    switch_on(&bench, &owner).await;

    assert_eq!(status(&bench, &people[0]).await, Status::Pending);
}
