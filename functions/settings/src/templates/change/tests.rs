//! What a change of templates does: to the next mail, to the audit, and beside other changes.

use harness::{Bench, Fault, Reply, Sample, SignedIn, write_units};
use serde_json::{Value, json};
use shared::domain::user::{Role, Status};

use crate::{
    change::tests::{app, portal, send},
    router,
};

pub(crate) async fn read(bench: &Bench, owner: &SignedIn, event: &str) -> Reply {
    send(bench, Sample::of("settings-read-template").by(owner).parameter("event", event)).await
}

/// A change of the templates as they are read now, by the parts that `parts` names.
pub(crate) async fn changing(bench: &Bench, owner: &SignedIn, event: &str, parts: &Value) -> Sample {
    let mut body = read(bench, owner, event).await.body;
    body.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    Sample::of("settings-change-template").by(owner).parameter("event", event).body(&body)
}

pub(crate) async fn change(bench: &Bench, owner: &SignedIn, event: &str, parts: &Value) -> Reply {
    let sample = changing(bench, owner, event, parts).await;
    let reply = send(bench, sample).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

/// The audit events with an action.
pub(crate) async fn events(bench: &Bench, action: &str) -> Vec<Value> {
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == action);
    events
}

/// Holds a route to being the API Owners', whatever the body.
pub(crate) async fn only_owners(bench: &Bench, owner: &SignedIn, sample: &str) {
    let ask = |caller: &SignedIn| Sample::of(sample).by(caller).raw_body("{", "text/plain");
    for role in [Role::ConsumerAdmin, Role::TeamMember] {
        let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
        let reply = send(bench, ask(&caller)).await;
        assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    }
    for sample in [ask(owner).without_token(), ask(owner).claim("token_use", "id")] {
        let reply = send(bench, sample).await;
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
    }
}

#[tokio::test]
async fn the_next_mail_reads_as_it_was_changed() {
    let (bench, owner) = portal().await;
    let parts = json!({
        "subject": "Hello {{ first_name }}",
        "text": "You are in{% if not active %}, soon{% endif %}.",
        "html": "{% extends 'layout.html' %}{% block body %}<b>{{ first_name }}</b>{% endblock %}",
    });

    let reply = change(&bench, &owner, "welcome", &parts).await;

    assert_eq!((&reply.body["changed"], &reply.body["text"]), (&json!(true), &parts["text"]));
    assert_eq!(reply.body, read(&bench, &owner, "welcome").await.body);
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let mail = bench.mails("ada@example.com").await.remove(0);
    assert_eq!((mail.subject.as_str(), mail.text.as_deref()), ("Hello Grace", Some("You are in.")));
    let html = mail.html.unwrap();
    assert!(html.contains("<b>Grace</b>") && html.contains("<title>Developer portal</title>"), "{html}");
}

#[tokio::test]
async fn a_change_takes_one_batch_and_one_transaction_and_a_mail_no_call_more() {
    let (bench, owner) = portal().await;
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let (_, before) = Box::pin(bench.calls(bench.mails("ada@example.com"))).await;
    let sample = changing(&bench, &owner, "welcome", &json!({"subject": "Hello"})).await;

    let (reply, calls) = bench.calls(send(&bench, sample)).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(write_units(&calls), 4);
    bench.person("grace@example.com", Role::TeamMember, Status::Active).await;
    let (mails, after) = Box::pin(bench.calls(bench.mails("grace@example.com"))).await;
    assert_eq!(mails[0].subject, "Hello");
    let ours = |calls: &[harness::Call]| calls.iter().filter(|call| call.operation != "DynamoDB.Query").count();
    // The first run sent the owner's own mail too: as many calls for each.
    assert_eq!(ours(&before), 2 * ours(&after));
}

#[tokio::test]
async fn the_audit_names_what_changed_and_says_nothing_of_it() {
    let (bench, owner) = portal().await;

    change(&bench, &owner, "welcome", &json!({"subject": "Canary", "html": "<p>canary</p>"})).await;

    let event = events(&bench, "email_template.changed").await.remove(0);
    assert_eq!((&event["target"], &event["changed"]), (&json!("welcome"), &json!(["subject", "html"])));
    assert_eq!((&event["before"], &event["after"]), (&json!({}), &json!({})));
    assert!(!event.to_string().to_lowercase().contains("canary"));
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let (bench, owner) = portal().await;
    let built_in = change(&bench, &owner, "welcome", &json!({})).await;
    let changed = change(&bench, &owner, "welcome", &json!({"subject": "Hello"})).await;
    let again = change(&bench, &owner, "welcome", &json!({"subject": "Hello"})).await;

    assert_eq!((&built_in.body["changed"], &built_in.headers["etag"]), (&json!(false), &json!("\"0\"")));
    assert_eq!((again.body, &again.headers["etag"]), (changed.body, &changed.headers["etag"]));
    assert_eq!(events(&bench, "email_template.changed").await.len(), 1);
}

