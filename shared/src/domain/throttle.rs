//! Limits per source: how much is let through in a window of time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What is counted per source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// Unknown invite codes that are tried.
    UnknownCodes,
    /// Sign-ups: registrations and redemptions of invite codes together, of known and unknown addresses alike.
    SignUps,
}

impl Throttle {
    /// How long what comes from one source is counted together.
    #[must_use]
    pub fn window(self) -> SignedDuration {
        match self {
            Self::UnknownCodes => SignedDuration::from_mins(10),
            Self::SignUps => SignedDuration::from_hours(1),
        }
    }

    /// Its name: part of a key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCodes => "codes",
            Self::SignUps => "signups",
        }
    }
}

/// What was counted in a window, which is fixed once its first event has opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// How many events it has seen.
    pub count: u32,
    /// It ends at this instant; the next event after it opens another.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
}

impl Window {
    /// Whether the window still counts at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether no further event is let through at `now`, of `most` in a window.
    #[must_use]
    pub fn is_full(&self, most: u32, now: Timestamp) -> bool {
        self.is_open(now) && self.count >= most
    }

    /// How many whole seconds from `now` on it takes until something is let through again; at least one.
    #[must_use]
    pub fn seconds_left(&self, now: Timestamp) -> u32 {
        let milliseconds = self.until.as_millisecond().saturating_sub(now.as_millisecond());
        u32::try_from(milliseconds.saturating_add(999) / 1000).unwrap_or_default().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_window_is_full_at_its_limit_and_only_until_it_ends() {
        let window = |count| Window { count, until: NOW };
        let before = NOW - SignedDuration::from_millis(1);

        assert!(!window(9).is_full(10, before) && window(10).is_full(10, before) && window(11).is_full(10, before));
        assert!(!window(10).is_full(10, NOW));
    }

    #[test]
    fn who_waits_as_long_as_they_are_told_finds_it_ended() {
        let window = Window { count: 1, until: NOW };

        for (left, seconds) in [(1, 1), (1000, 1), (1001, 2), (600_000, 600), (-5, 1)] {
            assert_eq!(window.seconds_left(NOW - SignedDuration::from_millis(left)), seconds, "{left}");
        }
    }
}
