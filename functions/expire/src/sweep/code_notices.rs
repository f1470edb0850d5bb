//! What the creators of invite codes are told: that a code ends soon, and that few of its slots are left.

use lambda_runtime::Error;
use shared::domain::{audit::Origin, invite_code::InviteCode};

use super::{
    BATCH,
    run::{Run, Swept},
};
use crate::App;

/// Tells of codes that end within three days, each once for each expiry that it is given.
pub(super) async fn ending(run: &mut Run<'_>) -> Result<(), Error> {
    let due =
        async |app: &App, origin: &Origin, after: Option<&str>| app.store.ending_codes(origin.now, after, BATCH).await;
    run.report.code_ends_told = run.all(due, tell_of_end).await?;
    Ok(())
}

async fn tell_of_end(app: &App, origin: &Origin, code: InviteCode) -> Result<Swept, Error> {
    if code.is_over(origin.now) {
        app.store.tell_of_end(&code, None, origin).await?;
        return Ok(Swept::Nothing);
    }
    // Who is switched off or used up may let people in again before the end: it is looked at until then.
    if !code.ends_untold(origin.now) {
        return Ok(Swept::Nothing);
    }
    let facts = app.store.notice_facts(&code).await?;
    if facts.settings.sender.is_none() {
        return Ok(Swept::Nothing);
    }
    Ok(app.store.tell_of_end(&code, Some(&facts), origin).await?.into())
}

/// Tells of codes with few slots left, each once until its quota is raised.
pub(super) async fn low(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, _: &Origin, after: Option<&str>| app.store.codes_to_look_at(after, BATCH).await;
    run.report.low_codes_told = run.all(due, tell_of_few_slots).await?;
    Ok(())
}

async fn tell_of_few_slots(app: &App, origin: &Origin, code: InviteCode) -> Result<Swept, Error> {
    if !code.is_low(origin.now) {
        app.store.looked_at(&code).await?;
        return Ok(Swept::Nothing);
    }
    let facts = app.store.notice_facts(&code).await?;
    if facts.settings.sender.is_none() {
        return Ok(Swept::Nothing);
    }
    Ok(app.store.tell_of_few_slots(&code, &facts, origin).await?.into())
}

#[cfg(test)]
mod tests;
