//! What a change does beyond the settings themselves: to the next request, the next mail, the audit, and other changes.

use harness::{Fault, Sample, email};
use serde_json::json;
use shared::domain::user::{Role, Status};

use super::tests::{app, change, portal, send};
use crate::router;

#[tokio::test]
async fn a_change_takes_one_batch_and_one_transaction_and_counts_at_once() {
    let (bench, owner) = portal().await;
    let body = json!({"self_registration": false, "password_policy": {"min_length": 30}});

    let (reply, calls) = bench.calls(change(&bench, &owner, &body)).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    let seen = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().settings;
    assert_eq!((seen.self_registration, seen.password_policy.min_length), (false, 30));
    assert_eq!(bench.store.settings().await.unwrap(), seen);
}

#[tokio::test]
async fn the_next_mail_comes_from_the_new_sender_under_the_new_name() {
    let (bench, owner) = portal().await;

    change(&bench, &owner, &json!({"sender": "hello@example.org", "portal_name": "Example APIs"})).await;

    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let mail = bench.mails("ada@example.com").await.remove(0);
    assert!(mail.from.contains("hello@example.org"), "{}", mail.from);
    assert_eq!(mail.subject, "Welcome to Example APIs");
}

#[tokio::test]
async fn without_a_sender_mails_wait_until_there_is_one() {
    let (bench, owner) = portal().await;
    change(&bench, &owner, &json!({"sender": null})).await;
    bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    assert!(bench.mails("ada@example.com").await.is_empty());

    change(&bench, &owner, &json!({"sender": "portal@example.com"})).await;

    assert_eq!(bench.mail_events("ada@example.com").await, ["welcome"]);
}

#[tokio::test]
async fn the_audit_tells_what_changed_and_names_no_address() {
    let (bench, owner) = portal().await;
    let body = json!({
        "sign_in": false, "password_policy": {"min_length": 14}, "portal_name": "Example APIs",
        "sender": "canary@example.org", "owner_notification_addresses": ["canary@example.net"],
    });

    let reply = change(&bench, &owner, &body).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "settings.changed");
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["actor"], json!({"user": owner.user.id}));
    assert_eq!(event["request_id"], reply.headers["x-request-id"]);
    let mut changed: Vec<_> = event["changed"].as_array().unwrap().iter().filter_map(|field| field.as_str()).collect();
    changed.sort_unstable();
    assert_eq!(changed, ["owner_notification_addresses", "password_policy", "portal_name", "sender", "sign_in"]);
    let policy = |length: u32| json!({"min_length": length, "min_numerics": 0, "min_specials": 0, "mixed_case": false});
    let before = json!({"password_policy": policy(12), "portal_name": "Developer portal", "sign_in": true});
    let after = json!({"password_policy": policy(14), "portal_name": "Example APIs", "sign_in": false});
    assert_eq!((&event["before"], &event["after"]), (&before, &after));
    assert!(!event.to_string().contains("canary") && !event.to_string().contains('@'), "{event}");
}

