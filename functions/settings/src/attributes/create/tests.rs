//! Defining attributes: what a definition may say, who may define, and what happens at the same time.

use harness::{Bench, Creating, Fault as Failure, Reply, Sample, SignedIn, assert_replays};
use serde_json::{Value, json};
use shared::domain::{attribute::MAX_DEFINITIONS, user::Role};

use crate::{
    change::tests::{app, portal, send},
    router,
};

pub(crate) async fn define(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
    send(bench, Sample::of("settings-attributes-create").by(owner).body(body)).await
}

/// The attribute of the samples, but for what `change` says.
pub(crate) fn company(change: &Value) -> Value {
    let mut company = json!({"name": "company", "label": "Company", "type": "string"});
    company.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    company
}

/// The audit of the attributes, the oldest event first.
pub(crate) async fn audited(bench: &Bench) -> Vec<Value> {
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"].as_str().unwrap().starts_with("user_attribute."));
    events.sort_by_key(|event| event["at"].as_i64());
    events
}

#[tokio::test]
async fn an_attribute_is_defined_and_shown_as_it_is() {
    let (bench, owner) = portal().await;
    let body = json!({
        "name": "vat_id", "label": " VAT id ", "type": "string", "pattern": "[A-Z]{2}[0-9]+", "required": true,
        "write_once": true, "visibility": "admins", "on_form": false, "order": 7,
    });

    let (reply, calls) = bench.calls(define(&bench, &owner, &body)).await;

    let now = reply.body["created_at"].clone();
    let shown = json!({
        "name": "vat_id", "label": "VAT id", "type": "string", "choices": null, "pattern": "[A-Z]{2}[0-9]+",
        "required": true, "write_once": true, "visibility": "admins", "on_form": false, "order": 7,
        "created_at": now, "updated_at": now,
    });
    assert_eq!((reply.status, &reply.body), (201, &shown));
    assert_eq!(reply.headers["location"], "/v1/user-attributes/vat_id");
    assert_eq!(reply.headers["etag"], "\"1\"");
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(harness::write_units(&calls), 4);
}

