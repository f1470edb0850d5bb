//! Cognito users named like people of ours whom no row knows: what a crash or a restored table leaves in the pool.
//!
//! They are removed in a pool that is the portal's own, and only reported in one that was there before. The pool is
//! walked page by page, a few pages a run, once a day. Whatever is doubtful stays: somebody just made, somebody whose
//! creation has a note, everybody where the table does not look like this portal's.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use shared::{
    domain::{audit::Origin, ids::UserId},
    identity::PoolUser,
    store::PoolWalk,
};

use super::{
    identities::CREATION_GRACE,
    run::{Run, Swept},
};
use crate::App;

/// How many pages one run goes through.
const PAGES: usize = 5;
/// How many users one run removes at most: a fault of ours does not empty a pool before somebody sees it.
const MOST_REMOVED: usize = 10;
/// How often a walk starts.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// From how many users on a page is judged as a whole: where most of it has no row, the table is doubted, not the pool.
const JUDGED_AS_A_WHOLE: usize = 10;

/// Most users of a page have no row.
#[derive(Debug, thiserror::Error)]
#[error("{missing} of {judged} users of a page of the pool have no row: is this the portal's table?")]
struct Doubtful {
    missing: usize,
    judged: usize,
}

/// Goes on with the walk over the pool, or starts one where that is due.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let mut before = run.app.store.pool_walk().await?;
    let Some(mut began_at) = under_way(before.as_ref(), run.origin.now) else { return Ok(()) };
    for _ in 0..PAGES {
        if run.is_out_of_time() {
            break;
        }
        let token = before.as_ref().and_then(|walk| walk.token.as_deref());
        let mut page = run.app.identity.list_users(token).await?;
        if page.is_none() {
            // Cognito forgets where a walk was after some time: it starts over.
            began_at = run.origin.now;
            page = run.app.identity.list_users(None).await?;
        }
        let Some(page) = page else { break };
        if !work_off(run, page.users).await? {
            break;
        }
        let step = before.as_ref().map_or(0, |walk| walk.step) + 1;
        let after = PoolWalk { token: page.next, began_at, step };
        // Another run has gone on with the walk, or this was the last page.
        if !run.app.store.step_pool_walk(before.as_ref(), &after).await? || after.token.is_none() {
            break;
        }
        before = Some(after);
    }
    Ok(())
}

/// When the walk that is to go on now began; `None` where none is and none is due.
fn under_way(walk: Option<&PoolWalk>, now: Timestamp) -> Option<Timestamp> {
    match walk {
        Some(walk) if walk.token.is_some() => Some(walk.began_at),
        Some(walk) if now < walk.began_at + EVERY => None,
        _ => Some(now),
    }
}

/// Deals with the users of a page; `false` where some of them are left for the next run.
async fn work_off(run: &mut Run<'_>, users: Vec<PoolUser>) -> Result<bool, Error> {
    let on_page = users.len();
    let old = run.origin.now - CREATION_GRACE;
    let judged: Vec<UserId> = users.into_iter().filter(|user| user.created_at < old).map(|user| user.id).collect();
    if judged.is_empty() {
        return Ok(true);
    }
    let mut missing = run.app.store.without_row(&judged).await?;
    if missing.is_empty() {
        return Ok(true);
    }
    if !run.app.owns_pool {
        run.report.orphans_reported += missing.len();
        let ids: Vec<_> = missing.iter().map(UserId::as_str).collect();
        tracing::warn!(?ids, "users of the pool have no row; the pool is not the portal's own, so they stay");
        return Ok(true);
    }
    if on_page >= JUDGED_AS_A_WHOLE && missing.len() * 2 > judged.len() {
        // Nobody is removed, and the walk goes on: the next one judges the page again.
        run.failed(&Doubtful { missing: missing.len(), judged: judged.len() }.into());
        return Ok(true);
    }
    let room = MOST_REMOVED.saturating_sub(run.report.orphans_removed);
    let all = missing.len() <= room;
    missing.truncate(room);
    let removed = run.each(missing.into_iter().map(Ok::<_, Error>).collect(), remove).await;
    run.report.orphans_removed += removed;
    // Where not even the room was used, some of them cannot be removed: they are the next walk's, not in the way of this.
    Ok((all || removed < room) && !run.is_out_of_time())
}

/// Removes one user, unless a row has come meanwhile.
async fn remove(app: &App, _: &Origin, id: UserId) -> Result<Swept, Error> {
    let removed = app.store.is_nobodys(&id).await? && app.identity.delete(&id).await?;
    if removed {
        tracing::warn!(user = %id, "a user of the pool had no row and was removed");
    }
    Ok(removed.into())
}

#[cfg(test)]
mod safety;
#[cfg(test)]
mod tests;
