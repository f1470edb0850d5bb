//! The daily word to the owners about registrations that have waited for long.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    change::Change,
    confirmation::to_notify,
    keys::Key,
    rows::Owners,
    transaction::{Commit, Transaction},
};
use crate::domain::{
    approval::{DIGEST_EVERY, digest_is_due},
    audit::Origin,
    email::Email,
    settings::Settings,
};

/// What a digest is decided from.
#[derive(Clone, Debug)]
pub struct DigestFacts {
    /// The portal's settings.
    pub settings: Settings,
    /// Who is told.
    pub owners: Vec<Email>,
    /// When the last one was queued.
    pub last: Option<Timestamp>,
}

impl DigestFacts {
    /// Whether one may be sent at `now`: the last one is long enough ago, and there is somebody to tell and a way to.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        digest_is_due(self.last, now) && self.settings.sender.is_some() && !self.owners.is_empty()
    }
}

/// The item that remembers the last digest.
#[derive(Debug, Serialize, Deserialize)]
struct LastDigest {
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    sent_at: Timestamp,
}

impl Store {
    /// Reads settings, owners and the last digest in one batch.
    pub async fn digest_facts(&self) -> Result<DigestFacts, StoreError> {
        let fetched = self.db.fetch([Key::settings(), Key::owners(), Key::digest()]).await?;
        let settings = fetched.settings()?;
        let owners: Owners = fetched.get(&Key::owners())?.unwrap_or_default();
        let last: Option<LastDigest> = fetched.get(&Key::digest())?;
        let owners = to_notify(&settings, owners);
        Ok(DigestFacts { settings, owners, last: last.map(|last| last.sent_at) })
    }

    /// Tells `owners` that `count` registrations have waited for long, the longest of them `since` then, unless somebody else
    /// told them within the day: `false`.
    ///
    /// One transaction: the note of the last digest (old enough), outbox.
    pub async fn send_digest(
        &self,
        owners: &[Email],
        count: usize,
        since: Timestamp,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let mut transaction = Transaction::default();
        let note = Change::update(Key::digest(), "SET #sent_at = :now")
            .when("attribute_not_exists(#sent_at) OR #sent_at <= :day_ago")
            .with("now", origin.now.as_millisecond())
            .with("day_ago", (origin.now - DIGEST_EVERY).as_millisecond());
        transaction.add(note);
        transaction.mail(&self.compose(origin).pending_digest(owners, count, since));
        Ok(matches!(self.db.commit(transaction).await?, Commit::Done))
    }
}
