use harness::{Bench, Fault, Reply, Sample, SignedIn, write_units};
use serde_json::{Value, json};
use shared::domain::{
    organisation::Placement,
    user::{Role, Status},
};

use crate::{
    body::tests::{app, names, portal, send},
    router,
};

/// A portal in which organisations can be asked for, an API Owner, and somebody who may ask.
pub(crate) async fn open_portal() -> (Bench, SignedIn, SignedIn) {
    let (bench, owner) = portal().await;
    bench.set(|settings| settings.organisation_requests = true).await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    (bench, owner, ada)
}

pub(crate) async fn ask(bench: &Bench, caller: &SignedIn, name: &str) -> Reply {
    send(bench, Sample::of("organisations-request").by(caller).body(&json!({"name": name}))).await
}

/// A decision without a body.
pub(crate) fn decision(action: &str, id: &str, owner: &SignedIn) -> Sample {
    Sample::of(&format!("organisations-{action}-request")).by(owner).id(id).body(&json!({}))
}

pub(crate) async fn decide(bench: &Bench, owner: &SignedIn, action: &str, id: &str, body: &Value) -> Reply {
    send(bench, decision(action, id, owner).body(body)).await
}

/// Every request in the table.
pub(crate) async fn requests(bench: &Bench) -> Vec<Value> {
    bench.rows_in("ORGREQUEST#").await
}

#[tokio::test]
async fn a_request_waits_and_the_owners_hear_of_it() {
    let (bench, owner, ada) = open_portal().await;

    let reply = ask(&bench, &ada, " Analytical Engines ").await;

    let id = reply.body["id"].as_str().unwrap();
    let requester =
        json!({"id": ada.user.id, "first_name": "Grace", "last_name": "Hopper", "email": "ada@example.com"});
    let shown = json!({
        "id": id, "name": "Analytical Engines", "status": "pending", "requester": requester,
        "created_at": format!("{:.3}", bench.now()),
    });
    assert_eq!((reply.status, &reply.body), (201, &shown));
    assert!(id.starts_with("orq_"));
    assert_eq!(reply.headers["location"], format!("/v1/organisation-requests/{id}"));
    let mail = bench.mails("owner@example.com").await.remove(0);
    assert_eq!(mail.event.as_deref(), Some("organisation_requested"));
    assert!(mail.text.unwrap().contains("Analytical Engines"));
    assert_eq!(bench.read(&ada.user.id).await, ada.user);
    let list = send(&bench, Sample::of("organisations-list-requests").by(&owner).query("")).await;
    assert_eq!(list.body["items"], json!([shown]));
}

#[tokio::test]
async fn where_requests_are_approved_at_once_the_requester_runs_an_organisation_with_the_answer() {
    let (bench, owner, ada) = open_portal().await;
    bench.set(|settings| settings.organisation_requests_auto_approve = true).await;

    let reply = ask(&bench, &ada, "Engines").await;

    assert_eq!((reply.status, &reply.body["status"]), (201, &json!("approved")));
    let after = bench.read(&ada.user.id).await;
    assert_eq!((after.role, after.team_ids.len()), (Role::ConsumerAdmin, 1));
    let list = send(&bench, Sample::of("organisations-list").by(&owner).query("")).await;
    assert_eq!(names(&list), ["Default Organisation", "Engines"]);
    assert_eq!(list.body["items"][1]["id"], json!(after.organisation_id));
    bench.everybody_placed().await;
    assert_eq!(bench.mail_events("ada@example.com").await.last().unwrap(), "organisation_approved");
    assert!(!bench.mail_events("owner@example.com").await.contains(&"organisation_requested".to_owned()));
    let again = ask(&bench, &ada, "Another").await;
    assert_eq!((again.status, again.problem()), (403, "forbidden"));
}

#[tokio::test]
async fn only_active_consumers_of_the_default_organisation_may_ask_whatever_the_body_holds() {
    let (bench, owner, _) = open_portal().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let place = Some(Placement { organisation_id: acme, team_ids: teams });
    let elsewhere = bench.person_at("grace@example.com", Role::ConsumerAdmin, Status::Active, place).await;
    let elsewhere = bench.sign_in(&elsewhere).await;

    for caller in [&owner, &elsewhere] {
        let reply = send(&bench, Sample::of("organisations-request").by(caller).raw_body("{", "text/plain")).await;
        assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    }
    let unknown = Sample::of("organisations-request").by(&owner).without_token();
    assert_eq!(send(&bench, unknown).await.status, 401);
}

