//! Letting mail be sent again to an address to which it was not.

use harness::Fault;
use serde_json::json;
use shared::domain::{
    suppression::MailStatus,
    user::{Role, Status},
};

use super::tests::Acme;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_owner_allows_mail_again_and_it_is_sent() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.suppress(ADA).await;
    assert_eq!(acme.bench.read(&ada.id).await.mail_status, MailStatus::Bounced);

    let reply = acme.change(&ada.id, &acme.owner, &json!({"mail_status": "ok", "first_name": "Augusta"})).await;

    assert_eq!((reply.status, &reply.body["mail_status"]), (200, &json!("ok")));
    let after = acme.bench.read(&ada.id).await;
    assert_eq!((after.mail_status, after.first_name.as_str()), (MailStatus::Ok, "Augusta"));
    assert!(acme.bench.rows_in("SUPPRESSED#").await.is_empty());
    let event = acme.audited("user.changed").await.remove(0);
    assert_eq!((&event["before"]["mail_status"], &event["after"]["mail_status"]), (&json!("bounced"), &json!("ok")));
    // What was queued when they were created.
    assert_eq!(acme.bench.mail_events(ADA).await, ["welcome"]);
}

#[tokio::test]
async fn it_is_allowed_whatever_the_row_says_of_an_address_that_was_somebody_elses() {
    let acme = Acme::new().await;
    acme.bench.suppress(ADA).await;
    let ada = acme.member("ada", &[1]).await;
    assert_eq!(ada.mail_status, MailStatus::Ok);

    let reply = acme.change(&ada.id, &acme.owner, &json!({"mail_status": "ok"})).await;

    assert_eq!((reply.status, acme.bench.rows_in("SUPPRESSED#").await.len()), (200, 0));
    assert_eq!(acme.bench.read(&ada.id).await, ada);
}

#[tokio::test]
async fn who_says_nothing_of_it_changes_nothing_of_it() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.suppress(ADA).await;

    let reply = acme.change(&ada.id, &acme.owner, &json!({"first_name": "Augusta"})).await;

    assert_eq!(reply.body["mail_status"], "bounced");
    assert_eq!(acme.bench.rows_in("SUPPRESSED#").await.len(), 1);
}

#[tokio::test]
async fn nobody_but_an_owner_allows_it_and_nobody_says_anything_else() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.suppress(ADA).await;

    let by_admin = acme.change(&ada.id, &acme.admin, &json!({"mail_status": "ok"})).await;
    assert_eq!(by_admin.faults(), [("/mail_status", "not_allowed")]);
    for (value, code) in
        [(json!("bounced"), "unknown_choice"), (json!(true), "not_a_string"), (json!(null), "required")]
    {
        let reply = acme.change(&ada.id, &acme.owner, &json!({"mail_status": value})).await;
        assert_eq!(reply.faults(), [("/mail_status", code)]);
    }
    assert_eq!(acme.bench.rows_in("SUPPRESSED#").await.len(), 1);
}

#[tokio::test]
async fn mail_that_comes_back_meanwhile_is_judged_with_it() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.suppress(ADA).await;
    let change = acme.bench.overwrite(&ada.id, "version", &json!(20));
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", change);

    let reply = acme.change(&ada.id, &acme.owner, &json!({"mail_status": "ok"})).await;

    assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"21\"")));
    assert_eq!(acme.bench.read(&ada.id).await.mail_status, MailStatus::Ok);
}

#[tokio::test]
async fn a_failure_leaves_the_address_as_it_was() {
    let acme = Acme::new().await;
    let ada = acme.person("ada", Role::TeamMember, Status::Pending, &[1]).await;
    acme.bench.suppress(ADA).await;
    let fault = Fault::refused("AccessDeniedException", "no");
    acme.bench.services.calls().fail_next("DynamoDB.TransactWriteItems", fault);

    let reply = acme.change(&ada.id, &acme.owner, &json!({"mail_status": "ok"})).await;

    assert_eq!(reply.status, 500);
    assert_eq!(acme.bench.read(&ada.id).await.mail_status, MailStatus::Bounced);
    assert_eq!(acme.bench.rows_in("SUPPRESSED#").await.len(), 1);
}
