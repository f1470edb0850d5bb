//! The outbox: what the mailer reads and writes, all of it in the table `Mail`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    Db, StoreError,
    change::Change,
    db::{Applied, read},
    keys::{self, Key, Table},
    query::text,
};
use crate::{
    domain::{
        ids::MailId,
        link::{HashedToken, Link},
        name::Name,
    },
    mail::{Delivery, MailSettings, OutboxEntry},
};

/// How long one process has an entry for itself: longer than any function runs.
const CLAIM_LIFE: SignedDuration = SignedDuration::from_secs(60);
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
        /// Sender and portal name.
        settings: MailSettings,
    },
    /// Sent before, being sent by another process, or gone.
    NotYours,
}

impl Outbox {
    /// The outbox over the table `Mail`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Claims an entry for a minute.
    pub async fn take(&self, id: &MailId, now: Timestamp) -> Result<Taken, StoreError> {
        let claim = Change::update(Key::outbox(id), "SET #claimed_until = :until")
            .when("attribute_exists(#unsent_pk) AND (attribute_not_exists(#claimed_until) OR #claimed_until <= :now)")
            .with("until", (now + CLAIM_LIFE).as_millisecond())
            .with("now", now.as_millisecond());
        let Applied::Done(item) = self.db.apply(claim).await? else { return Ok(Taken::NotYours) };
        let settings = self.db.fetch([Key::mail_settings()]).await?.get(&Key::mail_settings())?;
        let settings = settings.unwrap_or(MailSettings { sender: None, portal_name: Name::given("Developer portal") });
        Ok(Taken::Yours { entry: Box::new(read(item)?), settings })
    }

    /// Gives the claim up; the entry stays queued.
    pub async fn put_back(&self, id: &MailId) -> Result<(), StoreError> {
        let change = Change::update(Key::outbox(id), "REMOVE #claimed_until").when("attribute_exists(#pk)");
        self.db.apply(change).await.map(drop)
    }

    /// Notes what became of one recipient's copy.
    pub async fn mark_copy(&self, id: &MailId, index: usize, delivery: Delivery) -> Result<(), StoreError> {
        let change = Change::update(Key::outbox(id), &format!("SET #to[{index}].#delivery = :delivery"))
            .when("attribute_exists(#pk)")
            .with("delivery", delivery);
        self.db.apply(change).await.map(drop)
    }

    /// Notes that nothing is left to send.
    pub async fn mark_done(&self, id: &MailId) -> Result<(), StoreError> {
        let change = Change::update(Key::outbox(id), "REMOVE #unsent_pk, #unsent_sk, #claimed_until")
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

    /// The ids of entries queued before `waiting_since` and unsent, the oldest first, at most `most`.
    pub async fn unsent(&self, waiting_since: Timestamp, most: u16) -> Result<Vec<MailId>, StoreError> {
        let query = self.db.indexed(Table::Mail, "Unsent", "unsent", keys::UNSENT);
        let query = query
            .key_condition_expression("unsent_pk = :pk AND unsent_sk < :before")
            .expression_attribute_values(":before", text(&keys::instant_and_id(waiting_since, "")));
        let items = self.db.query(query.limit(i32::from(most))).await?.items.unwrap_or_default();
        items.into_iter().map(|item| read::<EntryKey>(item)?.mail_id()).collect()
    }
}
