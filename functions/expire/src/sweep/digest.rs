//! Once a day the owners hear of registrations that have waited for more than a day.

use lambda_runtime::Error;
use shared::domain::{approval::LONG_WAIT, user::Status};

use super::{BATCH, run::Run};

/// Sends the digest, where registrations have waited for long and none was sent within the day. Without a sender, or with
/// nobody to tell, nothing is written: the next run asks again.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let (store, now) = (&run.app.store, run.origin.now);
    let facts = store.digest_facts().await?;
    if !facts.is_due(now) {
        return Ok(());
    }
    let long_ago = now - LONG_WAIT;
    let (mut count, mut since, mut after) = (0, long_ago, None);
    loop {
        let page = store.people_since(Status::Pending, long_ago, after.as_deref(), BATCH).await?;
        for row in page.rows {
            match row {
                // The index may still have somebody who was approved a moment ago.
                Ok(person) if !person.has_been(Status::Pending, long_ago) => {}
                Ok(person) => {
                    count += 1;
                    since = since.min(person.status_since);
                }
                // Counted: the others are told of all the same.
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
        let sent = run.app.store.send_digest(&facts.owners, count, since, &run.origin).await?;
        run.report.digests_queued = usize::from(sent);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
