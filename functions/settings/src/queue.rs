//! What a change of the settings does for those who wait for approval: whom they approve from now on is let in.

use jiff::SignedDuration;
use shared::{
    domain::{approval, audit::Origin, transition::Transition, user::User},
    store::{Store, StoreError, Transitioned},
};
use tokio::task::JoinSet;

use crate::App;

/// How long a change goes on approving before it answers: well below the function's own time. The sweep does the rest.
const TIME: SignedDuration = SignedDuration::from_secs(8);
/// How many people are read at once.
const PAGE: u16 = 50;
/// How many approvals are under way at once.
const IN_FLIGHT: usize = 8;

/// Lets in whoever waits and is approved by the settings, the longest waiting first, until the time is up or the settings
/// say otherwise. Each is an approval like any other by whoever changed the settings. What fails is logged and left to the
/// sweep: the settings are changed, and that is what the caller hears of.
pub(crate) async fn let_in(app: &App, origin: &Origin) {
    let until = origin.now + TIME;
    let mut after = None;
    loop {
        match page(app, origin, after.as_deref(), until).await {
            Ok(Some(next)) => after = Some(next),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the queue could not be read; the sweep will");
                return;
            }
        }
    }
}

/// Lets in those of one page; the position of the next one, where there is one and time for it.
async fn page(
    app: &App,
    origin: &Origin,
    after: Option<&str>,
    until: jiff::Timestamp,
) -> Result<Option<String>, StoreError> {
    let waiting = app.store.waiting(after, PAGE).await?;
    let mut under_way = JoinSet::new();
    for row in waiting.people.rows {
        let person = match row {
            Ok(person) if approval::waits_in_vain(&waiting.settings, &person) => person,
            Ok(_) => continue,
            Err(error) => {
                tracing::error!(%error, "somebody who waits could not be read");
                continue;
            }
        };
        if app.clock.now() >= until {
            break;
        }
        if under_way.len() >= IN_FLIGHT {
            under_way.join_next().await;
        }
        under_way.spawn(approve(app.store.clone(), person, origin.clone()));
    }
    under_way.join_all().await;
    let go_on = app.clock.now() < until && approval::is_automatic(&waiting.settings);
    Ok(waiting.people.next.filter(|_| go_on))
}

/// One approval. Whoever was decided about meanwhile stays as decided.
async fn approve(store: Store, person: User, origin: Origin) {
    match store.transition(&person, Transition::Approve, None, &origin).await {
        Ok(
            Transitioned::Done(_)
            | Transitioned::WrongStatus(_)
            | Transitioned::LastOwner
            | Transitioned::NoSuchTeam
            | Transitioned::Gone,
        ) => {}
        Err(error) => tracing::error!(user = %person.id, %error, "nobody was let in; the sweep will"),
    }
}

#[cfg(test)]
mod tests;