#[tokio::test]
async fn while_requests_are_switched_off_nobody_asks() {
    let (bench, _, ada) = open_portal().await;
    bench.set(|settings| settings.organisation_requests = false).await;
    let before = bench.rows().await;

    let reply = ask(&bench, &ada, "Engines").await;

    assert_eq!((reply.status, reply.problem()), (403, "organisation-requests-closed"));
    assert_eq!(bench.rows().await, before);
}

#[tokio::test]
async fn one_request_waits_at_a_time() {
    let (bench, _, ada) = open_portal().await;
    let first = ask(&bench, &ada, "Engines").await.body;

    let second = ask(&bench, &ada, "Mills").await;
    bench.set(|settings| settings.organisation_requests_auto_approve = true).await;
    let third = ask(&bench, &ada, "Mills").await;

    for reply in [second, third] {
        assert_eq!((reply.status, reply.problem()), (409, "organisation-request-pending"));
        assert_eq!(reply.body["organisation_request_id"], first["id"]);
    }
    assert_eq!(requests(&bench).await.len(), 1);
}

#[tokio::test]
async fn two_requests_at_once_are_one() {
    let (bench, _, ada) = open_portal().await;

    let (one, other) = tokio::join!(ask(&bench, &ada, "Engines"), ask(&bench, &ada, "Mills"));

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!((statuses, requests(&bench).await.len()), ([201, 409], 1));
}

#[tokio::test]
async fn who_is_moved_or_switched_off_before_the_write_gets_nothing() {
    for approved in [false, true] {
        let (bench, _, ada) = open_portal().await;
        bench.set(|settings| settings.organisation_requests_auto_approve = approved).await;
        let moved = bench.overwrite(&ada.user.id, "status", &json!("inactive"));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", moved);

        let reply = ask(&bench, &ada, "Engines").await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(requests(&bench).await.is_empty());
        assert_eq!(bench.rows_in("ORG#").await.len(), 1);
    }
}

#[tokio::test]
async fn every_fault_of_the_body_is_named() {
    let (bench, _, ada) = open_portal().await;
    let body = json!({"name": "", "status": "approved"});

    let reply = send(&bench, Sample::of("organisations-request").by(&ada).body(&body)).await;

    assert_eq!(reply.faults(), [("/name", "invalid_name"), ("/status", "unknown_field")]);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_the_same_request_also_once_it_moved_the_requester() {
    for approved in [false, true] {
        let (bench, _, ada) = open_portal().await;
        bench.set(|settings| settings.organisation_requests_auto_approve = approved).await;
        let keyed = || {
            let sample = Sample::of("organisations-request").by(&ada).body(&json!({"name": "Engines"}));
            sample.header("idempotency-key", "5f0c1a52")
        };

        let first = send(&bench, keyed()).await;
        let second = send(&bench, keyed()).await;
        let other = send(&bench, keyed().body(&json!({"name": "Mills"}))).await;

        assert_eq!((first.status, second.status, &second.body["id"]), (201, 201, &first.body["id"]));
        assert_eq!(second.headers["idempotency-replayed"], "true");
        assert_eq!((other.status, other.problem()), (422, "idempotency-key-reused"));
        assert_eq!(requests(&bench).await.len(), 1);
    }
}

#[tokio::test]
async fn a_request_takes_one_batch_and_a_transaction_of_ten_units() {
    let (bench, _, ada) = open_portal().await;
    let sample = Sample::of("organisations-request").by(&ada);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 201);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!((operations, write_units(&calls)), (vec!["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"], 10));
}

#[tokio::test]
async fn a_lost_answer_is_one_request_and_a_failure_none() {
    let (bench, _, ada) = open_portal().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    let failed = ask(&bench, &ada, "Engines").await;
    assert_eq!((failed.status, requests(&bench).await.len()), (500, 0));
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let done = ask(&bench, &ada, "Engines").await;

    assert_eq!((done.status, requests(&bench).await.len()), (201, 1));
}

#[tokio::test]
async fn the_audit_names_the_request_and_nothing_personal() {
    let (bench, _, ada) = open_portal().await;
    let asked = ask(&bench, &ada, "Engines").await.body;

    let events = bench.rows_in("AUDIT#").await;
    let event = events.iter().find(|event| event["action"] == "organisation_request.created").unwrap();

    assert_eq!((&event["target"], &event["actor"]["user"]), (&asked["id"], &json!(ada.user.id)));
    assert_eq!((&event["changed"], event.to_string().contains("Engines")), (&json!(["name", "status"]), false));
}
