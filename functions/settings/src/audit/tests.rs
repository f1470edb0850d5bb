//! What the audit trail shows, to whom, and what may be asked of it.

use std::collections::BTreeSet;

use harness::{Bench, Fault, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::{
    domain::{audit::AuditEvent, user::Role},
    store::keys::{self, Key},
};

use crate::change::tests::{change, portal, send};

/// Writes events past every workflow, as a transaction would have.
pub(super) async fn record(bench: &Bench, events: &[AuditEvent]) {
    let rows = events.iter().map(|event| {
        let key = Key::audit_event(&event.id);
        let mut row = serde_json::to_value(event).unwrap();
        row["pk"] = json!(key.pk);
        row["sk"] = json!(key.sk);
        row["list_pk"] = json!(keys::events_by(&event.actor));
        row["queue_pk"] = json!(keys::events_named(&event.action));
        (row["list_sk"], row["queue_sk"]) = (json!(event.id), json!(event.id));
        if let Some(target) = &event.target {
            (row["group_pk"], row["group_sk"]) = (json!(keys::events_of(target)), json!(event.id));
        }
        row
    });
    bench.put_rows(&rows.collect::<Vec<_>>()).await;
}

pub(super) async fn ask(bench: &Bench, owner: &SignedIn, query: &str) -> Reply {
    send(bench, Sample::of("settings-audit").by(owner).query(query)).await
}

pub(super) fn column<'r>(reply: &'r Reply, name: &str) -> Vec<&'r str> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["items"].as_array().unwrap().iter().filter_map(|event| event[name].as_str()).collect()
}

#[tokio::test]
async fn a_change_is_found_by_whoever_made_it_by_its_action_and_by_its_time() {
    let (bench, owner) = portal().await;
    bench.advance(jiff::SignedDuration::from_secs(1));
    let began = bench.now();
    let changed = change(&bench, &owner, &json!({"sign_in": false})).await;

    let event = json!({
        "id": null, "at": "2026-01-15T09:30:01.002Z", "actor": {"kind": "user", "id": owner.user.id},
        "action": "settings.changed", "target": null, "changed": ["sign_in"],
        "before": {"sign_in": true}, "after": {"sign_in": false},
        "request_id": changed.headers["x-request-id"],
    });
    let from = format!("from={began}");
    for query in [&from, "action=settings.changed", &format!("actor={}&action=settings.changed", owner.user.id)] {
        let mut reply = ask(&bench, &owner, query).await;
        assert!(column(&reply, "id")[0].starts_with("evt_"));
        reply.body["items"][0]["id"] = Value::Null;
        assert_eq!(reply.body, json!({"items": [event], "next_cursor": null}), "{query}");
    }
}

#[tokio::test]
async fn everything_that_was_done_to_somebody_is_found_by_their_id_the_newest_first() {
    let (bench, owner) = portal().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, shared::domain::user::Status::Active).await;

    let reply = ask(&bench, &owner, &format!("target={}", ada.id)).await;

    let actions: BTreeSet<_> = column(&reply, "action").into_iter().collect();
    assert_eq!(actions, ["user.created", "user.password_set"].into());
    let whole = ask(&bench, &owner, "").await;
    let times = column(&whole, "at");
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    assert_eq!(column(&whole, "id")[..2], column(&reply, "id"));
    assert_eq!(whole.body["items"][0]["actor"], json!({"kind": "system", "id": null}));
    assert_eq!(column(&ask(&bench, &owner, "target=usr_nobody").await, "id"), [""; 0]);
}

#[tokio::test]
async fn only_api_owners_read_it_and_rights_come_before_what_is_asked() {
    let (bench, owner) = portal().await;
    for role in [Role::ConsumerAdmin, Role::TeamMember] {
        let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
        let reply = ask(&bench, &caller, "limit=0").await;
        assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    }
    for sample in [Sample::of("settings-audit").by(&owner).without_token(), Sample::of("settings-audit")] {
        let reply = send(&bench, sample.query("limit=0")).await;
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
    }
}

#[tokio::test]
async fn every_fault_of_what_is_asked_is_named_at_once() {
    let (bench, owner) = portal().await;

    let all =
        ask(&bench, &owner, "actor=usr_1&target=a%20b&action=approved&from=today&to=7&limit=101&cursor=x&q=1").await;
    let expected = [
        ("/actor", "invalid_actor"),
        ("/target", "invalid_id"),
        ("/action", "invalid_action"),
        ("/from", "invalid_instant"),
        ("/to", "invalid_instant"),
        ("/limit", "out_of_range"),
        ("/cursor", "invalid_cursor"),
        ("/q", "unknown_parameter"),
    ];
    assert_eq!(all.faults(), expected);
    for (query, fault) in [
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ("/from", "out_of_range")),
        ("target=", ("/target", "invalid_id")),
        (&format!("target={}", "a".repeat(101)), ("/target", "invalid_id")),
        ("action=user.", ("/action", "invalid_action")),
        ("action=User.approved", ("/action", "invalid_action")),
        ("actor=", ("/actor", "invalid_actor")),
        ("action=a.b&action=c.d", ("/action", "unknown_parameter")),
    ] {
        assert_eq!(ask(&bench, &owner, query).await.faults(), [fault], "{query}");
    }
    for query in ["actor=visitor", "actor=system", "from=2026-01-01T01:00:00%2B01:00&to=2026-01-01T00:00:00Z"] {
        assert_eq!(ask(&bench, &owner, query).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn a_failing_table_is_told_without_its_inside_and_throttling_is_waited_out() {
    let (bench, owner) = portal().await;
    let calls = bench.services.calls();
    calls.fail_next("DynamoDB.Query", Fault::refused("AccessDeniedException", "arn:secret"));
    let failed = ask(&bench, &owner, "").await;
    assert_eq!((failed.status, failed.problem()), (500, "internal"));
    assert!(!failed.body.to_string().contains("arn:"));

    calls.fail_next("DynamoDB.Query", Fault::refused("ThrottlingException", "slow"));
    assert_eq!(ask(&bench, &owner, "action=user.created").await.status, 200);
}

#[tokio::test]
async fn a_portal_without_its_foundation_has_no_trail_to_walk() {
    let (bench, owner) = portal().await;
    let default = shared::domain::ids::OrganisationId::default_organisation();
    bench.discard(&format!("ORG#{default}"), "ORG").await;

    let reply = ask(&bench, &owner, "").await;

    assert_eq!((reply.status, reply.problem()), (500, "internal"));
}
