//! Registering where addresses are confirmed.

use harness::{Bench, Fault, PASSWORD, Reply, Sample, email};
use serde_json::json;
use shared::{domain::user::Role, store::Stage};

use super::*;
use crate::router;

pub(crate) fn app(bench: &Bench) -> App {
    App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
}

pub(crate) async fn register(bench: &Bench, body: &serde_json::Value) -> Reply {
    Sample::of("register-register").body(body).send(router(app(bench))).await
}

pub(crate) fn ada() -> serde_json::Value {
    json!({"email": "Ada@Example.com", "first_name": "Ada", "last_name": "Lovelace"})
}

#[tokio::test]
async fn a_registration_waits_for_its_confirmation_and_gets_a_mail() {
    let bench = Bench::new().await;

    let reply = register(&bench, &ada()).await;

    assert_eq!((reply.status, &reply.body), (202, &json!({"next": "confirm_email"})));
    let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
    assert_eq!(known.stage, Stage::Unconfirmed);
    let user = bench.read(&known.user_id).await;
    assert_eq!(
        (user.status, user.role, user.source),
        (Status::Unconfirmed, Role::TeamMember, Source::SelfRegistration)
    );
    assert_eq!(user.team_ids, Placement::default_place().team_ids);
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
}

#[tokio::test]
async fn registering_takes_one_batch_and_one_transaction_of_ten_units() {
    let bench = Bench::new().await;

    let (reply, calls) = bench.calls(register(&bench, &ada())).await;

    assert_eq!(reply.status, 202);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(harness::write_units(&calls), 10);
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_answer_by_the_same_calls() {
    let bench = Bench::new().await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    register(&bench, &json!({"email": "waiting@example.com", "first_name": "W", "last_name": "W"})).await;
    let ask = async |address: &str| {
        let body = json!({"email": address, "first_name": "Eve", "last_name": "Eavesdrop"});
        let (reply, calls) = bench.calls(register(&bench, &body)).await;
        (reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
    };

    let unknown = ask("new@example.com").await;

    assert_eq!(ask("settled@example.com").await, unknown);
    assert_eq!(ask("waiting@example.com").await, unknown);
    assert_eq!(bench.mail_events("settled@example.com").await, ["welcome", "already_registered"]);
    assert_eq!(bench.mail_events("waiting@example.com").await, ["confirm_registration", "confirm_registration"]);
}

#[tokio::test]
async fn a_repeated_registration_changes_nothing_that_is_stored_of_the_person() {
    let bench = Bench::new().await;
    register(&bench, &ada()).await;
    let facts = bench.store.registration_facts(&email("ada@example.com")).await.unwrap();
    let before = bench.read(&facts.known.clone().unwrap().user_id).await;

    register(&bench, &json!({"email": "ada@example.com", "first_name": "Eve", "last_name": "Else"})).await;

    assert_eq!(bench.read(&before.id).await, before);
    let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
    assert_eq!(known.mails.map(|mails| mails.count), Some(1));
    assert_eq!(Some(Sentinel { mails: None, ..known }), facts.known);
}

#[tokio::test]
async fn a_known_address_gets_five_mails_an_hour_and_the_answer_and_calls_stay_the_same() {
    let bench = Bench::new().await;
    register(&bench, &ada()).await;
    let mut answers = Vec::new();
    for _ in 0..7 {
        let (reply, calls) = bench.calls(register(&bench, &ada())).await;
        answers.push((reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()));
    }

    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(bench.mail_events("ada@example.com").await.len(), 1 + 5, "the first registration's is no repetition");
    bench.advance(jiff::SignedDuration::from_hours(1));
    register(&bench, &ada()).await;
    assert_eq!(bench.mail_events("ada@example.com").await.len(), 1 + 5 + 1);
}

#[tokio::test]
async fn two_repetitions_at_once_send_one_mail_and_are_told_the_same() {
    let bench = Bench::new().await;
    let first = register(&bench, &ada()).await;
    let (rival, body) = (app(&bench), ada());
    let meanwhile = async move { drop(Sample::of("register-register").body(&body).send(router(rival)).await) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    assert_eq!(register(&bench, &ada()).await, first);

    assert_eq!(bench.mail_events("ada@example.com").await.len(), 2);
}

#[tokio::test]
async fn two_registrations_of_one_address_at_once_make_one_person() {
    let bench = Bench::new().await;
    let rival = app(&bench);
    let body = ada();
    let meanwhile = async move {
        let reply = Sample::of("register-register").body(&body).send(router(rival)).await;
        assert_eq!(reply.status, 202);
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = register(&bench, &ada()).await;

    assert_eq!(reply.status, 202);
    let people = bench.store.everybody(&shared::store::Filter::default(), None, 10).await.unwrap().people;
    assert_eq!(people.len(), 1);
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration", "confirm_registration"]);
}

#[tokio::test]
async fn contention_is_waited_out_and_in_the_end_told() {
    let bench = Bench::new().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(3));
    assert_eq!(register(&bench, &ada()).await.status, 202);

    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9));
    let reply = register(&bench, &json!({"email": "b@example.com", "first_name": "B", "last_name": "B"})).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert!(reply.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_lost_answer_does_not_register_twice() {
    let bench = Bench::new().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let reply = register(&bench, &ada()).await;

    assert_eq!(reply.status, 202);
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
}

#[tokio::test]
async fn every_fault_of_a_body_is_named() {
    let bench = Bench::new().await;

    let reply =
        register(&bench, &json!({"email": "ada", "first_name": "\n", "attributes": {"x": 1}, "role": "o"})).await;

    assert_eq!(reply.status, 422);
    let expected = [
        ("/email", "invalid_email"),
        ("/first_name", "invalid_name"),
        ("/last_name", "required"),
        ("/attributes/x", "unknown_field"),
        ("/role", "unknown_field"),
    ];
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn a_password_is_not_chosen_before_the_address_is_confirmed() {
    let bench = Bench::new().await;
    let mut body = ada();
    body["password"] = json!(PASSWORD);

    let reply = register(&bench, &body).await;

    assert_eq!(reply.faults(), [("/password", "not_allowed")]);
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_each_in_its_way() {
    let bench = Bench::new().await;
    let send = async |body: &str, media_type: &str| {
        Sample::of("register-register").raw_body(body, media_type).send(router(app(&bench))).await
    };

    let malformed = send("{", "application/json").await;
    let form = send("email=a", "application/x-www-form-urlencoded").await;
    let large = send(&format!("\"{}\"", "x".repeat(64 * 1024)), "application/json").await;

    assert_eq!((malformed.status, malformed.problem()), (400, "malformed-json"));
    assert_eq!((form.status, form.problem()), (415, "unsupported-media-type"));
    assert_eq!((large.status, large.problem()), (413, "body-too-large"));
}

#[tokio::test]
async fn registration_can_be_closed() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.self_registration = false).await;

    let reply = register(&bench, &ada()).await;

    assert_eq!((reply.status, reply.problem()), (403, "registration-closed"));
}

#[tokio::test]
async fn without_a_sender_nothing_that_needs_mail_works() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.sender = None).await;

    let reply = register(&bench, &ada()).await;

    assert_eq!((reply.status, reply.problem()), (409, "mail-not-configured"));
}
