//! Cognito users that do not fit their rows: creations that stopped half-way are undone, what is left of people who are
//! gone is deleted, and who has another address has it there too.

use jiff::SignedDuration;
use lambda_runtime::Error;
use shared::{
    address_change,
    domain::{audit::Origin, user::User},
    store::UnfinishedIdentity,
};

use super::{
    BATCH,
    run::{Run, Swept},
};
use crate::App;

/// How long a creation may wait for Cognito: far longer than the request that began it can live.
pub(super) const CREATION_GRACE: SignedDuration = SignedDuration::from_mins(15);

/// Works off the notes of unfinished identities.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, origin: &Origin, after: Option<&str>| {
        app.store.unfinished_identities(origin.now - CREATION_GRACE, after, BATCH).await
    };
    run.report.creations_undone = run.all(due, finish).await?;
    Ok(())
}

/// Row first, so that nobody can finish the creation, then what Cognito may have.
async fn finish(
    app: &App,
    origin: &Origin,
    (note, person): (UnfinishedIdentity, Option<User>),
) -> Result<Swept, Error> {
    let undone = match person {
        None => Swept::Nothing,
        Some(person) if person.identity_due.is_none() => {
            address_change::finish(&app.store, &app.identity, &note, &person).await?;
            return Ok(Swept::Nothing);
        }
        // Finished a moment ago: the note went with it.
        Some(person) if !app.store.undo_creation(&person, origin).await? => return Ok(Swept::Nothing),
        Some(_) => Swept::Done,
    };
    forget(app, &note).await?;
    Ok(undone)
}

/// Deletes the Cognito user of somebody whose row is gone, and of whom nothing is to be kept what the indexes know by now;
/// then the note: whatever fails or is left, the next run goes on from there.
pub(super) async fn forget(app: &App, note: &UnfinishedIdentity) -> Result<(), Error> {
    app.identity.delete(&note.user_id).await?;
    if note.erase && !app.store.erase_about(&note.user_id).await? {
        return Ok(());
    }
    app.store.finish_identity(note).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
