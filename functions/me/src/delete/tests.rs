//! Leaving: what goes, who has to stay, what it costs.

use harness::{Bench, Fault, Reply, Sample, SignedIn, write_units};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::UserId,
        name::Name,
        organisation::Placement,
        user::{NewUser, Role, Source, Start, Status},
    },
    store::Registered,
};

use crate::{App, router};

pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
    bench.advance(SignedDuration::from_millis(1));
    let (store, identity, clock) = (bench.store.clone(), bench.identity.clone(), bench.clock.clone());
    request.send(router(App { store, identity, clock })).await
}

pub(super) async fn leave(bench: &Bench, caller: &SignedIn) -> Reply {
    send(bench, Sample::of("me-delete").by(caller)).await
}

/// Where something of a person stands, but for the audit.
pub(super) async fn traces(bench: &Bench, id: &UserId) -> Vec<String> {
    let mut rows = bench.rows().await;
    rows.retain(|row| row.to_string().contains(id.as_str()));
    let places = rows.iter().map(|row| row["pk"].as_str().unwrap().split('#').next().unwrap().to_owned());
    places.filter(|place| place != "AUDIT").collect()
}

async fn cognito_users(bench: &Bench) -> usize {
    let list = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
    list.send().await.unwrap().users().len()
}

async fn owners(bench: &Bench) -> Value {
    bench.rows_in("OWNERS").await.remove(0)
}

#[tokio::test]
async fn who_leaves_is_gone_and_their_address_is_free_at_once() {
    let bench = Bench::new().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let place = Placement { organisation_id: acme, team_ids: teams };
    let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Active, Some(place)).await;
    let ada = bench.sign_in(&ada).await;
    bench.mails("ada@example.com").await;

    let reply = leave(&bench, &ada).await;

    assert_eq!((reply.status, reply.body), (204, Value::Null));
    assert_eq!((traces(&bench, &ada.user.id).await, cognito_users(&bench).await), (vec!["UNFINISHED".to_owned()], 0));
    assert!(bench.rows_in("EMAIL#").await.is_empty() && bench.rows_in("LOGINS#").await.is_empty());
    let again = NewUser {
        email: ada.user.email.clone(),
        first_name: Name::given("Ada"),
        last_name: Name::given("Lovelace"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start: Start::As(Status::Unconfirmed),
    };
    assert!(matches!(bench.store.register(again, &bench.origin()).await.unwrap(), Registered::New(_)));
}

#[tokio::test]
async fn every_session_ends_with_the_account() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let elsewhere = bench.sign_in(&ada.user).await;

    assert_eq!(leave(&bench, &ada).await.status, 204);

    for session in [&ada, &elsewhere] {
        let read = send(&bench, Sample::of("me-read").by(session)).await;
        assert_eq!((read.status, read.problem()), (401, "unauthenticated"));
        assert_eq!(leave(&bench, session).await.status, 401);
    }
    assert!(bench.identity.refresh(&elsewhere.refresh_token).await.unwrap().is_none());
}

#[tokio::test]
async fn the_audit_keeps_an_id_and_nothing_personal() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

    leave(&bench, &ada).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "user.deleted");
    let event = events.remove(0);
    assert_eq!((&event["target"], &event["actor"]), (&json!(ada.user.id), &json!({"user": ada.user.id})));
    assert_eq!((&event["before"]["status"], &event["after"]["status"]), (&json!("active"), &Value::Null));
    let told = event.to_string();
    assert!(["ada@", "Grace", "Hopper"].into_iter().all(|personal| !told.contains(personal)), "{told}");
}

#[tokio::test]
async fn the_last_api_owner_stays() {
    let bench = Bench::new().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    bench.person("off@example.com", Role::ApiOwner, Status::Inactive).await;

    let reply = leave(&bench, &owner).await;

    assert_eq!((reply.status, reply.problem()), (409, "last-api-owner"));
    assert_eq!((bench.read(&owner.user.id).await, cognito_users(&bench).await), (owner.user, 2));
}

