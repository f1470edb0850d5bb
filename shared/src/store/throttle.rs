//! Limits per source: counted in the write, so that no number of requests at once gets past one.

use jiff::Timestamp;

use super::{
    Store, StoreError,
    change::Change,
    db::{Applied, read},
    keys::Key,
};
use crate::domain::{
    source::SourceAddress,
    throttle::{UNKNOWN_CODES_WINDOW, Window},
};

/// How often an attempt is counted anew because others opened or filled its window meanwhile.
const MAX_TRIES: usize = 5;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is counted and let through.
    Counted,
    /// The window is full.
    Refused(Window),
}

impl Store {
    /// Counts an unknown code of `source`, at most `most` in a window; `seen` is the window as it was read.
    ///
    /// One conditional update, which decides; none where the window that was read is full. One more each time that
    /// others opened or ended the window in between.
    pub async fn count_unknown_code(
        &self,
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
            let key = Key::unknown_codes_of(source);
            let change = if open.is_some() {
                Change::update(key, "ADD #count :one")
                    .when("#until > :now AND #count < :most")
                    .with("one", 1)
                    .with("most", most)
            } else {
                let until = now + UNKNOWN_CODES_WINDOW;
                Change::update(key, "SET #count = :one, #until = :until, #collect_at = :collect_at")
                    .when("attribute_not_exists(#pk) OR #until <= :now")
                    .with("one", 1)
                    .with("until", until.as_millisecond())
                    // Rounded up: what is collected too early would be forgotten.
                    .with("collect_at", until.as_second() + 1)
            };
            match self.db.apply(change.with("now", now.as_millisecond())).await? {
                Applied::Done(_) => return Ok(Attempt::Counted),
                Applied::Refused(item) => seen = item.map(read).transpose()?,
            }
        }
        Err(StoreError::Busy)
    }
}
