//! The stream's records: one queued mail each.

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use lambda_runtime::Error;
use shared::{domain::ids::MailId, mail::Delivered};

use crate::App;

/// How outbox partitions start, as `docs/table.md` has it.
const OUTBOX_PREFIX: &str = "OUTBOX#";

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
            Ok(Delivered::Done | Delivered::NotMine) => {}
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
