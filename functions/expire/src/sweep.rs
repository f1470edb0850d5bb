//! One run of the schedule.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde::Serialize;
use shared::domain::{
    audit::{Actor, Origin},
    link::CONFIRM_LIFE,
    user::{Status, User},
};

use crate::App;

/// How many rows of a kind one run takes on: well within the function's time, even with every call slow.
const BATCH: u16 = 50;
/// How long a mail may be on its way before the sweep sends it: the stream is faster when it works.
const MAIL_GRACE: SignedDuration = SignedDuration::from_mins(2);
/// How long a creation may wait for Cognito: far longer than the request that began it can live.
const CREATION_GRACE: SignedDuration = SignedDuration::from_mins(15);

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Registrations deleted because nobody confirmed them.
    pub unconfirmed_deleted: usize,
    /// Creations undone because their Cognito user was never made.
    pub creations_undone: usize,
    /// Mails sent that the stream had not sent.
    pub mails_sent: usize,
    /// Rows that could not be dealt with; the next run tries them again.
    pub failures: usize,
}

/// Runs the sweep once: unfinished creations, unconfirmed registrations, unsent mail, the oldest of each first.
///
/// # Errors
/// When a list of what is due cannot be read, or a row failed: the schedule's retry and alarm then see it.
pub async fn handle(app: &App) -> Result<Report, Error> {
    let now = app.clock.now();
    let origin = Origin { actor: Actor::System, request_id: "expire".to_owned(), now };
    let mut report = Report::default();
    undo_creations(app, &origin, &mut report).await?;
    delete_unconfirmed(app, &origin, &mut report).await?;
    send_unsent(app, now, &mut report).await?;
    tracing::info!(?report, "sweep done");
    Ok(report)
}

/// Undoes creations that never got their Cognito user: row first, so that nobody can finish them, then the user that
/// Cognito may have.
async fn undo_creations(app: &App, origin: &Origin, report: &mut Report) -> Result<(), Error> {
    for user in app.store.unfinished_creations(origin.now - CREATION_GRACE, BATCH).await? {
        match undo(app, &user, origin).await {
            Ok(true) => report.creations_undone += 1,
            Ok(false) => {}
            Err(error) => failed(report, &user, &error),
        }
    }
    Ok(())
}

async fn undo(app: &App, user: &User, origin: &Origin) -> Result<bool, Error> {
    let undone = app.store.undo_creation(user, origin).await?;
    if undone {
        app.identity.delete(&user.id).await?;
    }
    Ok(undone)
}

/// Deletes registrations whose last link has expired.
async fn delete_unconfirmed(app: &App, origin: &Origin, report: &mut Report) -> Result<(), Error> {
    let since = origin.now - CONFIRM_LIFE;
    for user in app.store.people_since(Status::Unconfirmed, since, BATCH).await? {
        match expire_registration(app, &user, since, origin).await {
            Ok(true) => report.unconfirmed_deleted += 1,
            Ok(false) => {}
            Err(error) => failed(report, &user, &error),
        }
    }
    Ok(())
}

async fn expire_registration(app: &App, user: &User, since: Timestamp, origin: &Origin) -> Result<bool, Error> {
    let deleted = app.store.delete_unconfirmed(user, since, origin).await?;
    if deleted {
        // A confirmation that died between Cognito and the table may have left a user there.
        app.identity.delete(&user.id).await?;
    }
    Ok(deleted)
}

async fn send_unsent(app: &App, now: Timestamp, report: &mut Report) -> Result<(), Error> {
    let (sent, failures) = app.mailer.deliver_unsent(now - MAIL_GRACE, BATCH, now).await?;
    report.mails_sent = sent;
    report.failures += failures.len();
    for error in failures {
        tracing::error!(%error, "a mail could not be sent");
    }
    Ok(())
}

fn failed(report: &mut Report, user: &User, error: &Error) {
    report.failures += 1;
    tracing::error!(user = %user.id, %error, "a row could not be swept");
}
