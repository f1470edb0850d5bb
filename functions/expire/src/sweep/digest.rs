//! Once a day the owners hear of registrations that have waited for more than a day.

use lambda_runtime::Error;
use shared::domain::{
    approval::{DIGEST_NAMES, LONG_WAIT},
    user::Status,
};

use super::{BATCH, run::Run};

/// Sends the digest, where registrations have waited for long and none was sent within the day. Without a sender, or with
/// nobody to tell, nothing is written: the next run asks again.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let (store, now) = (&run.app.store, run.origin.now);
    let facts = store.digest_facts().await?;
    if !facts.is_due(now) {
        return Ok(());
    }
    let since = now - LONG_WAIT;
    let (mut count, mut longest, mut after) = (0, Vec::new(), None);
    loop {
        let page = store.people_since(Status::Pending, since, after.as_deref(), BATCH).await?;
        for row in page.rows {
            match row {
                // The index may still have somebody who was approved a moment ago.
                Ok(person) if !person.has_been(Status::Pending, since) => {}
                Ok(person) => {
                    count += 1;
                    longest.extend((longest.len() < usize::from(DIGEST_NAMES)).then_some(person));
                }
                // Counted, and missing from the names: the others are told of all the same.
                Err(error) => {
                    count += 1;
                    run.failed(&error.into());
                }
            }
        }
        after = page.next;
        if after.is_none() {
            break;
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
