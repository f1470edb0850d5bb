//! What the endpoint does where nothing comes in between.

use harness::{Bench, CODE, Reply, Sample, email};
use serde_json::{Value, json};
use shared::domain::{organisation::Placement, user::Role};

use super::*;
use crate::router;

pub(crate) fn app(bench: &Bench) -> App {
    App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
}

pub(crate) fn body(code: &str, address: &str) -> Value {
    json!({"code": code, "email": address, "first_name": "Ada", "last_name": "Lovelace"})
}

pub(crate) async fn send(bench: &Bench, body: &Value) -> Reply {
    Sample::of("redeem-code-redeem").body(body).send(router(app(bench))).await
}

pub(crate) async fn redeem(bench: &Bench, code: &str, address: &str) -> Reply {
    send(bench, &body(code, address)).await
}

/// The account behind an address.
pub(crate) async fn known(bench: &Bench, address: &str) -> Option<Sentinel> {
    bench.store.registration_facts(&email(address)).await.unwrap().known
}

pub(crate) async fn person(bench: &Bench, address: &str) -> User {
    bench.read(&known(bench, address).await.unwrap().user_id).await
}

#[tokio::test]
async fn who_redeems_a_code_takes_a_slot_and_waits_for_confirmation_in_its_team() {
    let bench = Bench::new().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let (organisation_id, team_id) = (acme.clone(), teams[2].clone());
    let code = bench
        .invite_code(CODE, |code| {
            (code.organisation_id, code.team_id, code.quota) = (organisation_id, team_id, Some(3));
        })
        .await;

    let reply = redeem(&bench, CODE, "Ada@Example.com").await;

    assert_eq!((reply.status, &reply.body), (202, &json!({"next": "confirm_email"})));
    let user = person(&bench, "ada@example.com").await;
    assert_eq!((user.status, user.role, user.source), (Status::Unconfirmed, Role::TeamMember, CameBy::InviteCode));
    let place = Placement { organisation_id: acme, team_ids: vec![teams[2].clone()] };
    assert_eq!((user.organisation_id, user.team_ids), (Some(place.organisation_id), place.team_ids));
    assert_eq!(user.redemption, Some(code.redemption()));
    assert_eq!(bench.used(CODE).await, 1);
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
}

#[tokio::test]
async fn a_code_is_read_however_it_is_typed() {
    let bench = Bench::new().await;
    bench.invite_code("OIL-RIG-2026", |_| {}).await;

    for (number, typed) in ["oil-rig-2026", " 0IL RIG 2026 ", "o1l-r1g-2o26"].into_iter().enumerate() {
        let reply = redeem(&bench, typed, &format!("person-{number}@example.com")).await;
        assert_eq!(reply.status, 202, "{typed}: {reply:?}");
    }
    assert_eq!(bench.used("OIL-RIG-2026").await, 3);
}

#[tokio::test]
async fn redeeming_takes_one_batch_and_one_transaction_of_sixteen_units() {
    let bench = Bench::new().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let team_id = teams[0].clone();
    bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme, team_id)).await;
    bench.invite_code("DEFAULT-TEAM", |_| {}).await;

    let (reply, calls) = bench.calls(redeem(&bench, CODE, "ada@example.com")).await;
    let (of_default, default_calls) = bench.calls(redeem(&bench, "DEFAULT-TEAM", "grace@example.com")).await;

    assert_eq!((reply.status, of_default.status), (202, 202));
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!((harness::write_units(&calls), harness::write_units(&default_calls)), (16, 14));
}

#[tokio::test]
async fn a_code_works_while_registration_is_closed() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.set(|settings| settings.self_registration = false).await;

    assert_eq!(redeem(&bench, CODE, "ada@example.com").await.status, 202);
}

#[tokio::test]
async fn the_audit_tells_of_code_and_person_by_their_ids_alone() {
    let bench = Bench::new().await;
    let code = bench.invite_code(CODE, |_| {}).await;

    let reply = redeem(&bench, CODE, "ada@example.com").await;

    let user = person(&bench, "ada@example.com").await;
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["request_id"] == reply.headers["x-request-id"]);
    events.sort_by_key(|event| event["action"].as_str().map(str::to_owned));
    let told: Vec<_> = events.iter().map(|event| (&event["action"], &event["target"])).collect();
    let (redeemed, created) = (json!("invite_code.redeemed"), json!("registration.created"));
    assert_eq!(told, [(&redeemed, &json!(code.id)), (&created, &json!(user.id))]);
    let events = json!(events).to_string().to_lowercase();
    assert!(["spring", "ada", "lovelace", "example.com"].into_iter().all(|word| !events.contains(word)));
}

#[tokio::test]
async fn a_lost_answer_takes_no_second_slot() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", harness::Fault::dropped().after());

    let reply = redeem(&bench, CODE, "ada@example.com").await;

    assert_eq!((reply.status, bench.used(CODE).await), (202, 1));
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
}

#[tokio::test]
async fn who_repeats_after_a_crash_has_one_account_and_one_slot() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    let lost = harness::Fault::refused("AccessDeniedException", "instead of the answer").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);

    let first = redeem(&bench, CODE, "ada@example.com").await;
    let again = redeem(&bench, CODE, "ada@example.com").await;

    assert_eq!((first.status, again.status), (500, 202));
    assert_eq!((bench.used(CODE).await, bench.rows_in("USER#").await.len()), (1, 1));
}

#[tokio::test]
async fn contention_is_waited_out_and_in_the_end_told() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    let conflict = harness::Fault::conflict;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", conflict().times(3));
    assert_eq!(redeem(&bench, CODE, "ada@example.com").await.status, 202);

    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", conflict().times(9));
    let reply = redeem(&bench, CODE, "grace@example.com").await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert_eq!(bench.used(CODE).await, 1);
}
