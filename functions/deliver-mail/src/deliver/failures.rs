//! What cannot be sent: for good, for now, or no longer.

use std::sync::Arc;

use harness::{Bench, Fault};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::{
    domain::{ids::MailId, link::CONFIRM_LIFE},
    mail::{Delivered, MailError},
    store::keys,
};

use super::{
    handle,
    tests::{app, queued, recipients, register, waiting},
};

/// A portal with one mail in its outbox.
async fn bench() -> (Bench, MailId) {
    let bench = Bench::new().await;
    register(&bench, "ada@example.com").await;
    let id = MailId::parse(entry(&bench).await["id"].as_str().unwrap()).unwrap();
    (bench, id)
}

/// The one entry.
async fn entry(bench: &Bench) -> Value {
    bench.rows_in("OUTBOX#").await.remove(0)
}

/// Sets one attribute of the one entry, past all code of the product.
async fn spoil(bench: &Bench, attribute: &str, value: &Value) {
    let mut entry = entry(bench).await;
    entry[attribute] = value.clone();
    let put = bench.services.dynamodb().put_item().table_name(bench.services.mail_table());
    put.set_item(Some(serde_dynamo::to_item(&entry).unwrap())).send().await.unwrap();
}

fn ses_refuses(bench: &Bench, code: &str, message: &str) {
    bench.services.calls().fail_next("SES.SendEmail", Fault::refused(code, message));
}

async fn deliver(bench: &Bench, id: &MailId) -> Result<Delivered, MailError> {
    bench.mailer.deliver(id, bench.now()).await
}

#[tokio::test]
async fn an_address_that_is_not_verified_keeps_its_mail_queued_and_out_of_the_log() {
    let (bench, id) = bench().await;
    let message = "Email address is not verified. The following identities failed the check: ada@example.com";
    ses_refuses(&bench, "MessageRejected", message);

    let error = deliver(&bench, &id).await.unwrap_err();

    let told = "SendEmail failed: MessageRejected: an address is not verified";
    assert_eq!(error.to_string(), format!("SES did not take mail {id}: {told}"));
    assert!(!format!("{error:?}").contains("ada@"), "{error:?}");
    assert_eq!((&entry(&bench).await["to"][0]["delivery"], waiting(&bench).await), (&json!("queued"), 1));
    assert_eq!(deliver(&bench, &id).await.unwrap(), Delivered::Done);
    assert_eq!(recipients(&bench), ["ada@example.com"]);
}

#[tokio::test]
async fn what_ses_refuses_to_say_or_cannot_address_is_refused_for_good() {
    for (code, message) in
        [("MessageRejected", "Transaction failed: virus"), ("BadRequestException", "Domain is malformed")]
    {
        let (bench, id) = bench().await;
        ses_refuses(&bench, code, message);

        assert_eq!(deliver(&bench, &id).await.unwrap(), Delivered::Done, "{code}");

        assert_eq!((&entry(&bench).await["to"][0]["delivery"], waiting(&bench).await), (&json!("refused"), 0));
    }
}

#[tokio::test]
async fn a_denied_call_names_itself_and_the_answers_code() {
    let (bench, id) = bench().await;
    let denied = || Fault::refused("AccessDeniedException", "not authorized, says ada@example.com");
    bench.services.calls().fail_next("DynamoDB.UpdateItem", denied());
    let store = deliver(&bench, &id).await.unwrap_err().to_string();
    bench.services.calls().fail_next("SES.SendEmail", denied());
    let ses = deliver(&bench, &id).await.unwrap_err().to_string();

    assert!(store.starts_with("UpdateItem failed: ") && store.contains("AccessDeniedException"), "{store}");
    assert!(store.contains("not authorized"), "{store}");
    assert_eq!(ses, format!("SES did not take mail {id}: SendEmail failed: AccessDeniedException"));
}

