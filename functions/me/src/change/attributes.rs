//! One's own attributes: what one may set, what is for good, and at the same time as somebody else.

use std::sync::Arc;

use harness::{Bench, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::user::{Role, User};

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

/// An API Owner defines `plan` and gives the person a value of it.
async fn define_and_give(bench: &Bench, person: &User) {
    bench.attribute("plan", |_| {}).await;
    let person = bench.read(&person.id).await;
    bench.give(&person, &json!({"plan": "Gold"})).await;
    bench.overwrite(&person.id, "version", &json!(person.version + 1)).await;
}

#[tokio::test]
async fn a_value_of_an_attribute_that_was_defined_meanwhile_stays() {
    for body in [json!({"attributes": {"tier": "gold"}}), json!({"first_name": "Augusta"})] {
        let (bench, ada) = portal().await;
        let bench = Arc::new(bench);
        let (other, person) = (bench.clone(), ada.user.clone());
        let meanwhile = async move { define_and_give(&other, &person).await };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = send(&bench, Sample::of("me-change").by(&ada).body(&body)).await;

        assert_eq!((reply.status, &reply.body["attributes"]["plan"]), (200, &json!("Gold")));
        assert_eq!(bench.values(&ada.user).await["plan"], json!("Gold"));
    }
}

#[tokio::test]
async fn a_value_whose_attribute_is_gone_goes_with_a_change_that_names_attributes_and_with_no_other() {
    let (bench, ada) = portal().await;
    assert_eq!(change(&bench, &ada, json!({"tier": "gold"})).await.status, 200);
    let before = bench.store.attributes().await.unwrap();
    let tier = before.named("tier").unwrap().clone();
    bench.store.change_attributes(&before, &before.without(&tier.id), (&tier, None), &bench.origin()).await.unwrap();

    let (nothing, calls) = bench.calls(send(&bench, Sample::of("me-change").by(&ada).body(&json!({})))).await;
    let still_there = bench.read(&ada.user.id).await.attributes.len();
    let named = change(&bench, &ada, json!({})).await;

    assert_eq!((nothing.status, harness::write_units(&calls), still_there, named.status), (200, 0, 1, 200));
    assert!(bench.read(&ada.user.id).await.attributes.is_empty());
}