#[tokio::test]
async fn an_api_owner_leaves_while_another_is_active_and_counts_no_more() {
    let bench = Bench::new().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    let other = bench.person("other@example.com", Role::ApiOwner, Status::Active).await;

    assert_eq!(leave(&bench, &owner).await.status, 204);

    let owners = owners(&bench).await;
    assert_eq!((&owners["active"], &owners["members"]), (&json!(1), &json!({other.id.as_str(): "other@example.com"})));
}

#[tokio::test]
async fn leaving_takes_a_read_a_transaction_two_calls_of_cognito_and_the_erasure() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

    let (reply, calls) = bench.calls(leave(&bench, &ada)).await;

    assert_eq!(reply.status, 204);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"].into_iter();
    let expected = expected.chain(["Cognito.AdminUserGlobalSignOut", "Cognito.AdminDeleteUser"]);
    let expected = expected.chain(["DynamoDB.Query", "DynamoDB.Query", "DynamoDB.TransactWriteItems"]);
    assert_eq!(operations, expected.collect::<Vec<_>>());
    // Person, address, membership, logins, note, audit; the one mail that went to them.
    assert_eq!(write_units(&calls), 14);
}

#[tokio::test]
async fn a_named_version_is_held_to() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let with = |version: u64| Sample::of("me-delete").by(&ada).header("if-match", &format!("\"{version}\""));

    let other = send(&bench, with(ada.user.version + 1)).await;

    assert_eq!((other.status, other.problem()), (412, "version-mismatch"));
    assert_eq!(send(&bench, with(ada.user.version)).await.status, 204);
}

#[tokio::test]
async fn a_body_with_anything_in_it_deletes_nobody() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

    let reply = send(&bench, Sample::of("me-delete").by(&ada).body(&json!({"sure": true}))).await;

    assert_eq!(reply.faults(), [("/sure", "unknown_field")]);
    assert_eq!(bench.read(&ada.user.id).await, ada.user);
    assert_eq!(send(&bench, Sample::of("me-delete").by(&ada).body(&json!({}))).await.status, 204);
}

#[tokio::test]
async fn without_a_session_nobody_is_deleted() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

    let without = send(&bench, Sample::of("me-delete").by(&ada).without_token()).await;
    let other = send(&bench, Sample::of("me-delete").by(&ada).claim("origin_jti", "another")).await;

    assert_eq!((without.status, other.status), (401, 401));
    assert_eq!(bench.read(&ada.user.id).await, ada.user);
}

#[tokio::test]
async fn a_cognito_that_fails_keeps_nobody_and_leaves_the_note() {
    for call in ["Cognito.AdminUserGlobalSignOut", "Cognito.AdminDeleteUser"] {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        bench.services.calls().fail_next(call, Fault::refused("AccessDeniedException", "no"));

        assert_eq!(leave(&bench, &ada).await.status, 204);

        assert!(bench.store.person(&ada.user.id).await.unwrap().is_none());
        let due =
            bench.store.unfinished_identities(bench.now() + SignedDuration::from_secs(1), None, 9).await.unwrap().rows;
        let (note, person) = due[0].as_ref().unwrap();
        assert_eq!((&note.user_id, person, due.len()), (&ada.user.id, &None, 1));
    }
}

#[tokio::test]
async fn a_table_that_fails_deletes_nobody_and_a_lost_answer_is_no_failure() {
    let bench = Bench::new().await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let calls = bench.services.calls();
    calls.fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    assert_eq!(leave(&bench, &ada).await.problem(), "internal");
    assert_eq!(bench.read(&ada.user.id).await, ada.user);

    calls.fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
    assert_eq!(leave(&bench, &ada).await.status, 204);
    assert_eq!(cognito_users(&bench).await, 0);
}
