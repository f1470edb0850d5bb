//! The outbox: what the mailer reads and writes, all of it in the table `Mail`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    Db, StoreError,
    change::{Change, Item},
    db::{Applied, read},
    keys::{self, Key, Table},
    query::text,
};
use crate::{
    domain::{
        email::Email,
        ids::MailId,
        link::{HashedToken, Link},
        name::Name,
    },
    mail::{Delivery, MailSettings, MailTemplate, OutboxEntry},
};

/// How long one process has an entry for itself: longer than any function runs.
const CLAIM_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How long an entry stands back after its first failure; after each further one twice as long.
const FIRST_BACK_OFF: SignedDuration = SignedDuration::from_mins(1);
/// No entry stands back for longer than about an hour: the first back-off doubled this often.
const MOST_DOUBLINGS: u32 = 6;
/// How long a link stays after its expiry, so that a late click finds the same answer as an early one.
const LINK_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The mail queue.
#[derive(Clone, Debug)]
pub struct Outbox {
    db: Db,
}

/// What the index tells of an entry.
#[derive(Debug, Deserialize)]
struct EntryKey {
    pk: String,
}

impl EntryKey {
    fn mail_id(self) -> Result<MailId, StoreError> {
        let id = self.pk.strip_prefix(keys::OUTBOX_PREFIX).and_then(MailId::parse);
        id.ok_or_else(|| StoreError::Corrupt { key: self.pk, reason: "no mail id in the key".to_owned() })
    }
}

/// Whether an entry is ours to send.
#[derive(Debug)]
pub enum Taken {
    /// Claimed, with what sending needs.
    Yours {
        /// The mail.
        entry: Box<OutboxEntry>,
        /// How often it has been claimed, this time included.
        attempts: u32,
        /// Sender and portal name.
        settings: MailSettings,
        /// The changed templates of its event.
        template: Option<MailTemplate>,
        /// Those of its recipients to whom nothing is sent.
        suppressed: BTreeSet<Email>,
    },
    /// Sent before, being sent by another process, or gone.
    NotYours,
}

/// What sending needs beside the entry.
struct Needed {
    settings: MailSettings,
    template: Option<MailTemplate>,
    suppressed: BTreeSet<Email>,
}

impl Outbox {
    /// The outbox over the table `Mail`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Claims an entry for a minute and counts the attempt. An entry that cannot be read is put back.
    pub async fn take(&self, id: &MailId, now: Timestamp) -> Result<Taken, StoreError> {
        let claim = Change::update(Key::outbox(id), "SET #claimed_until = :until ADD #attempts :one")
            .when("attribute_exists(#unsent_pk) AND (attribute_not_exists(#claimed_until) OR #claimed_until <= :now)")
            .with("until", (now + CLAIM_LIFE).as_millisecond())
            .with("one", 1)
            .with("now", now.as_millisecond());
        let Applied::Done(item) = self.db.apply(claim).await? else { return Ok(Taken::NotYours) };
        let attempts = attempts(&item);
        match self.opened(item).await {
            Ok((entry, needed)) => {
                let Needed { settings, template, suppressed } = needed;
                Ok(Taken::Yours { entry, attempts, settings, template, suppressed })
            }
            Err(error) => {
                self.put_back(id, attempts, now).await;
                Err(error)
            }
        }
    }

    /// A claimed entry and what sending needs, in one batch. Changed templates that cannot be read keep no mail back: the
    /// built-in ones do, and the log says so.
    async fn opened(&self, item: Item) -> Result<(Box<OutboxEntry>, Needed), StoreError> {
        let entry: Box<OutboxEntry> = Box::new(read(item)?);
        let template = Key::mail_template(entry.event);
        let addresses = entry.queued().map(|(_, recipient)| &recipient.email);
        let keys = addresses.clone().map(Key::suppression).chain([Key::mail_settings(), template.clone()]);
        let fetched = self.db.fetch(keys).await?;
        let suppressed = addresses.filter(|email| fetched.has(&Key::suppression(email))).cloned().collect();
        let settings = fetched.get(&Key::mail_settings())?;
        let settings = settings.unwrap_or(MailSettings { sender: None, portal_name: Name::given("Developer portal") });
        let template = fetched.get::<MailTemplate>(&template).unwrap_or_else(|error| {
            tracing::error!(mail = %entry.id, %error, "changed templates cannot be read");
            None
        });
        Ok((entry, Needed { settings, template, suppressed }))
    }

