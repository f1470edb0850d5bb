//! Counting logins: one row per address, whether or not it has an account.

use jiff::Timestamp;

use super::{
    Store, StoreError,
    change::Change,
    db::{Applied, read},
    keys::Key,
};
use crate::domain::{
    email::Email,
    login_attempts::{Attempt, LoginAttempts},
    source::SourceAddress,
};

/// How often an attempt is counted again over what others wrote meanwhile.
const MAX_TRIES: u32 = 5;

impl Store {
    /// Counts `attempt` over `read`, the row as the login read it. One update, or none where nothing changes.
    ///
    /// Never fails: whoever has the right password gets in although it could not be written down, and who has not is
    /// told so. What cannot be counted is logged.
    pub async fn count_login(
        &self,
        email: &Email,
        read: &LoginAttempts,
        attempt: Attempt,
        source: &SourceAddress,
        now: Timestamp,
    ) {
        match self.try_to_count_login(email, read, attempt, source, now).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(?attempt, "a login was not counted: too many others were"),
            Err(error) => tracing::error!(?attempt, %error, "a login was not counted"),
        }
    }

    /// The row is written whole over the version that was read; who loses a race counts over what the winner wrote.
    /// `false` where that happened too often.
    async fn try_to_count_login(
        &self,
        email: &Email,
        before: &LoginAttempts,
        attempt: Attempt,
        source: &SourceAddress,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut before = before.clone();
        for _ in 0..MAX_TRIES {
            let Some(after) = before.after(attempt, source, now) else { return Ok(true) };
            before = match self.db.apply(over(email, &before, &after)).await? {
                Applied::Done(_) => return Ok(true),
                Applied::Refused(Some(item)) => read(item)?,
                // Collected meanwhile, or never there.
                Applied::Refused(None) => LoginAttempts::default(),
            };
        }
        Ok(false)
    }
}

fn over(email: &Email, before: &LoginAttempts, after: &LoginAttempts) -> Change {
    let expression = "SET #version = :next, #sources = :sources, #passed_on = :passed_on, #passed_until = \
                      :passed_until, #collect_at = :collect_at";
    let change = Change::update(Key::logins(email), expression)
        .with("next", after.version)
        .with("sources", &after.sources)
        .with("passed_on", after.passed_on)
        .with("passed_until", after.passed_until.as_millisecond())
        .with("collect_at", after.collect_at.as_second());
    if before.version == 0 {
        change.when_new()
    } else {
        change.when("#version = :version").with("version", before.version)
    }
}
