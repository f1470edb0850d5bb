//! Changing one's names: what changes, what never does, and against whom.

use std::sync::Arc;

use harness::{Bench, Fault, PASSWORD, Reply, Sample, SignedIn, write_units};
use serde_json::{Value, json};
use shared::{
    domain::{
        password::Password,
        transition::Transition,
        user::{Role, User},
    },
    store::Transitioned,
};

use crate::delete::tests::send;

const WRITE: &str = "DynamoDB.TransactWriteItems";

async fn ada(bench: &Bench) -> SignedIn {
    bench.signed_in("ada@example.com", Role::TeamMember).await
}

async fn change(bench: &Bench, caller: &SignedIn, body: &Value) -> Reply {
    send(bench, Sample::of("me-change").by(caller).body(body)).await
}

#[tokio::test]
async fn what_is_named_changes_and_the_rest_stays() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;

    let reply = change(&bench, &ada, &json!({"first_name": " Ada "})).await;

    assert_eq!(
        (reply.status, &reply.body["first_name"], &reply.body["last_name"]),
        (200, &json!("Ada"), &json!("Hopper"))
    );
    let read = send(&bench, Sample::of("me-read").by(&ada)).await;
    assert_eq!((&read.body, &read.headers["etag"]), (&reply.body, &reply.headers["etag"]));
    let now = bench.read(&ada.user.id).await;
    let (first_name, updated_at) = (now.first_name.clone(), now.updated_at);
    assert_eq!(now, User { first_name, updated_at, version: ada.user.version + 1, ..ada.user.clone() });
    assert!(bench.identity.log_in(Some(&now.id), 0, &Password::new(PASSWORD)).await.unwrap().is_some());
}

#[tokio::test]
async fn what_has_another_way_cannot_be_changed_here() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;
    let body = json!({
        "first_name": "", "last_name": null, "email": "x@example.com", "role": "api_owner", "status": "active",
        "password": "green tractor 42!",
    });

    let reply = change(&bench, &ada, &body).await;

    let mut faults = reply.faults();
    faults.sort_unstable();
    let unknown = ["/email", "/password", "/role", "/status"].map(|pointer| (pointer, "unknown_field"));
    let mut expected = vec![("/first_name", "invalid_name"), ("/last_name", "required")];
    expected.extend(unknown);
    expected.sort_unstable();
    assert_eq!(faults, expected);
    assert_eq!(bench.read(&ada.user.id).await, ada.user);
}

#[tokio::test]
async fn nothing_new_writes_nothing() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;
    for body in [json!({}), json!({"first_name": "Grace", "last_name": "Hopper"})] {
        let (reply, calls) = bench.calls(change(&bench, &ada, &body)).await;

        assert_eq!((reply.status, write_units(&calls)), (200, 0));
    }
    assert_eq!(bench.read(&ada.user.id).await, ada.user);
}

#[tokio::test]
async fn a_change_takes_a_read_a_transaction_of_two_items_and_the_names_of_places() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;

    let (reply, calls) = bench.calls(change(&bench, &ada, &json!({"last_name": "Lovelace"}))).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", WRITE, "DynamoDB.BatchGetItem"]);
    assert_eq!(write_units(&calls), 4);
}

#[tokio::test]
async fn the_audit_tells_which_field_changed_and_no_name() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;

    change(&bench, &ada, &json!({"last_name": "Lovelace"})).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "user.changed");
    assert_eq!((events.len(), &events[0]["changed"]), (1, &json!(["last_name"])));
    let told = events[0].to_string();
    assert!(!told.contains("Lovelace") && !told.contains("Hopper"), "{told}");
}

#[tokio::test]
async fn a_named_version_is_held_to_against_changes_meanwhile_too() {
    for meanwhile in [false, true] {
        let bench = Bench::new().await;
        let ada = ada(&bench).await;
        let version = ada.user.version;
        if meanwhile {
            bench.services.calls().before_next(WRITE, bench.overwrite(&ada.user.id, "version", &json!(version + 1)));
        } else {
            bench.overwrite(&ada.user.id, "version", &json!(version + 1)).await;
        }
        let request = Sample::of("me-change").by(&ada).body(&json!({"last_name": "Lovelace"}));

        let reply = send(&bench, request.header("if-match", &format!("\"{version}\""))).await;

        assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"));
        assert_eq!(bench.read(&ada.user.id).await.last_name.as_str(), "Hopper");
    }
}

#[tokio::test]
async fn two_changes_at_once_are_both_made() {
    let bench = Arc::new(Bench::new().await);
    let ada = ada(&bench).await;
    let (then, who) = (bench.clone(), ada.clone());
    bench.services.calls().before_next(WRITE, async move {
        assert_eq!(change(&then, &who, &json!({"first_name": "Ada"})).await.status, 200);
    });

    let reply = change(&bench, &ada, &json!({"last_name": "Lovelace"})).await;

    assert_eq!((&reply.body["first_name"], &reply.body["last_name"]), (&json!("Ada"), &json!("Lovelace")));
}

#[tokio::test]
async fn who_is_changed_all_the_time_is_told_in_the_end() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;
    for version in 3..8 {
        bench.services.calls().before_next(WRITE, bench.overwrite(&ada.user.id, "version", &json!(version)));
    }

    assert_eq!(change(&bench, &ada, &json!({"last_name": "Lovelace"})).await.problem(), "try-again");
}

#[tokio::test]
async fn who_was_switched_off_or_deleted_meanwhile_changes_nothing() {
    for gone in [false, true] {
        let bench = Arc::new(Bench::new().await);
        let ada = ada(&bench).await;
        let (then, who) = (bench.clone(), ada.clone());
        bench.services.calls().before_next(WRITE, async move {
            if gone {
                then.store.delete_person(&who.user, None, &then.origin()).await.unwrap();
            } else {
                let off = then.store.transition(&who.user, Transition::Deactivate, None, &then.origin()).await.unwrap();
                assert!(matches!(off, Transitioned::Done(_)));
            }
        });

        let reply = change(&bench, &ada, &json!({"last_name": "Lovelace"})).await;

        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
        let now = bench.store.person(&ada.user.id).await.unwrap();
        assert_eq!(now.map(|now| now.last_name.as_str().to_owned()), (!gone).then(|| "Hopper".to_owned()));
    }
}

#[tokio::test]
async fn a_lost_answer_is_no_failure_and_without_a_session_nothing_changes() {
    let bench = Bench::new().await;
    let ada = ada(&bench).await;
    let body = json!({"last_name": "Lovelace"});
    let without = send(&bench, Sample::of("me-change").by(&ada).without_token().body(&body)).await;
    assert_eq!(without.status, 401);
    bench.services.calls().fail_next(WRITE, Fault::dropped().after());

    assert_eq!(change(&bench, &ada, &body).await.status, 200);

    assert_eq!(bench.read(&ada.user.id).await.version, ada.user.version + 1);
}
