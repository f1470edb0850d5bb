//! Registrations that were rejected long ago.

use lambda_runtime::Error;
use shared::domain::{
    audit::Origin,
    transition::REJECTED_LIFE,
    user::{Status, User},
};

use super::{
    BATCH, identities,
    run::{Run, Swept},
};
use crate::App;

/// Deletes registrations that nobody has reopened.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, origin: &Origin, after: Option<&str>| {
        app.store.people_since(Status::Rejected, origin.now - REJECTED_LIFE, after, BATCH).await
    };
    run.report.rejected_deleted = run.all(due, delete).await?;
    Ok(())
}

async fn delete(app: &App, origin: &Origin, person: User) -> Result<Swept, Error> {
    let since = origin.now - REJECTED_LIFE;
    let Some(note) = app.store.delete_rejected(&person, since, origin).await? else { return Ok(Swept::Nothing) };
    identities::forget(app, &note).await?;
    Ok(Swept::Done)
}

#[cfg(test)]
mod tests;
