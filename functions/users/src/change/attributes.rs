//! Custom attributes of others: API Owners give and change them, Consumer Admins see those that are for admins.

use harness::{Bench, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::{
    attribute::Visibility,
    user::{Role, Status, User},
};

use crate::list::tests::{place, portal, send};

async fn change(bench: &Bench, caller: &SignedIn, person: &User, attributes: Value) -> Reply {
    let sample = Sample::of("users-change").by(caller).id(&person.id);
    send(bench, sample.body(&json!({"attributes": attributes}))).await
}

/// A portal with a write-once attribute for admins and a required, private one.
async fn with_attributes() -> (Bench, SignedIn) {
    let (bench, owner) = portal().await;
    bench.attribute("tax", |tax| (tax.write_once, tax.visibility) = (true, Visibility::Admins)).await;
    bench.attribute("company", |company| company.required = true).await;
    (bench, owner)
}

#[tokio::test]
async fn an_owner_changes_what_is_named_written_once_or_not_and_leaves_the_rest() {
    let (bench, owner) = with_attributes().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    bench.give(&ada, &json!({"tax": "1", "company": "Acme"})).await;

    let reply = change(&bench, &owner, &ada, json!({"tax": "2"})).await;

    assert_eq!((reply.status, &reply.body["attributes"]), (200, &json!({"tax": "2", "company": "Acme"})));
    assert_eq!(Value::Object(bench.values(&ada).await), json!({"tax": "2", "company": "Acme"}));
    let cleared = change(&bench, &owner, &ada, json!({"tax": null})).await;
    assert_eq!(cleared.body["attributes"], json!({"tax": null, "company": "Acme"}));
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "user.changed");
    assert!(events.iter().all(|event| event["changed"] == json!(["attributes"]) && event["after"] == json!({})));
}

#[tokio::test]
async fn faults_are_named_and_nothing_is_written() {
    let (bench, owner) = with_attributes().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    bench.give(&ada, &json!({"company": "Acme"})).await;
    let before = bench.read(&ada.id).await;

    let reply = change(&bench, &owner, &ada, json!({"company": null, "tax": 7, "colour": "red"})).await;

    let expected = [
        ("/attributes/colour", "unknown_field"),
        ("/attributes/company", "required"),
        ("/attributes/tax", "not_a_string"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
    assert_eq!(bench.read(&ada.id).await, before);
}

#[tokio::test]
async fn a_consumer_admin_sees_what_is_for_admins_and_changes_none() {
    let (bench, _) = with_attributes().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let there = || place(&acme, &[&teams[1]]);
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, there()).await;
    let admin = bench.sign_in(&admin).await;
    let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Active, there()).await;
    bench.give(&ada, &json!({"tax": "1", "company": "Acme"})).await;

    let reply = change(&bench, &admin, &ada, json!({"tax": "2"})).await;

    assert_eq!((reply.status, reply.faults()), (422, vec![("/attributes", "not_allowed")]));
    let seen = send(&bench, Sample::of("users-read").id(&ada.id).by(&admin)).await;
    assert_eq!(seen.body["attributes"], json!({"tax": "1"}));
    let listed = send(&bench, Sample::of("users-list").by(&admin).query("")).await;
    let mut items = listed.body["items"].as_array().unwrap().iter();
    let listed = items.find(|item| item["id"] == json!(ada.id)).unwrap();
    assert_eq!(listed["attributes"], json!({"tax": "1"}));
}

#[tokio::test]
async fn changes_of_two_attributes_at_once_both_land() {
    let (bench, owner) = with_attributes().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let sample = Sample::of("users-change").by(&owner).id(&ada.id).body(&json!({"attributes": {"company": "Acme"}}));
    let router = crate::router(crate::list::tests::app(&bench));
    let meanwhile = async move { assert_eq!(sample.send(router).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    assert_eq!(change(&bench, &owner, &ada, json!({"tax": "2"})).await.status, 200);

    assert_eq!(Value::Object(bench.values(&ada).await), json!({"tax": "2", "company": "Acme"}));
}

#[tokio::test]
async fn whoever_an_owner_creates_has_what_they_are_given_and_nothing_is_asked_for() {
    let (bench, owner) = with_attributes().await;
    let body = |attributes: Value| json!({"email": "ada@example.com", "first_name": "A", "last_name": "L", "attributes": attributes});
    let create = async |body: &Value| send(&bench, Sample::of("users-create").by(&owner).body(body)).await;

    let mut faulty = body(json!({"tax": 7}));
    faulty["email"] = json!("nobody");
    assert_eq!(create(&faulty).await.faults(), [("/email", "invalid_email"), ("/attributes/tax", "not_a_string")]);
    let reply = create(&body(json!({"tax": "1"}))).await;

    assert_eq!((reply.status, &reply.body["attributes"]), (201, &json!({"tax": "1", "company": null})));
}