#[tokio::test]
async fn two_changes_at_once_both_land() {
    let (bench, owner) = portal().await;
    let rival = Sample::of("settings-change").by(&owner).body(&json!({"invitation_days": 3, "sign_in": false}));
    let router = router(app(&bench));
    let meanwhile = async move { assert_eq!(rival.send(router).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = change(&bench, &owner, &json!({"portal_name": "Example APIs", "sign_in": false})).await;

    assert_eq!(reply.status, 200);
    assert_eq!((&reply.body["invitation_days"], &reply.body["portal_name"]), (&json!(3), &json!("Example APIs")));
    let after = bench.store.settings().await.unwrap();
    assert_eq!((after.invitation_days, after.portal_name.as_str(), after.sign_in), (3, "Example APIs", false));
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "settings.changed");
    let mut changed: Vec<_> = events.iter().map(|event| event["changed"].to_string()).collect();
    changed.sort_unstable();
    assert_eq!(changed, [r#"["invitation_days","sign_in"]"#, r#"["portal_name"]"#]);
}

#[tokio::test]
async fn however_many_change_at_once_each_change_that_was_accepted_stands() {
    let (bench, owner) = portal().await;
    let before = bench.store.settings().await.unwrap().version;
    let bodies = [
        json!({"self_registration": false}),
        json!({"email_confirmation": false}),
        json!({"sign_in": false}),
        json!({"invitation_days": 3}),
        json!({"password_policy": {"min_length": 20}}),
        json!({"password_policy": {"mixed_case": true}}),
    ];
    let at = |number: usize| change(&bench, &owner, &bodies[number]);

    let replies: [_; 6] = tokio::join!(at(0), at(1), at(2), at(3), at(4), at(5)).into();

    let after = send(&bench, Sample::of("settings-read").by(&owner)).await.body;
    let mut accepted = 0;
    for (reply, body) in replies.iter().zip(&bodies) {
        if reply.status != 200 {
            assert_eq!((reply.status, reply.problem()), (503, "try-again"));
            continue;
        }
        accepted += 1;
        for (name, value) in body.as_object().unwrap() {
            match value.as_object() {
                Some(policy) => assert!(policy.iter().all(|(name, value)| &after["password_policy"][name] == value)),
                None => assert_eq!(&after[name], value),
            }
        }
    }
    assert!(accepted > 0);
    assert_eq!(bench.store.settings().await.unwrap().version, before + accepted);
}

#[tokio::test]
async fn contention_is_waited_out_and_a_failure_changes_nothing() {
    let (bench, owner) = portal().await;
    let before = bench.store.settings().await.unwrap();
    let calls = bench.services.calls();
    calls.fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "arn:secret"));
    let failed = change(&bench, &owner, &json!({"sign_in": false})).await;
    assert_eq!((failed.status, failed.problem()), (500, "internal"));
    assert!(!failed.body.to_string().contains("arn:"));
    assert_eq!(bench.store.settings().await.unwrap(), before);

    calls.fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(2));
    assert_eq!(change(&bench, &owner, &json!({"sign_in": false})).await.status, 200);
    assert!(!bench.store.settings().await.unwrap().sign_in);
}

#[tokio::test]
async fn a_lost_answer_is_no_second_change() {
    let (bench, owner) = portal().await;
    let before = bench.store.settings().await.unwrap().version;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let reply = change(&bench, &owner, &json!({"sign_in": false})).await;

    assert_eq!(reply.status, 200);
    assert_eq!(bench.store.settings().await.unwrap().version, before + 1);
}

#[tokio::test]
async fn a_named_version_is_held_to_also_where_others_change_the_settings_meanwhile() {
    let (bench, owner) = portal().await;
    let read = send(&bench, Sample::of("settings-read").by(&owner)).await;
    let tag = read.headers["etag"].as_str().unwrap().to_owned();
    let with = |tag: &str, body| Sample::of("settings-change").by(&owner).header("if-match", tag).body(&body);

    let changed = send(&bench, with(&tag, json!({"invitation_days": 3}))).await;
    let stale = send(&bench, with(&tag, json!({"invitation_days": 4}))).await;
    let rival = Sample::of("settings-change").by(&owner).body(&json!({"invitation_days": 5}));
    let router = router(app(&bench));
    let meanwhile = async move { assert_eq!(rival.send(router).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
    let newest = changed.headers["etag"].as_str().unwrap();
    let overtaken = send(&bench, with(newest, json!({"invitation_days": 6}))).await;

    assert_eq!(changed.status, 200);
    for reply in [stale, overtaken] {
        assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"));
    }
    assert_eq!(bench.store.settings().await.unwrap().invitation_days, 5);
    let any = send(&bench, with("*", json!({"invitation_days": 7}))).await;
    let again = send(&bench, Sample::of("settings-read").by(&owner)).await;
    assert_eq!((any.status, &any.headers["etag"]), (200, &again.headers["etag"]));
}
