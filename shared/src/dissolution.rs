//! Finishing the deletion of an organisation or team: everybody leaves, then what is left goes.
//!
//! The one place for these steps, whoever takes them: the request that deletes, its repeat, the sweep. Each may stop
//! anywhere and be taken again; two at once get into nobody's way. Source of the rule: `docs/architecture.md`, section
//! 3.14.

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::{
    clock::Clock,
    domain::{audit::Origin, organisation::Organisation},
    store::{DeletedTeam, LeftPage, Store, StoreError},
};

/// How many people leave at the same time.
const IN_FLIGHT: usize = 16;

/// How often those who were found are found again, none fewer, before the caller is told to try later.
const MAX_IDLE: usize = 5;

/// How far a deletion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everybody has left, and nothing is left of it.
    Finished,
    /// The time is up: a repeat, or the sweep, goes on.
    CutOff,
}

/// What the steps are taken with.
#[derive(Clone, Copy, Debug)]
pub struct Dissolution<'a> {
    /// State.
    pub store: &'a Store,
    /// Time.
    pub clock: &'a Clock,
    /// Where the writes come from.
    pub origin: &'a Origin,
    /// From when on nobody else is moved; `None` goes on to the end.
    pub until: Option<Timestamp>,
}

impl Dissolution<'_> {
    /// Finishes an organisation that is marked: its teams' rows go, then everybody leaves, then its own row goes.
    ///
    /// # Errors
    /// When a step failed; the others were taken all the same.
    pub async fn organisation(&self, organisation: &Organisation) -> Result<Progress, StoreError> {
        loop {
            let teams = self.store.standing_teams(organisation).await?;
            if teams.is_empty() {
                break;
            }
            for team in teams {
                if self.is_out_of_time() {
                    return Ok(Progress::CutOff);
                }
                // Who is overtaken, by another name say, finds the team again.
                self.store.delete_team(&team, self.origin).await?;
            }
        }
        loop {
            let teams = self.store.deleted_teams_of(&organisation.id).await?;
            if teams.is_empty() {
                break;
            }
            for team in teams {
                if self.team(&team).await? == Progress::CutOff {
                    return Ok(Progress::CutOff);
                }
            }
        }
        self.store.remove_organisation(&organisation.id).await?;
        Ok(Progress::Finished)
    }

    /// Finishes a team whose row is gone: everybody leaves it, then what is left of it goes.
    ///
    /// # Errors
    /// When somebody could not leave; the others have left all the same.
    pub async fn team(&self, team: &DeletedTeam) -> Result<Progress, StoreError> {
        let (mut least, mut idle) = (usize::MAX, 0);
        loop {
            let (mut after, mut held) = (None, 0);
            let mut failure = None;
            loop {
                let page = self.store.left_in(team, after.as_deref()).await?;
                held += page.left.len();
                after = page.next.clone();
                if self.let_leave(team, page, &mut failure).await == Progress::CutOff {
                    return Ok(Progress::CutOff);
                }
                if after.is_none() {
                    break;
                }
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
            if held == 0 {
                self.store.forget_team(team).await?;
                return Ok(Progress::Finished);
            }
            idle = if held < least { 0 } else { idle + 1 };
            if idle >= MAX_IDLE {
                return Err(StoreError::Busy);
            }
            least = least.min(held);
        }
    }

    /// Lets these leave, several at once. A failure keeps nobody else waiting.
    async fn let_leave(&self, team: &DeletedTeam, page: LeftPage, failure: &mut Option<StoreError>) -> Progress {
        let mut leaving = JoinSet::new();
        let mut progress = Progress::Finished;
        for one in page.left {
            if self.is_out_of_time() {
                progress = Progress::CutOff;
                break;
            }
            if leaving.len() >= IN_FLIGHT {
                note(leaving.join_next().await, failure);
            }
            let (store, team, origin) = (self.store.clone(), team.clone(), self.origin.clone());
            let organisation = page.organisation.clone();
            leaving.spawn(async move { store.leave(&team, &one, organisation.as_ref(), &origin).await });
        }
        while let Some(end) = leaving.join_next().await {
            note(Some(end), failure);
        }
        progress
    }

    fn is_out_of_time(&self) -> bool {
        self.until.is_some_and(|until| self.clock.now() >= until)
    }
}

/// Keeps the first failure. A step that panicked may be taken again, like one that was cut off.
fn note(end: Option<Result<Result<(), StoreError>, tokio::task::JoinError>>, failure: &mut Option<StoreError>) {
    match end {
        None | Some(Ok(Ok(()))) => {}
        Some(Ok(Err(error))) => {
            failure.get_or_insert(error);
        }
        Some(Err(_)) => {
            failure.get_or_insert(StoreError::Busy);
        }
    }
}
