//! News that others come between.

use harness::{Bench, Fate, Fault};
use serde_json::json;
use shared::domain::suppression::MailStatus;

use super::{
    tests::{ADA, app, audited, deliveries, message, queue_another, registered, suppressed, tell, told},
    *,
};

#[tokio::test]
async fn a_person_who_changes_meanwhile_is_judged_anew() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    let change = bench.overwrite(&ada.id, "version", &json!(7));
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", change);

    tell(&bench, &bounce).await;

    let after = bench.read(&ada.id).await;
    assert_eq!((after.mail_status, after.version), (MailStatus::Bounced, 8));
}

#[tokio::test]
async fn a_person_who_goes_meanwhile_leaves_the_address_suppressed() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.erase(&ada.id));

    tell(&bench, &bounce).await;

    assert_eq!((suppressed(&bench).await.len(), deliveries(&bench).await), (1, vec![json!("bounced")]));
}

#[tokio::test]
async fn a_complaint_and_a_bounce_at_once_are_both_noted() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    let complaint = message(&bench, ADA, Fate::Complaint).await;

    tokio::join!(tell(&bench, &bounce), tell(&bench, &complaint));

    assert_eq!(deliveries(&bench).await, ["complained"]);
    assert_eq!(suppressed(&bench).await[0]["reason"], "complained");
    assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Complained);
}

#[tokio::test]
async fn news_that_is_faster_than_the_mailers_own_note_stands() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    queue_another(&bench, &ada).await;
    let first = message_of_queued(&bench).await;
    let (app, event) = (app(&bench), told(&[first]));
    let faster = async move { handle(&app, event).await.unwrap() };
    bench.services.calls().before_next("SES.SendEmail", faster);

    bench.mails(ADA).await;

    assert_eq!(deliveries(&bench).await, ["sent", "bounced"]);
}

/// The bounce of the mail that is still queued, as SES will tell it.
async fn message_of_queued(bench: &Bench) -> String {
    let entries = bench.rows_in("OUTBOX#").await;
    let queued = entries.iter().find(|entry| entry["unsent_pk"] == "UNSENT").unwrap();
    let mail = json!({"destination": [ADA], "tags": {"mail_id": [queued["id"]]}});
    json!({"eventType": "Bounce", "bounce": {"bounceType": "Permanent"}, "mail": mail}).to_string()
}

#[tokio::test]
async fn a_lost_answer_notes_once() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    tell(&bench, &bounce).await;

    assert_eq!((audited(&bench).await.len(), bench.read(&ada.id).await.version), (1, ada.version + 1));
}

#[tokio::test]
async fn news_that_is_overtaken_again_and_again_is_brought_again() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    for version in 0..MAX_TRIES {
        let change = bench.overwrite(&ada.id, "version", &json!(version + 100));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", change);
    }

    assert!(handle(&app(&bench), told(std::slice::from_ref(&bounce))).await.is_err());

    assert!(suppressed(&bench).await.is_empty());
    tell(&bench, &bounce).await;
    assert_eq!(suppressed(&bench).await.len(), 1);
}