#[tokio::test]
async fn what_is_not_said_is_optional_private_and_on_the_form() {
    let (bench, owner) = portal().await;

    let reply = define(&bench, &owner, &company(&json!({"pattern": null, "choices": null}))).await;

    let shown = ["required", "write_once", "visibility", "on_form", "order"].map(|name| reply.body[name].clone());
    assert_eq!(shown, [json!(false), json!(false), json!("private"), json!(true), json!(0)]);
    assert_eq!((&reply.body["choices"], &reply.body["pattern"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn choices_are_kept_each_once_as_they_are_offered() {
    let (bench, owner) = portal().await;
    let body = company(&json!({"type": "choice", "choices": ["Paid", " Free ", "Paid"]}));

    assert_eq!(define(&bench, &owner, &body).await.body["choices"], json!(["Paid", "Free"]));
}

#[tokio::test]
async fn every_fault_of_a_definition_is_named() {
    let (bench, owner) = portal().await;
    for (change, faults) in [
        (json!({"name": "Company"}), vec![("/name", "invalid_attribute_name")]),
        (json!({"type": "text"}), vec![("/type", "unknown_choice")]),
        (json!({"type": "choice"}), vec![("/choices", "required")]),
        (json!({"type": "choice", "choices": []}), vec![("/choices", "required")]),
        (
            json!({"type": "choice", "choices": ["a", "", 7]}),
            vec![("/choices/1", "invalid_choice"), ("/choices/2", "not_a_string")],
        ),
        (json!({"type": "choice", "choices": vec!["a"; 51]}), vec![("/choices", "too_many")]),
        (
            json!({"type": "number", "choices": ["a"], "pattern": "a"}),
            vec![("/choices", "not_allowed"), ("/pattern", "not_allowed")],
        ),
        (json!({"pattern": "("}), vec![("/pattern", "invalid_pattern")]),
        (
            json!({"label": "", "required": 1, "write_once": "no", "on_form": 0, "visibility": "all", "order": 1001}),
            vec![
                ("/label", "invalid_name"),
                ("/required", "not_a_boolean"),
                ("/write_once", "not_a_boolean"),
                ("/visibility", "unknown_choice"),
                ("/on_form", "not_a_boolean"),
                ("/order", "out_of_range"),
            ],
        ),
        (json!({"id": "atr_1"}), vec![("/id", "unknown_field")]),
    ] {
        let reply = define(&bench, &owner, &company(&change)).await;
        assert_eq!((reply.status, reply.faults()), (422, faults), "{change}");
    }
    let nothing = define(&bench, &owner, &json!({})).await;
    assert_eq!(nothing.faults(), [("/name", "required"), ("/label", "required"), ("/type", "required")]);
    assert_eq!(bench.store.attributes().await.unwrap().version, 0);
}

#[tokio::test]
async fn a_bad_pattern_is_told_in_words() {
    let (bench, owner) = portal().await;

    let reply = define(&bench, &owner, &company(&json!({"pattern": "[a-"}))).await;

    let said = reply.body["errors"][0]["detail"].as_str().unwrap();
    assert_eq!(said, "This is no regular expression: unclosed character class.");
}

#[tokio::test]
async fn a_name_is_given_once() {
    let (bench, owner) = portal().await;
    define(&bench, &owner, &company(&json!({}))).await;

    let reply = define(&bench, &owner, &company(&json!({"type": "number"}))).await;

    assert_eq!((reply.status, reply.problem()), (409, "attribute-name-taken"));
    assert_eq!(audited(&bench).await.len(), 1);
}

#[tokio::test]
async fn a_repeat_with_an_idempotency_key_defines_no_second_one() {
    let (bench, owner) = portal().await;
    let ask = |number| {
        let body = company(&json!({"name": format!("company_{number}"), "pattern": "[A-Z]+"}));
        Sample::of("settings-attributes-create").by(&owner).body(&body)
    };

    // A name stands for good: once its key is forgotten, the same request is another's.
    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 409 }.is_repeatable().await;
}

#[tokio::test]
async fn a_repeat_is_answered_with_what_was_defined_whatever_became_of_it() {
    let (bench, owner) = portal().await;
    let ask = || {
        Sample::of("settings-attributes-create").by(&owner).body(&company(&json!({}))).header("idempotency-key", "k")
    };
    let first = send(&bench, ask()).await;
    let deletion = Sample::of("settings-attributes-delete").by(&owner);
    assert_eq!(send(&bench, deletion).await.status, 204);

    assert_replays(&send(&bench, ask()).await, &first);

    assert_eq!(bench.store.attributes().await.unwrap().iter().count(), 0);
}

#[tokio::test]
async fn there_is_an_end_to_attributes() {
    let (bench, owner) = portal().await;
    for number in 0..MAX_DEFINITIONS {
        assert_eq!(define(&bench, &owner, &company(&json!({"name": format!("a{number}")}))).await.status, 201);
    }

    let reply = define(&bench, &owner, &company(&json!({}))).await;

    assert_eq!((reply.status, reply.problem()), (409, "too-many-attributes"));
}

#[tokio::test]
async fn two_of_one_name_at_once_have_one_winner_and_of_two_names_both_land() {
    for (name, expected, defined) in [("company", 409, 1), ("other", 201, 2)] {
        let (bench, owner) = portal().await;
        let rival = Sample::of("settings-attributes-create").by(&owner).body(&company(&json!({})));
        let router = router(app(&bench));
        let meanwhile = async move { assert_eq!(rival.send(router).await.status, 201) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = define(&bench, &owner, &company(&json!({"name": name}))).await;

        assert_eq!(reply.status, expected);
        assert_eq!(bench.store.attributes().await.unwrap().iter().count(), defined);
    }
}

#[tokio::test]
async fn a_lost_answer_defines_nothing_twice_and_a_failure_nothing() {
    let (bench, owner) = portal().await;
    let calls = bench.services.calls();
    calls.fail_next("DynamoDB.TransactWriteItems", Failure::refused("AccessDeniedException", "arn:secret"));
    let failed = define(&bench, &owner, &company(&json!({}))).await;
    assert_eq!((failed.status, failed.problem()), (500, "internal"));
    assert!(!failed.body.to_string().contains("arn:"));

    calls.fail_next("DynamoDB.TransactWriteItems", Failure::dropped().after());
    assert_eq!(define(&bench, &owner, &company(&json!({}))).await.status, 201);

    assert_eq!((bench.store.attributes().await.unwrap().version, audited(&bench).await.len()), (1, 1));
}

#[tokio::test]
async fn the_audit_tells_what_was_defined() {
    let (bench, owner) = portal().await;

    let reply = define(&bench, &owner, &company(&json!({"required": true}))).await;

    let event = audited(&bench).await.remove(0);
    assert_eq!(
        (&event["action"], &event["actor"]),
        (&json!("user_attribute.created"), &json!({"user": owner.user.id}))
    );
    assert_eq!(event["request_id"], reply.headers["x-request-id"]);
    assert!(event["target"].as_str().unwrap().starts_with("atr_"));
    assert_eq!((&event["after"]["name"], &event["after"]["required"]), (&json!("company"), &json!(true)));
    assert_eq!(event["before"]["name"], json!(null));
}

#[tokio::test]
async fn only_api_owners_manage_attributes_and_rights_come_before_everything() {
    let (bench, owner) = portal().await;
    let names = ["create", "list", "read", "change", "delete"].map(|name| format!("settings-attributes-{name}"));
    for role in [Role::ConsumerAdmin, Role::TeamMember] {
        let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
        for name in &names {
            let reply = send(&bench, Sample::of(name).by(&caller).raw_body("{", "text/plain")).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"), "{name}");
        }
    }
    for name in &names {
        let reply = send(&bench, Sample::of(name).by(&owner).claim("token_use", "id")).await;
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"), "{name}");
    }
}
