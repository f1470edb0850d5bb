//! What is said of templates that are not kept.

use harness::Sample;
use serde_json::{Value, json};

use super::tests::{changing, read};
use crate::change::tests::{portal, send};

#[tokio::test]
async fn every_fault_of_every_part_is_named_at_once_with_line_and_column() {
    let (bench, owner) = portal().await;
    let body = json!({
        "subject": "{{ nothing }}", "text": "Hello\n{{ other }} {{ link }}\n{% set x = 1 %}",
        "html": "<p>{{ </p>", "locale": "en",
    });

    let reply = send(&bench, Sample::of("settings-change-template").by(&owner).body(&body)).await;

    let expected = [
        ("/subject", "unknown_variable"),
        ("/text", "unknown_variable"),
        ("/text", "invalid_template"),
        ("/html", "invalid_template"),
        ("/locale", "unknown_field"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
    let place = |number: usize| {
        let fault = &reply.body["errors"][number];
        (fault["line"].as_u64(), fault["column"].as_u64())
    };
    assert_eq!([place(0), place(1), place(2)], [(Some(1), Some(4)), (Some(2), Some(4)), (Some(3), Some(4))]);
    assert_eq!((place(3).0, place(4)), (Some(1), (None, None)));
    assert_eq!(bench.rows_in("TEMPLATE#").await.len(), 0);
}

#[tokio::test]
async fn a_mail_that_is_for_a_link_is_not_kept_without_it() {
    let (bench, owner) = portal().await;

    let sample = changing(&bench, &owner, "invitation", &json!({"text": "Welcome!", "html": "<p>Welcome!</p>"})).await;
    let reply = send(&bench, sample).await;

    assert_eq!(reply.faults(), [("/text", "missing_variable"), ("/html", "missing_variable")]);
}

#[tokio::test]
async fn all_three_parts_are_given_and_what_is_shown_beside_them_may_be_sent_back() {
    let (bench, owner) = portal().await;
    let put = |body: &Value| send(&bench, Sample::of("settings-change-template").by(&owner).body(body));

    let none = put(&json!({"text": null, "html": 7})).await;
    assert_eq!(none.faults(), [("/subject", "required"), ("/text", "required"), ("/html", "not_a_string")]);
    let mut shown = read(&bench, &owner, "invitation").await.body;
    assert_eq!(put(&shown).await.status, 200);
    shown["event"] = json!("welcome");
    assert_eq!(put(&shown).await.faults(), [("/event", "not_changeable")]);
}

#[tokio::test]
async fn a_body_may_be_large_but_not_beyond_every_measure() {
    let (bench, owner) = portal().await;
    let put = |text: usize, html: usize| {
        let body = json!({"subject": "x", "text": "x".repeat(text), "html": "x".repeat(html)});
        send(&bench, Sample::of("settings-change-template").by(&owner).parameter("event", "welcome").body(&body))
    };

    assert_eq!(put(90 * 1024, 90 * 1024).await.status, 200);
    assert_eq!(put(97 * 1024, 90 * 1024).await.faults(), [("/text", "too_large")]);
    assert_eq!(put(90 * 1024, 180 * 1024).await.problem(), "body-too-large");
}
