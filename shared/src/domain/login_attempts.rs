//! Failed logins to one address: who waits, and who is still served.
//!
//! Two bounds, for addresses with and without an account alike. Per source: four failures in a row cost nothing, from the
//! fifth on each doubles a wait. Per address: Cognito locks everybody out after the fifth wrong password, so at most four
//! are passed on to it; after that only sources that once logged in to the address are served until fifteen minutes have
//! passed without another. Nobody can therefore be locked out from somewhere else. Source of the rule: `docs/api.md`,
//! login.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::source::SourceAddress;

/// Failures in a row that cost nothing; the next one starts the wait.
const FREE_FAILURES: u32 = 4;
/// The wait after the first failure that costs one; each further failure doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// How long a row of failures is remembered after its last one.
const STREAK_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// Wrong passwords that are passed on to Cognito, which locks the user with the next one.
const MOST_PASSED_ON: u32 = 4;
/// How long Cognito counts a wrong password: so long after the last one its count begins anew, and ours with it.
const PASSED_ON_LIFE: SignedDuration = SignedDuration::from_mins(15);
/// How long after the last write it is known which sources have logged in.
const SOURCES_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The most sources that are kept, so that the row stays small whoever tries.
const MOST_SOURCES: usize = 50;

/// What is remembered of the logins to one address, as the table holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginAttempts {
    /// Counts the writes: each is made over the version that it was read in.
    pub version: u64,
    /// What is remembered of each source.
    pub sources: BTreeMap<SourceAddress, FromSource>,
    /// Wrong passwords that Cognito was asked about and still counts.
    pub passed_on: u32,
    /// Until when it counts them.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub passed_until: Timestamp,
    /// When all of this is forgotten; the table collects the row some time after.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub collect_at: Timestamp,
}

/// What is remembered of one source. Prints no more than that.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromSource {
    /// Failures in a row.
    pub failures: u32,
    /// Until when it is not served.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub wait_until: Timestamp,
    /// Whether it ever logged in to this address.
    pub logged_in: bool,
    /// When it last failed, or first logged in.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub last_at: Timestamp,
}

impl fmt::Debug for FromSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromSource").field("failures", &self.failures).finish_non_exhaustive()
    }
}

/// What became of a login, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Cognito was asked about a wrong password.
    WrongPassword,
    /// Cognito took the password, whatever the state of its account; its own count begins anew.
    RightPassword,
    /// The source proved by a mailed link that the address is its own. Cognito was not asked and counts on.
    MailedLink,
}

impl Default for LoginAttempts {
    fn default() -> Self {
        Self {
            version: 0,
            sources: BTreeMap::new(),
            passed_on: 0,
            passed_until: Timestamp::UNIX_EPOCH,
            collect_at: Timestamp::UNIX_EPOCH,
        }
    }
}

impl LoginAttempts {
    /// Whether Cognito may be asked about a password from `source`. If not, the login fails as one with a wrong password
    /// does, and counts for nothing.
    #[must_use]
    pub fn may_ask(&self, source: &SourceAddress, now: Timestamp) -> bool {
        if now >= self.collect_at {
            return true;
        }
        let known = self.sources.get(source);
        if known.is_some_and(|known| now < known.wait_until) {
            return false;
        }
        let used_up = self.passed_on >= MOST_PASSED_ON && now < self.passed_until;
        !used_up || known.is_some_and(|known| known.logged_in)
    }

    /// The row after an attempt from `source`; `None` where nothing is to be written: a right password that ends nothing,
    /// from a source that has logged in before.
    #[must_use]
    pub fn after(&self, attempt: Attempt, source: &SourceAddress, now: Timestamp) -> Option<Self> {
        let mut next =
            if now < self.collect_at { self.clone() } else { Self { version: self.version, ..Self::default() } };
        match attempt {
            Attempt::WrongPassword => next.fail(source, now),
            Attempt::RightPassword | Attempt::MailedLink => {
                let known = next.sources.get(source);
                if known.is_some_and(|known| known.logged_in && known.failures == 0) {
                    return None;
                }
                let known = FromSource { failures: 0, wait_until: now, logged_in: true, last_at: now };
                next.sources.insert(source.clone(), known);
                if attempt == Attempt::RightPassword {
                    next.passed_on = 0;
                }
            }
        }
        next.forget(now);
        next.version += 1;
        Some(next)
    }

    fn fail(&mut self, source: &SourceAddress, now: Timestamp) {
        let before = self.sources.get(source);
        let failures =
            before.filter(|before| now < before.last_at + STREAK_LIFE).map_or(0, |before| before.failures) + 1;
        let wait_until = now + wait_after(failures);
        let logged_in = before.is_some_and(|before| before.logged_in);
        self.sources.insert(source.clone(), FromSource { failures, wait_until, logged_in, last_at: now });
        self.passed_on = if now < self.passed_until { self.passed_on + 1 } else { 1 };
        self.passed_until = now + PASSED_ON_LIFE;
    }

    /// Drops what matters no more, and of too many sources those that matter least: who never logged in before who did,
    /// the oldest first. So nobody can push a source out that has logged in by failing from many others.
    fn forget(&mut self, now: Timestamp) {
        self.sources.retain(|_, source| source.logged_in || now < source.last_at + STREAK_LIFE);
        while self.sources.len() > MOST_SOURCES {
            let least = self.sources.iter().min_by_key(|(_, source)| (source.logged_in, source.last_at));
            let Some(least) = least.map(|(address, _)| address.clone()) else { break };
            self.sources.remove(&least);
        }
        let known = self.sources.values().any(|source| source.logged_in);
        self.collect_at = now + if known { SOURCES_LIFE } else { STREAK_LIFE };
    }
}

/// How long a source waits after so many failures in a row.
fn wait_after(failures: u32) -> SignedDuration {
    let Some(doublings) = failures.checked_sub(FREE_FAILURES + 1) else { return SignedDuration::ZERO };
    let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0);
    factor.and_then(|factor| FIRST_WAIT.checked_mul(factor)).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
