//! The one place where time is read.
//!
//! Everything else takes an instant as an argument, so that a test or the local portal can move time for the whole
//! product at once.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// Tells the time, in whole milliseconds. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The fixed start of a stopped clock; `None` follows the operating system.
    stopped_at: Option<Timestamp>,
    /// Milliseconds that the clock was moved forward.
    advanced: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that follows the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self { stopped_at: None, advanced: Arc::default() }
    }

    /// A clock that stands at `instant` until it is advanced.
    #[must_use]
    pub fn stopped(instant: Timestamp) -> Self {
        Self { stopped_at: Some(instant), advanced: Arc::default() }
    }

    /// The current instant, cut to whole milliseconds: the precision in which instants are stored.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one home of the clock")]
    pub fn now(&self) -> Timestamp {
        let base = self.stopped_at.unwrap_or_else(Timestamp::now);
        let millis = base.as_millisecond().saturating_add(self.advanced.load(Ordering::SeqCst));
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// Moves this clock and all its clones forward. A negative duration moves nothing: time never runs back.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX).max(0);
        self.advanced.fetch_add(millis, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_stopped_clock_are_advanced_together() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        let clone = clock.clone();

        clock.advance(SignedDuration::from_secs(61));

        assert_eq!(clone.now(), "1970-01-01T00:01:01Z".parse().unwrap());
    }

    #[test]
    fn time_never_runs_back() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);

        clock.advance(SignedDuration::from_secs(-5));

        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }
}
