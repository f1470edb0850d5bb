//! Custom attributes on the form: what is asked for, what is kept, and that nobody learns by them who is known.

use harness::{Bench, PASSWORD, email};
use serde_json::{Value, json};
use shared::domain::user::{Role, Status};

use super::tests::{ada, register};

fn with(attributes: Value) -> Value {
    let mut body = ada();
    body["attributes"] = attributes;
    body
}

async fn form() -> Bench {
    let bench = Bench::new().await;
    bench.attribute("company", |company| company.required = true).await;
    bench.attribute("team_size", |_| {}).await;
    bench.attribute("tier", |tier| tier.on_form = false).await;
    bench
}

#[tokio::test]
async fn what_the_form_asks_for_is_kept_in_the_same_two_calls() {
    let bench = form().await;

    let (reply, calls) = bench.calls(register(&bench, &with(json!({"company": " Acme ", "team_size": null})))).await;

    assert_eq!(reply.status, 202);
    let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
    let user = bench.read(&known.user_id).await;
    assert_eq!(Value::Object(bench.values(&user).await), json!({"company": "Acme"}));
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(harness::write_units(&calls), 10);
}

#[tokio::test]
async fn what_is_missing_or_unknown_is_named_with_every_other_fault() {
    let bench = form().await;

    assert_eq!(register(&bench, &ada()).await.faults(), [("/attributes/company", "required")]);
    let mut body = with(json!({"team_size": 7, "tier": "gold", "a/b": 1}));
    body["email"] = json!("nobody");
    let reply = register(&bench, &body).await;
    let expected = [
        ("/email", "invalid_email"),
        ("/attributes/a~1b", "unknown_field"),
        ("/attributes/team_size", "not_a_string"),
        ("/attributes/tier", "unknown_field"),
        ("/attributes/company", "required"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
    assert_eq!(register(&bench, &with(json!("x"))).await.faults(), [("/attributes", "not_an_object")]);
}

#[tokio::test]
async fn known_and_unknown_addresses_are_refused_alike_and_nothing_of_a_known_one_changes() {
    let bench = form().await;
    let person = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let ask = async |address: &str, attributes: Value| {
        let mut body = with(attributes);
        body["email"] = json!(address);
        let (mut reply, calls) = bench.calls(register(&bench, &body)).await;
        if reply.status != 202 {
            reply.body["request_id"] = json!(null);
        }
        (reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
    };

    assert_eq!(ask("ada@example.com", json!({})).await, ask("new@example.com", json!({})).await);
    let good = json!({"company": "Acme"});
    assert_eq!(ask("ada@example.com", good.clone()).await, ask("new@example.com", good).await);
    assert_eq!(bench.read(&person.id).await, person);
}

#[tokio::test]
async fn with_a_password_at_once_they_are_kept_too() {
    let bench = form().await;
    bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
    bench.set(|settings| settings.email_confirmation = false).await;
    let mut body = with(json!({"company": "Acme"}));
    body["password"] = json!(PASSWORD);

    assert_eq!(register(&bench, &body).await.status, 202);

    let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
    let user = bench.read(&known.user_id).await;
    assert_eq!(Value::Object(bench.values(&user).await), json!({"company": "Acme"}));
}

#[tokio::test]
async fn no_value_stands_anywhere_but_in_the_persons_row() {
    let bench = form().await;

    register(&bench, &with(json!({"company": "canary"}))).await;

    let holding: Vec<_> = bench.rows().await.into_iter().filter(|row| row.to_string().contains("canary")).collect();
    assert_eq!(holding.len(), 1);
    assert!(holding[0]["pk"].as_str().unwrap().starts_with("USER#"));
}
