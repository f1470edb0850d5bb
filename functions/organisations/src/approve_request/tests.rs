use harness::{Bench, Fault, Sample, SignedIn, write_units};
use serde_json::{Value, json};
use shared::domain::{
    ids::OrganisationId,
    user::{Role, Status},
};

use crate::{
    body::tests::{app, names, send},
    request::tests::{ask, decide, decision, open_portal, requests},
    router,
};

/// A portal with a request that waits, and its id.
async fn waiting() -> (Bench, SignedIn, SignedIn, String) {
    let (bench, owner, ada) = open_portal().await;
    let asked = ask(&bench, &ada, "Engines").await.body;
    let id = asked["id"].as_str().unwrap().to_owned();
    (bench, owner, ada, id)
}

async fn organisations(bench: &Bench, owner: &SignedIn) -> Vec<Value> {
    let list = send(bench, Sample::of("organisations-list").by(owner).query("")).await;
    list.body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_requester_becomes_the_consumer_admin_of_a_new_organisation_in_its_default_team() {
    let (bench, owner, ada, id) = waiting().await;

    let reply = send(&bench, decision("approve", &id, &owner)).await;

    assert_eq!(
        (reply.status, &reply.body["status"], &reply.body["name"]),
        (200, &json!("approved"), &json!("Engines"))
    );
    let after = bench.read(&ada.user.id).await;
    let engines = &organisations(&bench, &owner).await[1];
    assert_eq!((&json!(after.organisation_id), after.role), (&engines["id"], Role::ConsumerAdmin));
    let teams = Sample::of("organisations-list-teams").by(&owner).id(engines["id"].as_str().unwrap());
    let teams = send(&bench, teams).await;
    assert_eq!((names(&teams), &teams.body["items"][0]["id"]), (vec!["Default team"], &json!(after.team_ids[0])));
    assert_eq!((after.team_ids.len(), after.version), (1, ada.user.version + 1));
    assert!(after.has_session(&ada.session));
    bench.everybody_placed().await;
    let mail = bench.mails("ada@example.com").await.remove(0);
    assert_eq!(mail.event.as_deref(), Some("organisation_approved"));
}

#[tokio::test]
async fn the_organisation_may_get_another_name() {
    let (bench, owner, _, id) = waiting().await;

    let reply = decide(&bench, &owner, "approve", &id, &json!({"name": "Engines Ltd"})).await;

    assert_eq!((reply.status, &reply.body["name"]), (200, &json!("Engines Ltd")));
    assert_eq!(organisations(&bench, &owner).await[1]["name"], "Engines Ltd");
    assert!(bench.mails("ada@example.com").await.remove(0).text.unwrap().contains("Engines Ltd"));
    let faulty = decide(&bench, &owner, "approve", &id, &json!({"name": "\n"})).await;
    assert_eq!((faulty.status, faulty.faults()), (422, vec![("/name", "invalid_name")]));
}

#[tokio::test]
async fn two_approvals_at_once_are_one_organisation_and_one_mail() {
    let (bench, owner, _, id) = waiting().await;

    let approve = || send(&bench, decision("approve", &id, &owner));
    let (one, other) = tokio::join!(approve(), approve());

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let lost = if one.status == 409 { one } else { other };
    assert_eq!(lost.problem(), "organisation-request-decided");
    assert_eq!(organisations(&bench, &owner).await.len(), 2);
    let mails = bench.mail_events("ada@example.com").await;
    assert_eq!(mails.iter().filter(|event| *event == "organisation_approved").count(), 1);
}

#[tokio::test]
async fn a_rejection_at_the_same_moment_leaves_no_organisation() {
    let (bench, owner, ada, id) = waiting().await;
    let (store, origin) = (bench.store.clone(), bench.origin());
    let parsed = shared::domain::ids::OrganisationRequestId::parse(&id);
    let nobody = ada.user.id.clone();
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move {
        let asked = store.caller_and_request(&nobody, parsed.as_ref()).await.unwrap().1.unwrap();
        store.reject_request(&asked, None, None, &origin).await.unwrap();
    });

    let reply = decide(&bench, &owner, "approve", &id, &json!({})).await;

    assert_eq!((reply.status, reply.problem()), (409, "organisation-request-decided"));
    assert_eq!(organisations(&bench, &owner).await.len(), 1);
    assert_eq!(bench.read(&ada.user.id).await, ada.user);
}

