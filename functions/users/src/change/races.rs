//! Others at work on the same person, and calls that fail.

use std::sync::Arc;

use harness::{Fault, Sample};
use serde_json::{Value, json};
use shared::domain::user::Role;

use super::tests::Acme;
use crate::list::tests::send;

#[tokio::test]
async fn two_changes_at_once_are_made_one_after_the_other() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    let (other, id, team) = (acme.clone(), ada.id.clone(), acme.teams[2].clone());
    let meanwhile = async move {
        let reply = Box::pin(other.change(&id, &other.admin, &json!({"team_ids": [team]}))).await;
        assert_eq!(reply.status, 200);
    };
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = acme.change(&ada.id, &acme.owner, &json!({"role": "consumer_admin"})).await;

    assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"4\"")));
    let now = acme.bench.read(&ada.id).await;
    assert_eq!((now.role, now.team_ids), (Role::ConsumerAdmin, vec![acme.teams[2].clone()]));
    assert_eq!(acme.memberships(&ada.id).await, [2]);
}

#[tokio::test]
async fn a_named_version_is_held_to_also_where_others_change_the_person_meanwhile() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let with = |tag| {
        let sample = Sample::of("users-change").id(&ada.id).by(&acme.owner).body(&json!({"first_name": "Augusta"}));
        sample.header("if-match", tag)
    };

    let stale = send(&acme.bench, with("\"1\"")).await;
    let changed = acme.bench.overwrite(&ada.id, "version", &json!(3));
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", changed);
    let overtaken = send(&acme.bench, with("\"2\"")).await;

    for reply in [stale, overtaken] {
        assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"));
    }
    assert_eq!(send(&acme.bench, with("\"3\"")).await.headers["etag"], "\"4\"");
}

#[tokio::test]
async fn who_left_the_shared_team_meanwhile_is_not_changed_by_its_admin() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    let (other, id, team) = (acme.clone(), ada.id.clone(), acme.teams[3].clone());
    let meanwhile = async move {
        drop(Box::pin(other.change(&id, &other.owner, &json!({"team_ids": [team]}))).await);
    };
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = acme.change(&ada.id, &acme.admin, &json!({"first_name": "Augusta"})).await;

    assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    assert_eq!(acme.bench.read(&ada.id).await.first_name, ada.first_name);
}

#[tokio::test]
async fn a_person_who_keeps_changing_is_told_in_the_end() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    for version in 3..8 {
        let changed = acme.bench.overwrite(&ada.id, "version", &json!(version));
        acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", changed);
    }

    let reply = acme.change(&ada.id, &acme.owner, &json!({"first_name": "Augusta"})).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
}

#[tokio::test]
async fn somebody_deleted_meanwhile_is_not_found_and_not_written_anew() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", acme.bench.erase(&ada.id));

    let reply = acme.change(&ada.id, &acme.owner, &json!({"first_name": "Augusta"})).await;

    assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    assert_eq!(acme.bench.store.person(&ada.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_team_deleted_meanwhile_takes_nobody_in() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let gone = acme.bench.discard(&format!("TEAM#{}", acme.teams[2]), "TEAM");
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", gone);

    let reply = acme.change(&ada.id, &acme.owner, &json!({"team_ids": [acme.teams[2]]})).await;

    assert_eq!(reply.faults(), [("/team_ids", "unknown_team")]);
    assert_eq!((acme.memberships(&ada.id).await, acme.bench.read(&ada.id).await), (vec![1], ada));
}

#[tokio::test]
async fn a_lost_answer_changes_a_person_once() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    let reply = acme.change(&ada.id, &acme.owner, &json!({"team_ids": [acme.teams[2]]})).await;

    assert_eq!((reply.status, acme.memberships(&ada.id).await), (200, vec![2]));
    assert_eq!((acme.bench.read(&ada.id).await.version, acme.audited("user.changed").await.len()), (3, 1));
}

#[tokio::test]
async fn a_failure_changes_nothing_and_tells_nothing_of_the_inside() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let body = json!({"team_ids": [acme.teams[2]]});
    for operation in ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"] {
        acme.bench.services.calls().fail_next(operation, Fault::refused("AccessDeniedException", "arn:secret"));
        let reply = acme.change(&ada.id, &acme.owner, &body).await;
        assert_eq!((reply.status, reply.problem()), (500, "internal"));
        assert!(!reply.body.to_string().contains("arn:"));
    }
    assert_eq!((acme.memberships(&ada.id).await, acme.bench.read(&ada.id).await), (vec![1], ada));
    assert_eq!(acme.audited("user.changed").await, Vec::<Value>::new());
}
