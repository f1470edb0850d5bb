//! The stream's records: one queued mail each.

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use lambda_runtime::Error;
use shared::{domain::ids::MailId, mail::Delivered, store::keys::OUTBOX_PREFIX};

use crate::App;

/// A batch with a mail that could not be sent: the stream delivers it again, what was sent is skipped then.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {all} mails could not be sent")]
pub struct Unsent {
    failed: usize,
    all: usize,
}

/// Sends every mail whose entry was inserted. Each on its own: one that fails keeps no other waiting, and then fails
/// the whole batch, so that the stream comes back with it.
///
/// # Errors
/// [`Unsent`] when a mail stays queued for a reason that may pass.
pub async fn handle(app: &App, event: Event) -> Result<(), Error> {
    let ids: Vec<MailId> = event.records.iter().filter_map(inserted_mail).collect();
    let mut failed = 0;
    for id in &ids {
        match app.mailer.deliver(id, app.clock.now()).await {
            Ok(Delivered::Done | Delivered::Suppressed | Delivered::Expired | Delivered::NotMine) => {}
            Ok(Delivered::NoSender) => tracing::warn!(mail = %id, "no sender is set: the mail stays queued"),
            Err(error) => {
                failed += 1;
                tracing::error!(mail = %id, %error, "a mail could not be sent");
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(Unsent { failed, all: ids.len() }.into()) }
}

/// The mail that a record announces. The stream's filter lets inserted outbox entries through; anything else is none of
/// ours.
fn inserted_mail(record: &EventRecord) -> Option<MailId> {
    let keys: std::collections::HashMap<String, String> = serde_dynamo::from_item(record.change.keys.clone()).ok()?;
    if record.event_name != "INSERT" {
        return None;
    }
    MailId::parse(keys.get("pk")?.strip_prefix(OUTBOX_PREFIX)?)
}

#[cfg(test)]
mod copies;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod links;

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Sample};
    use serde_json::{Value, json};
    use shared::{
        domain::{
            name::Name,
            organisation::Placement,
            user::{NewUser, Role, Source, Start, Status},
        },
        store::Registered,
    };

    use super::*;

    pub(super) fn app(bench: &Bench) -> App {
        App { mailer: bench.mailer.clone(), clock: bench.clock.clone() }
    }

    /// What the stream tells of these items when they are inserted.
    pub(super) fn inserted(items: &[Value]) -> Event {
        let mut event = Sample::of("deliver-mail-stream").event();
        let record = event["Records"][0].clone();
        let records = items.iter().map(|item| {
            let mut record = record.clone();
            record["dynamodb"]["Keys"] = json!({"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}});
            record
        });
        event["Records"] = records.collect();
        serde_json::from_value(event).unwrap()
    }

    /// The event of everything that is in the outbox.
    pub(super) async fn queued(bench: &Bench) -> Event {
        inserted(&bench.rows_in("OUTBOX#").await)
    }

    /// Queues a mail that asks to confirm `address`.
    pub(super) async fn register(bench: &Bench, address: &str) {
        let email = harness::email(address);
        let new = NewUser {
            email: email.clone(),
            first_name: Name::given("Ada"),
            last_name: Name::given("Lovelace"),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start: Start::As(Status::Unconfirmed),
        };
        if let Registered::Taken(known) = bench.store.register(new, &bench.origin()).await.unwrap() {
            bench.store.register_known(&email, &known, Status::Unconfirmed, &bench.origin()).await.unwrap();
        }
    }

    /// The addresses to which mail has gone, in order.
    pub(super) fn recipients(bench: &Bench) -> Vec<String> {
        let mails = bench.services.mailbox().list(None).unwrap();
        mails.into_iter().rev().map(|mail| mail.to).collect()
    }

    /// How many entries wait to be sent.
    pub(super) async fn waiting(bench: &Bench) -> usize {
        bench.rows_in("OUTBOX#").await.iter().filter(|row| row["unsent_pk"] == "UNSENT").count()
    }

    /// Writes the item that a record of the stream announces, as the workflow did that queued it.
    async fn write_image(bench: &Bench, event: &Event) {
        let image: Value = serde_dynamo::from_item(event.records[0].change.new_image.clone()).unwrap();
        let put = bench.services.dynamodb().put_item().table_name(bench.services.mail_table());
        put.set_item(Some(serde_dynamo::to_item(&image).unwrap())).send().await.unwrap();
    }

    #[tokio::test]
    async fn the_sample_event_sends_its_mail_and_a_replay_sends_none() {
        let bench = Bench::new().await;
        let event: Event = serde_json::from_value(Sample::of("deliver-mail-stream").event()).unwrap();
        write_image(&bench, &event).await;

        handle(&app(&bench), event.clone()).await.unwrap();
        handle(&app(&bench), event).await.unwrap();

        let mails = bench.services.mailbox().list(None).unwrap();
        let [mail] = mails.as_slice() else { panic!("{mails:?}") };
        assert_eq!((mail.to.as_str(), mail.event.as_deref()), ("ada@example.com", Some("confirm_registration")));
        assert_eq!(mail.from, "\"Developer portal\" <portal@example.com>");
        assert_eq!(mail.subject, "Confirm your registration at Developer portal");
        assert!(mail.text.as_ref().unwrap().contains("https://portal.example.com/confirm#token="));
        assert_eq!(mail.tags["mail_id"], "mail_01kf0ev11g03cd7w8q779f6mvg");
        assert_eq!(waiting(&bench).await, 0);
    }

    #[tokio::test]
    async fn a_mail_that_ses_does_not_take_now_fails_the_batch_and_goes_out_with_the_next_try() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        let event = queued(&bench).await;
        bench.services.calls().fail_next("SES.SendEmail", Fault::refused("SendingPausedException", "later"));

        let error = handle(&app(&bench), event.clone()).await.unwrap_err();

        assert_eq!(error.to_string(), "1 of 1 mails could not be sent");
        assert_eq!((recipients(&bench).len(), waiting(&bench).await), (0, 1));
        handle(&app(&bench), event).await.unwrap();
        assert_eq!((recipients(&bench).len(), waiting(&bench).await), (1, 0));
    }

    #[tokio::test]
    async fn one_mail_that_fails_keeps_no_other_waiting() {
        let bench = Bench::new().await;
        for address in ["a@example.com", "b@example.com", "c@example.com"] {
            bench.advance(jiff::SignedDuration::from_millis(1));
            register(&bench, address).await;
        }
        let event = queued(&bench).await;
        bench.services.calls().fail_next("SES.SendEmail", Fault::refused("AccountSuspendedException", "no"));

        let error = handle(&app(&bench), event.clone()).await.unwrap_err();

        assert_eq!(error.to_string(), "1 of 3 mails could not be sent");
        assert_eq!((recipients(&bench).len(), waiting(&bench).await), (2, 1));
        handle(&app(&bench), event).await.unwrap();
        let mut sent = recipients(&bench);
        sent.sort();
        assert_eq!(sent, ["a@example.com", "b@example.com", "c@example.com"]);
    }

    #[tokio::test]
    async fn a_mail_that_ses_refuses_for_good_is_not_tried_again() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        let event = queued(&bench).await;
        bench.services.calls().fail_next("SES.SendEmail", Fault::refused("MessageRejected", "no"));

        handle(&app(&bench), event.clone()).await.unwrap();
        handle(&app(&bench), event).await.unwrap();

        assert_eq!((recipients(&bench).len(), waiting(&bench).await), (0, 0));
        assert_eq!(bench.rows_in("OUTBOX#").await[0]["to"][0]["delivery"], "refused");
    }

    #[tokio::test]
    async fn two_deliveries_at_once_send_one_mail() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        let event = queued(&bench).await;
        let app = app(&bench);

        let (one, other) = tokio::join!(handle(&app, event.clone()), handle(&app, event.clone()));

        assert!(one.is_ok() && other.is_ok());
        assert_eq!((recipients(&bench).len(), waiting(&bench).await), (1, 0));
    }

    #[tokio::test]
    async fn without_a_sender_mail_stays_queued_until_there_is_one() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        let event = queued(&bench).await;
        bench.set(|settings| settings.sender = None).await;

        handle(&app(&bench), event).await.unwrap();

        assert_eq!((recipients(&bench).len(), waiting(&bench).await), (0, 1));
        bench.set(|settings| settings.sender = Some(harness::email("later@example.com"))).await;
        bench.advance(jiff::SignedDuration::from_millis(1));
        let (sent, failures) = bench.mailer.deliver_unsent(bench.now(), 10, bench.now()).await.unwrap();
        assert_eq!((sent, failures.len()), (1, 0));
        assert!(bench.services.mailbox().list(None).unwrap()[0].from.contains("<later@example.com>"));
    }

    #[tokio::test]
    async fn what_is_no_inserted_outbox_entry_is_left_alone() {
        let bench = Bench::new().await;
        register(&bench, "ada@example.com").await;
        let id = bench.rows_in("OUTBOX#").await[0]["id"].as_str().unwrap().to_owned();
        let keys = |pk: String| json!({"pk": pk, "sk": "OUTBOX"});
        let mut event = inserted(&[
            keys(format!("OUTBOX#{id}")),
            keys(format!("OUTBOX#{id}")),
            keys(format!("LINK#{id}")),
            keys(id.clone()),
            keys("OUTBOX#".to_owned()),
            keys("OUTBOX#mail_".to_owned()),
            keys(format!("OUTBOX#{}", id.to_uppercase())),
            keys(String::new()),
        ]);
        event.records[0].event_name = "MODIFY".to_owned();
        event.records[1].event_name = "REMOVE".to_owned();
        event.records.last_mut().unwrap().change.keys = serde_dynamo::Item::default();

        let (result, calls) = bench.calls(Box::pin(handle(&app(&bench), event))).await;

        assert!(result.is_ok());
        assert!(calls.is_empty(), "{calls:?}");
        assert_eq!(waiting(&bench).await, 1);
    }

    #[tokio::test]
    async fn an_entry_that_is_gone_keeps_nothing_waiting() {
        let bench = Bench::new().await;
        let event: Event = serde_json::from_value(Sample::of("deliver-mail-stream").event()).unwrap();

        handle(&app(&bench), event).await.unwrap();

        assert!(recipients(&bench).is_empty());
    }
}