#[tokio::test]
async fn what_failed_first_is_what_is_told() {
    let (bench, id) = bench().await;
    let bench = Arc::new(bench);
    let then = bench.clone();
    let claim_stays = async move {
        then.services.calls().fail_next("DynamoDB.UpdateItem", Fault::refused("AccessDeniedException", "no"));
    };
    bench.services.calls().before_next("SES.SendEmail", claim_stays);
    ses_refuses(&bench, "SendingPausedException", "later");

    let error = deliver(&bench, &id).await.unwrap_err();

    assert!(error.to_string().ends_with("SendingPausedException"), "{error}");
    assert_eq!(bench.services.calls().outstanding(), 0);
    assert_eq!(deliver(&bench, &id).await.unwrap(), Delivered::NotMine, "the claim stands");
    bench.advance(SignedDuration::from_secs(60));
    assert_eq!(deliver(&bench, &id).await.unwrap(), Delivered::Done);
}

#[tokio::test]
async fn an_entry_that_failed_stands_back_by_the_number_of_its_attempts_and_keeps_its_age() {
    let (bench, id) = bench().await;
    let queued_at = entry(&bench).await["created_at"].clone();
    for (attempts, minutes) in [(1, 1), (2, 2), (3, 4)] {
        ses_refuses(&bench, "SendingPausedException", "later");

        deliver(&bench, &id).await.unwrap_err();

        let entry = entry(&bench).await;
        let due = bench.now() + SignedDuration::from_mins(minutes);
        assert_eq!(entry["unsent_sk"], keys::instant_and_id(due, id.as_str()));
        assert_eq!((&entry["attempts"], &entry["created_at"]), (&json!(attempts), &queued_at));
        assert!(entry["claimed_until"].is_null());
    }
}

#[tokio::test]
async fn waiting_for_a_sender_is_no_attempt() {
    let (bench, id) = bench().await;
    let due = entry(&bench).await["unsent_sk"].clone();
    bench.set(|settings| settings.sender = None).await;

    assert_eq!(deliver(&bench, &id).await.unwrap(), Delivered::NoSender);

    let entry = entry(&bench).await;
    assert_eq!((&entry["attempts"], &entry["unsent_sk"]), (&json!(0), &due));
    assert!(entry["claimed_until"].is_null());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named_and_stands_back() {
    let (bench, id) = bench().await;
    spoil(&bench, "event", &json!("no_such_event")).await;

    let error = deliver(&bench, &id).await.unwrap_err();

    assert!(error.to_string().contains(&format!("OUTBOX#{id} / OUTBOX")), "{error}");
    let entry = entry(&bench).await;
    let due = bench.now() + SignedDuration::from_mins(1);
    assert_eq!(entry["unsent_sk"], keys::instant_and_id(due, id.as_str()));
    assert!(entry["claimed_until"].is_null());
}

#[tokio::test]
async fn a_mail_whose_link_has_expired_is_done_without_being_sent() {
    let (bench, _) = bench().await;
    let event = queued(&bench).await;
    bench.advance(CONFIRM_LIFE);

    handle(&app(&bench), event).await.unwrap();

    assert_eq!((&entry(&bench).await["to"][0]["delivery"], waiting(&bench).await), (&json!("expired"), 0));
    assert!(recipients(&bench).is_empty() && bench.rows_in("LINK#").await.is_empty());
}

#[tokio::test]
async fn a_mail_goes_out_until_the_instant_at_which_its_link_expires() {
    let (bench, id) = bench().await;
    let expires_at = bench.now() + SignedDuration::from_hours(1);
    let mut link = entry(&bench).await["link"].clone();
    link["expires_at"] = json!(expires_at.as_millisecond());
    spoil(&bench, "link", &link).await;
    let deliver = async |now: Timestamp| bench.mailer.deliver(&id, now).await.unwrap();
    ses_refuses(&bench, "SendingPausedException", "later");

    let in_time = bench.mailer.deliver(&id, expires_at - SignedDuration::from_millis(1)).await;

    assert!(in_time.is_err(), "it was handed to SES");
    assert_eq!(deliver(expires_at).await, Delivered::Expired);
    assert!(recipients(&bench).is_empty());
}
