//! Custom attributes at an acceptance: what the form asks for, of whom has not given it yet.

use std::sync::Arc;

use harness::{Bench, PASSWORD, Reply, Sample};
use serde_json::{Value, json};

use super::tests::{accept, person};
use crate::create::tests::{ada, invited, portal, send};

async fn accept_with(bench: &Bench, token: &str, password: &str, attributes: Value) -> Reply {
    let body = json!({"token": token, "password": password, "attributes": attributes});
    send(bench, Sample::of("invite-accept").body(&body)).await
}

#[tokio::test]
async fn what_is_required_is_asked_for_and_the_link_still_works_after_a_refusal() {
    let (bench, owner) = portal().await;
    bench.attribute("company", |company| company.required = true).await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;

    let refused = accept_with(&bench, &token, "green sky", json!({"colour": "red"})).await;

    let expected = [
        ("/password", "password_too_short"),
        ("/attributes/colour", "unknown_field"),
        ("/attributes/company", "required"),
    ];
    assert_eq!((refused.status, refused.faults()), (422, expected.to_vec()));
    assert_eq!(accept(&bench, &token, PASSWORD).await.faults(), [("/attributes/company", "required")]);
    assert_eq!(accept_with(&bench, &token, PASSWORD, json!({"company": "Acme"})).await.status, 200);
    let user = person(&bench, &invitation).await;
    assert_eq!(Value::Object(bench.values(&user).await), json!({"company": "Acme"}));
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "invitation.accepted");
    assert!(events[0]["changed"].as_array().unwrap().contains(&json!("attributes")));
    assert!(!events[0].to_string().contains("Acme"));
}

#[tokio::test]
async fn what_an_owner_gave_before_stands_and_is_not_asked_for_again() {
    let (bench, owner) = portal().await;
    bench.attribute("company", |company| (company.required, company.write_once) = (true, true)).await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    bench.give(&person(&bench, &invitation).await, &json!({"company": "Acme"})).await;

    let other = accept_with(&bench, &token, PASSWORD, json!({"company": "Other"})).await;
    assert_eq!(other.faults(), [("/attributes/company", "write_once")]);

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
    let user = person(&bench, &invitation).await;
    assert_eq!(Value::Object(bench.values(&user).await), json!({"company": "Acme"}));
}

#[tokio::test]
async fn a_value_of_an_attribute_that_is_defined_during_an_acceptance_stays() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let bench = Arc::new(bench);
    let (other, invited) = (bench.clone(), person(&bench, &invitation).await);
    bench.services.calls().before_next("DynamoDB.UpdateItem", async move {
        other.attribute("plan", |_| {}).await;
        other.give(&invited, &json!({"plan": "Gold"})).await;
    });

    let reply = accept(&bench, &token, PASSWORD).await;

    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let user = person(&bench, &invitation).await;
    assert_eq!(Value::Object(bench.values(&user).await), json!({"plan": "Gold"}));
}
