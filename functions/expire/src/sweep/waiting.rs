//! Registrations that wait although the settings approve them: those whom the change of the settings did not reach in its
//! time, and whoever began to wait while it was made.

use lambda_runtime::Error;
use shared::{
    domain::{approval, audit::Origin, transition::Transition, user::User},
    store::{StoreError, Transitioned},
};

use super::{
    BATCH,
    run::{Page, Run, Swept},
};
use crate::App;

/// Approves them as an API Owner would, each once: whoever was decided about meanwhile stays as decided.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    // Where nothing is approved by itself the queue may be long, and is not even looked at.
    if approval::is_automatic(&run.app.store.settings().await?) {
        run.report.waiting_approved = run.all(due, approve).await?;
    }
    Ok(())
}

/// Those of a page whom the settings approve, as they are now: nobody more once they are changed back.
async fn due(app: &App, _: &Origin, after: Option<&str>) -> Result<Page<User>, StoreError> {
    let waiting = app.store.waiting(after, BATCH).await?;
    let (settings, mut page) = (waiting.settings, waiting.people);
    page.rows.retain(|row| row.as_ref().map_or(true, |person| approval::waits_in_vain(&settings, person)));
    page.next = page.next.filter(|_| approval::is_automatic(&settings));
    Ok(page)
}

async fn approve(app: &App, origin: &Origin, person: User) -> Result<Swept, Error> {
    let approved = app.store.transition(&person, Transition::Approve, None, origin).await?;
    Ok(matches!(approved, Transitioned::Done(_)).into())
}

#[cfg(test)]
mod tests;
