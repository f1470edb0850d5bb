//! Cognito users without a row: how far the walk over the pool has come, and who of a page is nobody's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    change::Change,
    keys::Key,
    transaction::{Commit, Transaction},
};
use crate::domain::{ids::UserId, settings::Settings};

/// A walk over the user pool, page by page, over as many runs as it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolWalk {
    /// Where the next page starts; `None` before the first and after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When the walk began.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub began_at: Timestamp,
    /// Counts the steps of all walks: who writes the next one tells by it that nobody has meanwhile.
    pub step: u64,
}

impl Store {
    /// How far the walk over the user pool has come; `None` before the first one.
    pub async fn pool_walk(&self) -> Result<Option<PoolWalk>, StoreError> {
        self.db.fetch([Key::pool_walk()]).await?.get(&Key::pool_walk())
    }

    /// Notes the step that follows `before`. `false` where another run has gone on meanwhile.
    pub async fn step_pool_walk(&self, before: Option<&PoolWalk>, after: &PoolWalk) -> Result<bool, StoreError> {
        let change = Change::put(Key::pool_walk(), after);
        let change = match before {
            None => change.when_new(),
            Some(before) => change.when("#step = :step").with("step", before.step),
        };
        let mut transaction = Transaction::default();
        transaction.add(change);
        Ok(matches!(self.db.commit(transaction).await?, Commit::Done))
    }

    /// Which of `ids` have no row, in their order. One batch, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where the table has no settings: it is not this portal's, or not yet, and must not be
    /// taken for one where all these people are gone.
    pub async fn without_row(&self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let fetched = self.db.fetch(ids.iter().map(Key::user).chain([Key::settings()])).await?;
        let _: Settings = fetched.settings()?;
        Ok(ids.iter().filter(|id| !fetched.has(&Key::user(id))).cloned().collect())
    }

    /// Whether nobody has this id, and nobody is about to: neither a row nor the note that its creation began. One
    /// batch, strongly consistent.
    ///
    /// # Errors
    /// As [`Store::without_row`].
    pub async fn is_nobodys(&self, id: &UserId) -> Result<bool, StoreError> {
        // A creation's note carries the instant of its person's id.
        let note = Key::unfinished_identity(id.made_at(), id);
        let fetched = self.db.fetch([Key::user(id), note.clone(), Key::settings()]).await?;
        let _: Settings = fetched.settings()?;
        Ok(!fetched.has(&Key::user(id)) && !fetched.has(&note))
    }
}