    /// Gives up the claim on an entry for which nothing was tried: it stays queued where it was, and no attempt counts.
    pub async fn release(&self, id: &MailId) -> Result<(), StoreError> {
        let change = Change::update(Key::outbox(id), "SET #attempts = #attempts - :one REMOVE #claimed_until")
            .when("attribute_exists(#unsent_pk)")
            .with("one", 1);
        self.db.apply(change).await.map(drop)
    }

    /// Gives up the claim on an entry that failed: it stays queued, but behind those that were not tried as often, so
    /// that no number of hopeless entries keeps the others from their turn.
    ///
    /// Tells nobody but the log when it fails itself: the caller has the first failure to report, and the claim lapses.
    pub async fn put_back(&self, id: &MailId, attempts: u32, now: Timestamp) {
        let due = keys::instant_and_id(now + back_off(attempts), id.as_str());
        let change = Change::update(Key::outbox(id), "SET #unsent_sk = :due REMOVE #claimed_until")
            .when("attribute_exists(#unsent_pk)")
            .with("due", due);
        if let Err(error) = self.db.apply(change).await {
            tracing::error!(mail = %id, %error, "the claim on a mail could not be given up");
        }
    }

    /// Notes what became of one recipient's copy that was queued. What became of it after that may be known already.
    pub async fn mark_copy(&self, id: &MailId, index: usize, delivery: Delivery) -> Result<(), StoreError> {
        let change = Change::update(Key::outbox(id), &format!("SET #to[{index}].#delivery = :delivery"))
            .when(&format!("#to[{index}].#delivery = :queued"))
            .with("delivery", delivery)
            .with("queued", Delivery::Queued);
        self.db.apply(change).await.map(drop)
    }

    /// Notes that nothing is left to send. What the mail said goes: names in it may be those of people other than whom it
    /// goes with.
    pub async fn mark_done(&self, id: &MailId) -> Result<(), StoreError> {
        let change = Change::update(Key::outbox(id), "REMOVE #unsent_pk, #unsent_sk, #claimed_until, #variables")
            .when("attribute_exists(#pk)");
        self.db.apply(change).await.map(drop)
    }

    /// Writes a link under its token's digest.
    pub async fn put_link(&self, token: &HashedToken, link: &Link) -> Result<(), StoreError> {
        let change = Change::update(
            Key::link(token),
            "SET #user_id = :user_id, #purpose = :purpose, #link_version = :link_version, #expires_at = :expires_at, \
             #collect_at = :collect_at",
        )
        .when("attribute_not_exists(#pk)")
        .with("user_id", &link.user_id)
        .with("purpose", link.purpose)
        .with("link_version", link.link_version)
        .with("expires_at", link.expires_at.as_millisecond())
        .with("collect_at", (link.expires_at + LINK_KEPT_FOR).as_second());
        self.db.apply(change).await.map(drop)
    }

    /// The ids of unsent entries that have been due since before `waiting_since`: since they were queued, or since
    /// their last failure let them stand back. The longest due first, at most `most`; each readable or not on its own.
    pub async fn unsent(
        &self,
        waiting_since: Timestamp,
        most: u16,
    ) -> Result<Vec<Result<MailId, StoreError>>, StoreError> {
        let query = self.db.indexed(Table::Mail, "Unsent", "unsent", keys::UNSENT);
        let query = query
            .key_condition_expression("unsent_pk = :pk AND unsent_sk < :before")
            .expression_attribute_values(":before", text(&keys::instant_and_id(waiting_since, "")));
        let items = self.db.query(query.limit(i32::from(most))).await?.items.unwrap_or_default();
        Ok(items.into_iter().map(|item| read::<EntryKey>(item)?.mail_id()).collect())
    }
}

/// How often an entry has been claimed; the claim that brought `item` has counted it.
fn attempts(item: &Item) -> u32 {
    let number = item.get("attempts").and_then(|attempts| attempts.as_n().ok());
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// How long an entry stands back after so many attempts.
fn back_off(attempts: u32) -> SignedDuration {
    FIRST_BACK_OFF * (1 << attempts.saturating_sub(1).min(MOST_DOUBLINGS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stands_back_twice_as_long_after_each_failure_up_to_about_an_hour() {
        let minutes = [0, 1, 2, 3, 4, 5, 6, 7, 8, u32::MAX].map(|attempts| back_off(attempts).as_mins());

        assert_eq!(minutes, [1, 1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }
}
