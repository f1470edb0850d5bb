//! How Cognito slows down guessing, as its developer guide describes it ("Lockout behavior for failed sign-in
//! attempts"): from the fifth failure on, the n-th locks the user out for 2^(n-5) seconds, at most 15 minutes.
//! Attempts while locked out fail whatever the password, and do not count.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const FREE_FAILURES: u32 = 5;
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After so long without an attempt the count begins anew.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// The failures of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockout {
    failures: u32,
    locked_until: Option<Timestamp>,
    last_attempt: Option<Timestamp>,
}

impl Lockout {
    /// Notes an attempt and says whether its password may be looked at.
    pub fn attempt(&mut self, now: Timestamp) -> bool {
        let quiet_since = self.last_attempt.max(self.locked_until);
        if quiet_since.is_some_and(|since| now.duration_since(since) >= FORGOTTEN_AFTER) {
            *self = Self::default();
        }
        self.last_attempt = Some(now);
        self.locked_until.is_none_or(|until| now >= until)
    }

    /// Notes that the password was wrong.
    pub fn failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if let Some(further) = self.failures.checked_sub(FREE_FAILURES) {
            let wait = 1_i64.checked_shl(further).map_or(LONGEST, SignedDuration::from_secs);
            self.locked_until = now.checked_add(wait.clamp(SignedDuration::from_secs(1), LONGEST)).ok();
        }
    }

    /// Notes that the password was right.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn at(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    /// A user whose password was wrong `failures` times, each as soon as it was looked at; and the time then.
    fn after(failures: u32) -> (Lockout, Timestamp) {
        let (mut lockout, mut now) = (Lockout::default(), START);
        for _ in 0..failures {
            while !lockout.attempt(now) {
                now += SignedDuration::from_secs(1);
            }
            lockout.failed(now);
        }
        (lockout, now)
    }

    #[test]
    fn four_failures_lock_nobody_out() {
        let (mut lockout, now) = after(4);

        assert!(lockout.attempt(now));
    }

    #[test]
    fn the_wait_doubles_from_one_second_to_fifteen_minutes() {
        for (failures, wait) in [(5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (16, 900), (90, 900)] {
            let (mut lockout, now) = after(failures);

            assert!(!lockout.attempt(now + SignedDuration::from_secs(wait - 1)), "failure {failures}");
            assert!(lockout.attempt(now + SignedDuration::from_secs(wait)), "failure {failures}");
        }
    }

    #[test]
    fn attempts_while_locked_out_do_not_make_the_wait_longer() {
        let (mut lockout, now) = after(6);

        for _ in 0..10 {
            assert!(!lockout.attempt(now));
        }

        assert!(lockout.attempt(now + SignedDuration::from_secs(2)));
    }

    #[test]
    fn a_success_begins_the_count_anew() {
        let (mut lockout, _) = after(4);
        lockout.succeeded();

        lockout.failed(START);

        assert!(lockout.attempt(START));
    }

    #[test]
    fn fifteen_quiet_minutes_begin_the_count_anew() {
        let mut lockout = Lockout { failures: 9, locked_until: Some(at(16)), last_attempt: Some(at(0)) };

        assert!(lockout.attempt(at(16 + 900)));
        lockout.failed(at(16 + 900));

        assert!(lockout.attempt(at(16 + 900)), "it is the first failure again");
    }
}
