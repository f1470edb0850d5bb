//! Once a day the owners hear of registrations that have waited for more than a day.

use lambda_runtime::Error;
use shared::domain::{
    approval::{DIGEST_NAMES, LONG_WAIT},
    user::Status,
};

use super::run::Run;

/// Sends the digest, where registrations have waited for long and none was sent within the day. Without a sender, or with
/// nobody to tell, nothing is written: the next run asks again.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let (store, now) = (&run.app.store, run.origin.now);
    let facts = store.digest_facts().await?;
    if !facts.is_due(now) {
        return Ok(());
    }
    let since = now - LONG_WAIT;
    let rows = store.people_since(Status::Pending, since, None, DIGEST_NAMES).await?.rows;
    let count = store.count_since(Status::Pending, since).await?;
    let mut longest = Vec::new();
    for row in rows {
        match row {
            Ok(person) => longest.push(person),
            // Counted, and missing from the names: the others are told of all the same.
            Err(error) => run.failed(&error.into()),
        }
    }
    if count > 0 {
        let sent = run.app.store.send_digest(&facts.owners, count, &longest, &run.origin).await?;
        run.report.digests_queued = usize::from(sent);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
