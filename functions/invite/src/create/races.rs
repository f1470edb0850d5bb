//! Two invitations at once, an invitation beside a registration, and what fails half-way.

use harness::{Bench, Fault, Sample, SignedIn};
use serde_json::json;
use shared::{
    domain::{
        organisation::Placement,
        user::{NewUser, Source, Start, Status},
    },
    store::Stage,
};

use super::{
    tests::{acme, ada, app, invite, known, portal},
    *,
};
use crate::router;

/// Lets `caller` send the same invitation just before the transaction of the next one.
fn rival(bench: &Bench, caller: &SignedIn, body: &serde_json::Value) {
    let (router, sample) = (router(app(bench)), Sample::of("invite-create").by(caller).body(body));
    let meanwhile = async move { assert_eq!(sample.send(router).await.status, 201) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
}

#[tokio::test]
async fn of_two_invitations_at_once_by_owners_one_wins_and_is_named() {
    let (bench, owner) = portal().await;
    rival(&bench, &owner, &ada(json!({})));

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    assert_eq!((reply.status, reply.problem()), (409, "invitation-pending"));
    let rows = bench.rows_in("INVITATION#").await;
    assert_eq!((rows.len(), &reply.body["invitation_id"]), (1, &rows[0]["id"]));
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn of_two_invitations_at_once_by_admins_the_other_is_found_by_a_repeat() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    let body = ada(json!({"team_ids": [teams[1]]}));
    rival(&bench, &admin, &body);

    let reply = invite(&bench, &admin, &body).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert_eq!(invite(&bench, &admin, &body).await.problem(), "invitation-pending");
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn of_two_invitations_elsewhere_at_once_the_other_is_found_by_a_repeat() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let body = ada(json!({"team_ids": [teams[1]]}));
    rival(&bench, &admin, &body);

    let reply = invite(&bench, &admin, &body).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert_eq!(invite(&bench, &admin, &body).await.problem(), "invitation-pending");
}

#[tokio::test]
async fn who_registers_at_the_same_moment_is_not_told_of() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    let (store, origin) = (bench.store.clone(), bench.origin());
    let meanwhile = async move {
        let new = NewUser {
            email: harness::email("ada@example.com"),
            first_name: Name::given("Ada"),
            last_name: Name::given("Lovelace"),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start: Start::As(Status::Unconfirmed),
        };
        store.register(new, &origin).await.unwrap();
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = invite(&bench, &admin, &ada(json!({"team_ids": [teams[1]]}))).await;

    assert_eq!(reply.status, 201);
    assert_eq!(known(&bench, "ada@example.com").await.unwrap().stage, Stage::Unconfirmed);
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration", "already_registered"]);
}

#[tokio::test]
async fn a_team_that_goes_at_the_same_moment_takes_nobody_in() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let meanwhile = bench.erase_team(&teams[1]);
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = invite(&bench, &owner, &ada(json!({"organisation_id": acme, "team_ids": [teams[1]]}))).await;

    assert_eq!(reply.faults(), [("/team_ids", "unknown_team")]);
    assert!(known(&bench, "ada@example.com").await.is_none());
}

#[tokio::test]
async fn a_lost_answer_does_not_invite_twice() {
    let (bench, owner) = portal().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    assert_eq!(reply.status, 201);
    assert_eq!(bench.rows_in("INVITATION#").await.len(), 1);
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn contention_that_lasts_is_told() {
    let (bench, owner) = portal().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9));

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert!(known(&bench, "ada@example.com").await.is_none());
}
