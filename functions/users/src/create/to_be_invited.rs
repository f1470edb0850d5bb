//! People who are created without a password.

use serde_json::{Value, json};
use shared::{domain::user::Status, store::Stage};

use super::tests::{ADA, ada, create, with};
use crate::{
    list::tests::{app, portal},
    router,
};

fn without_password() -> Value {
    with("password", Value::Null)
}

#[tokio::test]
async fn they_wait_to_be_invited_and_hear_nothing() {
    let (bench, owner) = portal().await;

    let reply = create(&bench, &owner, &without_password()).await;

    assert_eq!(
        (reply.status, &reply.body["status"], &reply.body["source"]),
        (201, &json!("invited"), &json!("api_owner"))
    );
    let known = bench.store.login_facts(&harness::email(ADA)).await.unwrap().account.unwrap();
    assert_eq!((known.stage, known.invitation), (Stage::Invited, None));
    assert!(bench.mails(ADA).await.is_empty());
    let users = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
    assert_eq!(users.send().await.unwrap().users().len(), 1, "the owner alone");
    assert_eq!(bench.read(&known.user_id).await.status, Status::Invited);
}

#[tokio::test]
async fn they_cannot_be_active() {
    let (bench, owner) = portal().await;
    let mut body = without_password();
    body["active"] = json!(true);

    assert_eq!(create(&bench, &owner, &body).await.faults(), [("/active", "needs_password")]);
}

#[tokio::test]
async fn their_address_is_taken() {
    let (bench, owner) = portal().await;
    create(&bench, &owner, &without_password()).await;

    for body in [without_password(), ada()] {
        let reply = create(&bench, &owner, &body).await;
        assert_eq!((reply.status, reply.problem()), (409, "email-taken"));
    }
}

#[tokio::test]
async fn creating_them_is_one_transaction() {
    let (bench, owner) = portal().await;
    let sample = harness::Sample::of("users-create").by(&owner).body(&without_password());

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 201);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems", "DynamoDB.BatchGetItem"]);
}
