//! Changing attributes: what stays, what may not change, and what happens at the same time.

use harness::{Bench, Reply, Sample, SignedIn};
use serde_json::{Value, json};

use crate::{
    attributes::create::tests::{audited, company, define},
    change::tests::{app, portal, send},
    router,
};

pub(crate) async fn change(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
    send(bench, Sample::of("settings-attributes-change").by(owner).body(body)).await
}

#[tokio::test]
async fn what_is_named_changes_and_the_rest_stays() {
    let (bench, owner) = portal().await;
    let before = define(&bench, &owner, &company(&json!({"pattern": "[a-z]+", "order": 3}))).await.body;
    let body = json!({
        "label": "Firm", "pattern": "[A-Z]+", "required": true, "write_once": true, "visibility": "admins",
        "on_form": false,
    });

    let (reply, calls) = bench.calls(change(&bench, &owner, &body)).await;

    let mut expected = before.clone();
    expected.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    expected["updated_at"] = reply.body["updated_at"].clone();
    assert_eq!((reply.status, &reply.body), (200, &expected));
    assert_ne!(reply.body["updated_at"], before["updated_at"]);
    assert_eq!((reply.headers["etag"].as_str(), calls.len()), (Some("\"2\""), 2));
    assert_eq!(change(&bench, &owner, &json!({"pattern": null})).await.body["pattern"], json!(null));
}

#[tokio::test]
async fn choices_change_and_stay_at_least_one() {
    let (bench, owner) = portal().await;
    define(&bench, &owner, &company(&json!({"type": "choice", "choices": ["a"]}))).await;

    let changed = change(&bench, &owner, &json!({"choices": ["b", "a", "b"]})).await;

    assert_eq!(changed.body["choices"], json!(["b", "a"]));
    for nothing in [json!([]), json!(null)] {
        let reply = change(&bench, &owner, &json!({"choices": nothing})).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![("/choices", "required")]));
    }
}

#[tokio::test]
async fn type_and_name_are_for_good_and_may_be_sent_back() {
    let (bench, owner) = portal().await;
    let mut shown = define(&bench, &owner, &company(&json!({}))).await.body;

    for (name, value) in [("type", json!("number")), ("name", json!("firm")), ("choices", json!(["a"]))] {
        let reply = change(&bench, &owner, &json!({name: value, "required": true})).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![(format!("/{name}").as_str(), "not_changeable")]));
    }
    let same = change(&bench, &owner, &shown).await;
    assert_eq!((same.status, &same.body, audited(&bench).await.len()), (200, &shown, 1));

    shown["required"] = json!(true);
    assert_eq!(change(&bench, &owner, &shown).await.body["required"], json!(true));
}

#[tokio::test]
async fn every_fault_of_a_change_is_named() {
    let (bench, owner) = portal().await;
    define(&bench, &owner, &company(&json!({}))).await;
    let body = json!({"label": null, "required": null, "order": -1, "visibility": "all", "pattern": "(", "x": 1});

    let reply = change(&bench, &owner, &body).await;

    let expected = [
        ("/label", "required"),
        ("/required", "required"),
        ("/visibility", "unknown_choice"),
        ("/order", "out_of_range"),
        ("/pattern", "invalid_pattern"),
        ("/x", "unknown_field"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
}

#[tokio::test]
async fn only_the_version_that_was_seen_is_changed() {
    let (bench, owner) = portal().await;
    define(&bench, &owner, &company(&json!({}))).await;
    let sample = |tag: &str| Sample::of("settings-attributes-change").by(&owner).header("if-match", tag);

    assert_eq!(send(&bench, sample("\"2\"")).await.problem(), "version-mismatch");
    assert_eq!(send(&bench, sample("\"1\"")).await.status, 200);
    assert_eq!(send(&bench, sample("\"1\"")).await.problem(), "version-mismatch");
}

#[tokio::test]
async fn what_is_not_defined_is_not_found() {
    let (bench, owner) = portal().await;

    assert_eq!(change(&bench, &owner, &json!({"required": true})).await.problem(), "not-found");
}

#[tokio::test]
async fn two_changes_at_once_both_land_unless_a_version_is_named() {
    for (if_match, expected) in [("*", 200), ("\"1\"", 412)] {
        let (bench, owner) = portal().await;
        define(&bench, &owner, &company(&json!({}))).await;
        let rival = Sample::of("settings-attributes-change").by(&owner).body(&json!({"write_once": true}));
        let router = router(app(&bench));
        let meanwhile = async move { assert_eq!(rival.send(router).await.status, 200) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
        let sample = Sample::of("settings-attributes-change").by(&owner).header("if-match", if_match);

        let reply = send(&bench, sample.body(&json!({"required": true}))).await;

        assert_eq!(reply.status, expected);
        let shown = send(&bench, Sample::of("settings-attributes-read").by(&owner)).await.body;
        assert_eq!((&shown["write_once"], &shown["required"]), (&json!(true), &json!(expected == 200)));
    }
}

#[tokio::test]
async fn the_audit_tells_what_changed() {
    let (bench, owner) = portal().await;
    define(&bench, &owner, &company(&json!({}))).await;

    change(&bench, &owner, &json!({"required": true, "label": "Company"})).await;

    let event = audited(&bench).await.pop().unwrap();
    assert_eq!((&event["action"], &event["changed"]), (&json!("user_attribute.changed"), &json!(["required"])));
    assert_eq!((&event["before"], &event["after"]), (&json!({"required": false}), &json!({"required": true})));
}
