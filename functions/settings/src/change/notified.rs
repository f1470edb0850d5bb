//! Addresses that are newly to be notified, to which nothing was sent any more.

use std::sync::Arc;

use harness::email;
use serde_json::json;
use shared::domain::{
    suppression::MailStatus,
    user::{Role, Status},
};

use super::tests::{change, portal};

#[tokio::test]
async fn an_address_that_is_newly_to_be_notified_gets_mail_again_and_no_other_does() {
    let (bench, owner) = portal().await;
    let addresses = ["kept@example.com", "desk@example.com", "other@example.com"];
    change(&bench, &owner, &json!({"owner_notification_addresses": ["kept@example.com"]})).await;
    for address in addresses {
        bench.suppress(address).await;
    }

    change(&bench, &owner, &json!({"owner_notification_addresses": ["kept@example.com", "desk@example.com"]})).await;

    let suppressed = bench.rows_in("SUPPRESSED#").await;
    let mut left: Vec<_> = suppressed.iter().map(|row| row["pk"].as_str().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, ["SUPPRESSED#kept@example.com", "SUPPRESSED#other@example.com"]);
}

#[tokio::test]
async fn an_address_that_is_somebodys_is_notified_and_allowed_mail_with_its_person_alone() {
    let (bench, owner) = portal().await;
    let ada = bench.person("ada@example.com", Role::ApiOwner, Status::Active).await;
    for address in ["ada@example.com", "desk@example.com"] {
        bench.suppress(address).await;
    }
    let body = json!({"owner_notification_addresses": ["ada@example.com", "desk@example.com"]});

    let (reply, calls) = bench.calls(change(&bench, &owner, &body)).await;

    assert_eq!(
        (reply.status, &reply.body["owner_notification_addresses"]),
        (200, &body["owner_notification_addresses"])
    );
    let suppressed = bench.rows_in("SUPPRESSED#").await;
    assert_eq!(suppressed.iter().map(|row| &row["pk"]).collect::<Vec<_>>(), ["SUPPRESSED#ada@example.com"]);
    assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Bounced);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let twice = "DynamoDB.TransactWriteItems";
    assert_eq!(operations, ["DynamoDB.BatchGetItem", twice, twice]);
    let events = bench.rows_in("AUDIT#").await;
    assert_eq!(events.iter().filter(|event| event["action"] == "settings.changed").count(), 1);
}

#[tokio::test]
async fn an_address_that_becomes_somebodys_meanwhile_is_left_to_them() {
    let (bench, owner) = portal().await;
    let bench = Arc::new(bench);
    bench.suppress("desk@example.com").await;
    let rival = bench.clone();
    let meanwhile =
        async move { drop(Box::pin(rival.person("desk@example.com", Role::TeamMember, Status::Active)).await) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = change(&bench, &owner, &json!({"owner_notification_addresses": ["desk@example.com"]})).await;

    assert_eq!((reply.status, bench.rows_in("SUPPRESSED#").await.len()), (200, 1));
    assert_eq!(bench.store.settings().await.unwrap().owner_notification_addresses, [email("desk@example.com")]);
}