#[tokio::test]
async fn the_request_of_somebody_who_was_deleted_or_moved_ends_with_a_clear_answer() {
    for deleted in [true, false] {
        let (bench, owner, ada, id) = waiting().await;
        if deleted {
            bench.erase(&ada.user.id).await;
        } else {
            let (acme, _) = bench.organisation("Acme", 0).await;
            bench.overwrite(&ada.user.id, "organisation_id", &json!(acme)).await;
        }
        let before = organisations(&bench, &owner).await.len();

        let reply = decide(&bench, &owner, "approve", &id, &json!({})).await;

        assert_eq!((reply.status, reply.problem()), (409, "requester-unavailable"));
        assert_eq!(requests(&bench).await[0]["status"], "rejected");
        assert_eq!(organisations(&bench, &owner).await.len(), before);
        assert!(bench.rows_in("REQUESTER#").await.is_empty());
        let again = decide(&bench, &owner, "approve", &id, &json!({})).await;
        assert_eq!((again.status, again.problem()), (409, "organisation-request-decided"));
    }
}

#[tokio::test]
async fn the_request_of_somebody_who_is_switched_off_waits_until_they_are_back() {
    let (bench, owner, ada, id) = waiting().await;
    bench.overwrite(&ada.user.id, "status", &json!("inactive")).await;
    let off = decide(&bench, &owner, "approve", &id, &json!({})).await;
    bench.overwrite(&ada.user.id, "status", &json!("active")).await;
    let on = decide(&bench, &owner, "approve", &id, &json!({})).await;

    assert_eq!((off.status, off.problem(), &off.body["user_status"]), (409, "wrong-status", &json!("inactive")));
    assert_eq!((on.status, bench.read(&ada.user.id).await.status), (200, Status::Active));
}

#[tokio::test]
async fn a_requester_who_changes_at_the_last_moment_is_read_again() {
    let (bench, owner, ada, id) = waiting().await;
    let changed = bench.overwrite(&ada.user.id, "version", &json!(ada.user.version + 5));
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", changed);

    let reply = decide(&bench, &owner, "approve", &id, &json!({})).await;

    assert_eq!((reply.status, bench.read(&ada.user.id).await.version), (200, ada.user.version + 6));
    assert_ne!(bench.read(&ada.user.id).await.organisation_id, Some(OrganisationId::default_organisation()));
    bench.everybody_placed().await;
}

#[tokio::test]
async fn an_unknown_request_is_not_found_and_only_owners_decide() {
    let (bench, owner, ada, id) = waiting().await;

    for action in ["approve", "reject"] {
        for unknown in ["orq_junk", "orq_00000000000000000000000000"] {
            let reply = decide(&bench, &owner, action, unknown, &json!({})).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        }
        let reply = send(&bench, decision(action, &id, &ada).raw_body("{", "text/plain")).await;
        assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    }
}

#[tokio::test]
async fn an_approval_takes_two_batches_and_one_transaction_and_its_audit_tells_all_of_it() {
    let (bench, owner, _, id) = waiting().await;
    let sample = decision("approve", &id, &owner);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(write_units(&calls), 22);
    let events = bench.rows_in("AUDIT#").await;
    for action in ["organisation_request.approved", "organisation.created", "user.moved"] {
        assert!(events.iter().any(|event| event["action"] == action), "{action}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_one_organisation_and_a_failure_none() {
    let (bench, owner, _, id) = waiting().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    let failed = decide(&bench, &owner, "approve", &id, &json!({})).await;
    assert_eq!((failed.status, organisations(&bench, &owner).await.len()), (500, 1));
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let done = decide(&bench, &owner, "approve", &id, &json!({})).await;

    assert_eq!((done.status, organisations(&bench, &owner).await.len()), (200, 2));
}
