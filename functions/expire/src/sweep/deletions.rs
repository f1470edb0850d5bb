//! Organisations and teams whose deletion was cut off, and that nobody deletes again.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use shared::{
    dissolution::{Dissolution, Progress},
    domain::{audit::Origin, organisation::Organisation},
    store::DeletedTeam,
};

use super::{
    BATCH,
    run::{Run, Swept},
};
use crate::App;

/// How long the request that began it is left alone: it has ended by then, one way or the other.
const LEFT_ALONE: SignedDuration = SignedDuration::from_secs(60);

/// Finishes organisations, so that their people come into the Default Organisation.
pub(super) async fn organisations(run: &mut Run<'_>) -> Result<(), Error> {
    let (since, until, mut after) = (run.origin.now - LEFT_ALONE, run.until(), None);
    loop {
        let page = run.app.store.organisations_to_delete(since, after.as_deref(), BATCH).await?;
        let due = page.rows.into_iter().map(|row| row.map(|organisation| (organisation, until))).collect();
        run.report.organisations_deleted += run.each(due, finish_organisation).await;
        after = page.next;
        if after.is_none() || run.is_out_of_time() {
            return Ok(());
        }
    }
}

/// Finishes teams, so that their people come into the other teams of their organisation.
pub(super) async fn teams(run: &mut Run<'_>) -> Result<(), Error> {
    let (since, until, mut after) = (run.origin.now - LEFT_ALONE, run.until(), None);
    loop {
        let page = run.app.store.teams_to_leave(since, after.as_deref(), BATCH).await?;
        let due = page.rows.into_iter().map(|row| row.map(|team| (team, until))).collect();
        run.report.teams_deleted += run.each(due, finish_team).await;
        after = page.next;
        if after.is_none() || run.is_out_of_time() {
            return Ok(());
        }
    }
}

type Until = Option<Timestamp>;

async fn finish_organisation(app: &App, origin: &Origin, due: (Organisation, Until)) -> Result<Swept, Error> {
    let (organisation, until) = due;
    let dissolution = Dissolution { store: &app.store, clock: &app.clock, origin, until };
    Ok(swept(dissolution.organisation(&organisation).await?))
}

async fn finish_team(app: &App, origin: &Origin, due: (DeletedTeam, Until)) -> Result<Swept, Error> {
    let (team, until) = due;
    let dissolution = Dissolution { store: &app.store, clock: &app.clock, origin, until };
    Ok(swept(dissolution.team(&team).await?))
}

fn swept(progress: Progress) -> Swept {
    match progress {
        Progress::Finished => Swept::Done,
        Progress::CutOff => Swept::Nothing,
    }
}

#[cfg(test)]
mod tests;
