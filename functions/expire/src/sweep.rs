//! One run of the schedule: its parts, one after the other, each a file of its own in `sweep/`.

mod code_notices;
mod codes;
mod deletions;
mod digest;
mod identities;
mod invitations;
mod mails;
mod orphans;
mod rejected;
mod run;
mod unconfirmed;
mod waiting;

#[cfg(test)]
mod deadline;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde::Serialize;

use crate::App;
use run::Run;

/// How many rows of a kind are read at once.
const BATCH: u16 = 50;
/// What a row begun at the last moment is left to be dealt with, and the report to be written.
const RESERVE: SignedDuration = SignedDuration::from_secs(5);

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Registrations deleted because nobody confirmed them.
    pub unconfirmed_deleted: usize,
    /// Invite codes of whose end in three days somebody was told.
    pub code_ends_told: usize,
    /// Invite codes of which somebody was told that few slots are left.
    pub low_codes_told: usize,
    /// Invite codes marked as expired.
    pub codes_expired: usize,
    /// Invitations marked as expired.
    pub invitations_expired: usize,
    /// People deleted who were invited and never came in.
    pub invited_deleted: usize,
    /// Registrations deleted because their rejection is long ago.
    pub rejected_deleted: usize,
    /// Registrations approved because the settings approve them and they waited nevertheless.
    pub waiting_approved: usize,
    /// Reminders of registrations that have waited for long.
    pub digests_queued: usize,
    /// Organisations whose deletion was cut off, finished.
    pub organisations_deleted: usize,
    /// Teams whose deletion was cut off, finished.
    pub teams_deleted: usize,
    /// Creations undone because their Cognito user was never made.
    pub creations_undone: usize,
    /// Mails sent that the stream had not sent.
    pub mails_sent: usize,
    /// Cognito users removed because nobody has their id.
    pub orphans_removed: usize,
    /// Cognito users whom nobody's id names, found in a pool that is not the portal's own: they are left there.
    pub orphans_reported: usize,
    /// Rows that could not be dealt with, and lists that could not be read; a later run tries them again.
    pub failures: usize,
}

/// A run that could not deal with everything: Lambda tries it again, and the alarm sees it.
#[derive(Debug, thiserror::Error)]
#[error("{} of what is due could not be dealt with", .0.failures)]
pub struct Unfinished(pub Report);

/// From when on a run that Lambda ends at `deadline`, in milliseconds since 1970, takes no further row.
#[must_use]
pub fn last_call(deadline: u64) -> Timestamp {
    let deadline = i64::try_from(deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    deadline.unwrap_or(Timestamp::MAX) - RESERVE
}

/// Runs the sweep once: each part in turn, the oldest of each first. What fails keeps nothing else waiting. From `until`
/// on no further row is taken; what is left is the next run's, and that is no failure.
///
/// # Errors
/// [`Unfinished`] when a list of what is due could not be read, or a row failed.
pub async fn handle(app: &App, until: Option<Timestamp>) -> Result<Report, Error> {
    let mut run = Run::new(app, until);
    run.part(identities::sweep).await;
    run.part(unconfirmed::sweep).await;
    run.part(code_notices::ending).await;
    run.part(code_notices::low).await;
    run.part(codes::sweep).await;
    run.part(invitations::expire).await;
    run.part(invitations::forget).await;
    run.part(rejected::sweep).await;
    run.part(waiting::sweep).await;
    run.part(digest::sweep).await;
    run.part(deletions::organisations).await;
    run.part(deletions::teams).await;
    run.part(mails::sweep).await;
    run.part(orphans::sweep).await;
    run.end()
}