#[tokio::test]
async fn a_named_version_is_held_to_also_after_a_reset_and_where_others_change_it_meanwhile() {
    let (bench, owner) = portal().await;
    let first = change(&bench, &owner, "rejected", &json!({"subject": "One"})).await;
    let tag = first.headers["etag"].as_str().unwrap().to_owned();
    let two = changing(&bench, &owner, "rejected", &json!({"subject": "Two"})).await.header("if-match", &tag);
    let reset = Sample::of("settings-reset-template").by(&owner).parameter("event", "rejected");
    assert_eq!(send(&bench, reset).await.status, 204);
    change(&bench, &owner, "rejected", &json!({"subject": "Three"})).await;

    let stale = send(&bench, two).await;

    assert_eq!((stale.status, stale.problem()), (412, "version-mismatch"));
    let tag = read(&bench, &owner, "rejected").await.headers["etag"].as_str().unwrap().to_owned();
    let four = changing(&bench, &owner, "rejected", &json!({"subject": "Four"})).await.header("if-match", &tag);
    let rival = changing(&bench, &owner, "rejected", &json!({"subject": "Rival"})).await;
    let routes = router(app(&bench));
    let meanwhile = async move { assert_eq!(rival.send(routes).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
    assert_eq!(send(&bench, four).await.problem(), "version-mismatch");
    assert_eq!(read(&bench, &owner, "rejected").await.body["subject"], "Rival");
}

#[tokio::test]
async fn of_two_changes_at_once_the_later_stands_and_the_audit_tells_of_both() {
    for meanwhile in ["settings-change-template", "settings-reset-template"] {
        let (bench, owner) = portal().await;
        change(&bench, &owner, "rejected", &json!({"subject": "One"})).await;
        let two = changing(&bench, &owner, "rejected", &json!({"subject": "Two"})).await;
        let rival = match meanwhile {
            "settings-change-template" => changing(&bench, &owner, "rejected", &json!({"text": "Rival"})).await,
            reset => Sample::of(reset).by(&owner).parameter("event", "rejected"),
        };
        let routes = router(app(&bench));
        let before = async move { assert!(rival.send(routes).await.status < 300) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", before);

        let reply = send(&bench, two).await;

        assert_eq!((reply.status, &reply.body["subject"]), (200, &json!("Two")));
        assert_eq!(read(&bench, &owner, "rejected").await.body, reply.body);
        let changes = events(&bench, "email_template.changed").await.len();
        assert_eq!(changes + events(&bench, "email_template.reset").await.len(), 3);
    }
}

#[tokio::test]
async fn a_lost_answer_is_no_second_change_and_a_failure_changes_nothing() {
    let (bench, owner) = portal().await;
    let calls = bench.services.calls();
    calls.fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "arn:secret"));
    let failed = send(&bench, changing(&bench, &owner, "rejected", &json!({"subject": "One"})).await).await;
    assert_eq!((failed.status, failed.problem()), (500, "internal"));
    assert_eq!(read(&bench, &owner, "rejected").await.body["changed"], false);

    calls.fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
    change(&bench, &owner, "rejected", &json!({"subject": "One"})).await;

    assert_eq!(events(&bench, "email_template.changed").await.len(), 1);
}

#[tokio::test]
async fn a_template_that_cannot_be_read_keeps_no_mail_back() {
    let (bench, owner) = portal().await;
    change(&bench, &owner, "welcome", &json!({"subject": "Hello"})).await;
    let update = bench.services.dynamodb().update_item().table_name(bench.services.mail_table());
    let text = |text: &str| serde_dynamo::to_attribute_value(text).unwrap();
    let update =
        update.key("pk", text("TEMPLATE#welcome")).key("sk", text("TEMPLATE")).update_expression("REMOVE subject");
    update.send().await.unwrap();

    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;

    assert_eq!(bench.mails("ada@example.com").await[0].subject, "Welcome to Developer portal");
}

#[tokio::test]
async fn only_owners_change_templates() {
    let (bench, owner) = portal().await;

    only_owners(&bench, &owner, "settings-change-template").await;

    assert_eq!(bench.rows_in("TEMPLATE#").await.len(), 0);
}
