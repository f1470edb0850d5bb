//! One's own attributes: what one may set, what is for good, and at the same time as somebody else.

use harness::{Bench, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::user::Role;

use crate::delete::tests::send;

async fn portal() -> (Bench, SignedIn) {
    let bench = Bench::new().await;
    bench.attribute("company", |company| company.required = true).await;
    bench.attribute("tax", |tax| tax.write_once = true).await;
    bench.attribute("tier", |tier| tier.on_form = false).await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    (bench, ada)
}

async fn change(bench: &Bench, ada: &SignedIn, attributes: Value) -> Reply {
    send(bench, Sample::of("me-change").by(ada).body(&json!({"attributes": attributes}))).await
}

#[tokio::test]
async fn one_sets_changes_and_clears_ones_own() {
    let (bench, ada) = portal().await;

    let (reply, calls) = bench.calls(change(&bench, &ada, json!({"tier": "gold", "company": null}))).await;

    let shown = json!({"company": null, "tax": null, "tier": "gold"});
    assert_eq!((reply.status, &reply.body["attributes"]), (200, &shown));
    assert_eq!(harness::write_units(&calls), 4);
    assert_eq!(change(&bench, &ada, reply.body["attributes"].clone()).await.body, reply.body);
    let cleared = change(&bench, &ada, json!({"tier": " ", "company": "Acme"})).await;
    assert_eq!(cleared.body["attributes"], json!({"company": "Acme", "tax": null, "tier": null}));
}

#[tokio::test]
async fn every_fault_is_named_and_what_is_written_once_stays() {
    let (bench, ada) = portal().await;
    assert_eq!(change(&bench, &ada, json!({"tax": "1", "company": "Acme"})).await.status, 200);
    let body = json!({"first_name": "", "attributes": {"tax": "2", "company": null, "tier": 7, "colour": "red"}});

    let reply = send(&bench, Sample::of("me-change").by(&ada).body(&body)).await;

    let expected = [
        ("/first_name", "invalid_name"),
        ("/attributes/colour", "unknown_field"),
        ("/attributes/company", "required"),
        ("/attributes/tax", "write_once"),
        ("/attributes/tier", "not_a_string"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
    assert_eq!(Value::Object(bench.values(&ada.user).await), json!({"tax": "1", "company": "Acme"}));
}

#[tokio::test]
async fn of_two_who_write_once_at_once_one_wins() {
    let (bench, ada) = portal().await;
    let rival = Sample::of("me-change").by(&ada).body(&json!({"attributes": {"tax": "1"}}));
    let (store, identity, clock) = (bench.store.clone(), bench.identity.clone(), bench.clock.clone());
    let router = crate::router(crate::App { store, identity, clock });
    let meanwhile = async move { assert_eq!(rival.send(router).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = change(&bench, &ada, json!({"tax": "2"})).await;

    assert_eq!((reply.status, reply.faults()), (422, vec![("/attributes/tax", "write_once")]));
    assert_eq!(Value::Object(bench.values(&ada.user).await), json!({"tax": "1"}));
}
