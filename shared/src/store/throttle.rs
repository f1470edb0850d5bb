//! Limits per source: counted in the write, so that no number of requests at once gets past one.

use jiff::Timestamp;

use super::{
    Store, StoreError,
    change::Change,
    db::{Applied, read},
    keys::Key,
};
use crate::domain::{
    settings::Throttles,
    source::SourceAddress,
    throttle::{Throttle, Window},
};

/// How often an attempt is counted anew because others opened or filled its window meanwhile.
const MAX_TRIES: usize = 5;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is let through, and counted where there is a limit.
    LetThrough,
    /// The window is full.
    Refused(Window),
}

impl Store {
    /// Counts an unknown code of `source`; `seen` is the window as it was read. One call, none where the window is full.
    pub async fn count_unknown_code(
        &self,
        source: &SourceAddress,
        seen: Option<Window>,
        limits: &Throttles,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        self.count(Throttle::UnknownCodes, source, seen, limits.unknown_codes, now).await
    }

    /// Counts a sign-up from `source` where `limits` has a limit; `seen` is the window as it was read. Without a limit
    /// no call, otherwise as for an unknown code.
    pub async fn count_sign_up(
        &self,
        source: &SourceAddress,
        seen: Option<Window>,
        limits: &Throttles,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        match limits.sign_ups {
            Some(most) => self.count(Throttle::SignUps, source, seen, most, now).await,
            None => Ok(Attempt::LetThrough),
        }
    }

    /// Counts one attempt, at most `most` in a window.
    ///
    /// One conditional update, which decides; none where the window that was read is full. One more each time that
    /// others opened or ended the window in between.
    async fn count(
        &self,
        throttle: Throttle,
        source: &SourceAddress,
        seen: Option<Window>,
        most: u32,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let mut seen = seen;
        for _ in 0..MAX_TRIES {
            let open = seen.filter(|window| window.is_open(now));
            if let Some(window) = open.filter(|window| window.is_full(most, now)) {
                return Ok(Attempt::Refused(window));
            }
            let key = Key::throttle(throttle, source);
            let change = if open.is_some() {
                Change::update(key, "ADD #count :one")
                    .when("#until > :now AND #count < :most")
                    .with("one", 1)
                    .with("most", most)
            } else {
                let until = now + throttle.window();
                Change::update(key, "SET #count = :one, #until = :until, #collect_at = :collect_at")
                    .when("attribute_not_exists(#pk) OR #until <= :now")
                    .with("one", 1)
                    .with("until", until.as_millisecond())
                    // Rounded up: what is collected too early would be forgotten.
                    .with("collect_at", until.as_second() + 1)
            };
            match self.db.apply(change.with("now", now.as_millisecond())).await? {
                Applied::Done(_) => return Ok(Attempt::LetThrough),
                Applied::Refused(item) => seen = item.map(read).transpose()?,
            }
        }
        Err(StoreError::Busy)
    }
}
