//! The topic's messages: news of one copy of one mail each.

use aws_lambda_events::event::sns::{SnsEvent, SnsRecord};
use lambda_runtime::Error;
use shared::{
    domain::{
        audit::{Actor, Origin},
        email::Email,
        ids::MailId,
        suppression::Trouble,
    },
    store::{Noted, StoreError},
};

use crate::{App, news::News};

/// How often news is judged anew over what others changed meanwhile, before the topic has to bring it again.
const MAX_TRIES: usize = 5;

/// Messages that could not be noted: Lambda tries the event again, and then keeps it where it is noticed.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {all} messages could not be noted")]
pub struct Unnoted {
    failed: usize,
    all: usize,
}

/// Notes what mails met: once each, in whatever order and however often they come.
///
/// # Errors
/// [`Unnoted`] when a message is not understood, or the table cannot be written.
pub async fn handle(app: &App, event: SnsEvent) -> Result<(), Error> {
    let mut failed = 0;
    for record in &event.records {
        // On the heap: the future is too deep for the runtime's own.
        if let Err(error) = Box::pin(take_in(app, record)).await {
            failed += 1;
            tracing::error!(message = record.sns.message_id, %error, "news of a mail could not be noted");
        }
    }
    if failed == 0 { Ok(()) } else { Err(Unnoted { failed, all: event.records.len() }.into()) }
}

async fn take_in(app: &App, record: &SnsRecord) -> Result<(), Error> {
    match News::read(&record.sns.message)? {
        News::Trouble { mail, to, trouble } => {
            let request_id = record.sns.message_id.clone();
            let noted = note(app, &mail, &to, trouble, request_id).await?;
            tracing::info!(%mail, ?trouble, ?noted, "a mail met trouble");
        }
        News::Passing { mail } => tracing::info!(%mail, "a mail met something that may pass"),
        News::Greeting => tracing::info!("the topic was greeted"),
    }
    Ok(())
}

async fn note(app: &App, mail: &MailId, to: &Email, trouble: Trouble, request_id: String) -> Result<Noted, StoreError> {
    let origin = Origin { actor: Actor::System, request_id, now: app.clock.now(), repeatable: None };
    for _ in 0..MAX_TRIES {
        let facts = app.store.feedback_facts(mail, to).await?;
        let noted = app.store.note_trouble(&facts, mail, to, trouble, &origin).await?;
        if noted != Noted::Overtaken {
            return Ok(noted);
        }
    }
    Err(StoreError::Busy)
}

#[cfg(test)]
mod races;

#[cfg(test)]
mod tests;
