//! Records of creations: one more item of the transaction that creates something, by which a repeat of its request
//! finds what the first one created.
//!
//! Source of the rules: `docs/decisions/0012-idempotency-records.md`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Store, StoreError,
    change::Change,
    fetch::Fetched,
    keys::{Key, Table},
    transaction::{Lost, Position, Transaction},
};
use crate::domain::{
    audit::Origin,
    idempotency::{Fingerprint, Repeatable},
    ids::UserId,
    user::{Status, User},
};

/// Attributes that stand in the row of what was created and in no record of it: they are personal, and go with the row.
const PERSONAL: [&str; 5] = ["email", "first_name", "last_name", "name", "attributes"];

/// The record of a creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which request it was.
    request: Fingerprint,
    /// What was created, as it was written; without what is personal where `rest` says where that is.
    created: Value,
    /// The row that has what is personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<Place>,
    /// Until when it answers.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    expires_at: Timestamp,
}

/// Where a row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    pk: String,
    sk: String,
}

/// What the record of a visitor's request holds: for known and unknown addresses what is told alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where who registered is to be told that they stand.
    pub status: Status,
    /// The person whom the request began to create, where that takes further steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<UserId>,
}

impl Told {
    /// What is told of a person who is new.
    pub(super) fn of(user: &User) -> Self {
        let begun = user.identity_due.map(|_| user.id.clone());
        Self { status: user.identity_due.unwrap_or(user.status), begun }
    }
}

/// What a record tells of the first request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled<T> {
    /// It was the same, and created this.
    Created(T),
    /// It was the same, and what it created is gone.
    Gone,
    /// It was another one.
    AnotherRequest,
}

impl Store {
    /// Reads a caller and, where the request may be a repeat, the record of its first, in one batch.
    pub async fn caller_and_record(
        &self,
        caller: &UserId,
        sought: Option<&Repeatable>,
    ) -> Result<(Option<User>, Option<Record>), StoreError> {
        let key = Key::user(caller);
        let fetched = self.db.fetch([key.clone()].into_iter().chain(sought.map(Repeatable::key))).await?;
        Ok((fetched.get(&key)?, fetched.record(sought)?))
    }

    /// The record of the request of `origin`, if there is one by now: no call for a request without a key.
    ///
    /// What keeps a repeat from creating anything may be what the first request created after the repeat had looked.
    pub async fn record_of(&self, origin: &Origin) -> Result<Option<Record>, StoreError> {
        let Some(repeatable) = &origin.repeatable else { return Ok(None) };
        self.db.fetch([repeatable.key()]).await?.record(Some(repeatable))
    }

    /// What `record` tells the request of `origin`. One batch where a row has to be asked for what is personal.
    pub async fn recall<T: DeserializeOwned>(
        &self,
        record: Record,
        origin: &Origin,
    ) -> Result<Recalled<T>, StoreError> {
        let Some(repeatable) = origin.repeatable.as_ref().filter(|now| now.request == record.request) else {
            return Ok(Recalled::AnotherRequest);
        };
        let mut created = record.created;
        if let (Some(Place { pk, sk }), Some(created)) = (record.rest, created.as_object_mut()) {
            let key = Key { table: Table::Portal, pk, sk };
            let Some(row) = self.db.fetch([key.clone()]).await?.get::<Map<String, Value>>(&key)? else {
                return Ok(Recalled::Gone);
            };
            created.extend(row.into_iter().filter(|(name, _)| PERSONAL.contains(&name.as_str())));
        }
        let corrupt = |error| StoreError::corrupt(&repeatable.key(), error);
        serde_json::from_value(created).map(Recalled::Created).map_err(corrupt)
    }
}

impl Repeatable {
    /// Where the record of the request stands.
    pub(super) fn key(&self) -> Key {
        Key::record(&self.record)
    }
}

impl Fetched {
    /// The record of the request that may be a repeat, while it answers.
    pub(super) fn record(&self, sought: Option<&Repeatable>) -> Result<Option<Record>, StoreError> {
        let Some(sought) = sought else { return Ok(None) };
        let record: Option<Record> = self.get(&sought.key())?;
        Ok(record.filter(|record| sought.at < record.expires_at))
    }
}

impl Transaction {
    /// Adds the record that this request created `row`, which holds nothing personal; `None` without a key.
    pub(super) fn record(&mut self, origin: &Origin, row: &impl Serialize) -> Option<Position> {
        self.record_with(origin, row, None)
    }

    /// Adds the record that this request created `row` at `key`: what is personal stays there alone.
    pub(super) fn record_personal(&mut self, origin: &Origin, row: &impl Serialize, key: Key) -> Option<Position> {
        self.record_with(origin, row, Some(Place { pk: key.pk, sk: key.sk }))
    }

    fn record_with(&mut self, origin: &Origin, row: &impl Serialize, rest: Option<Place>) -> Option<Position> {
        let repeatable = origin.repeatable.as_ref()?;
        let expires_at = repeatable.expires_at();
        // A row that is no map cannot be one of ours, and is found out where the same transaction writes it.
        let mut created = serde_json::to_value(row).unwrap_or_default();
        if let (Some(_), Some(created)) = (&rest, created.as_object_mut()) {
            created.retain(|name, _| !PERSONAL.contains(&name.as_str()));
        }
        let record = Record { request: repeatable.request.clone(), created, rest, expires_at };
        let put = Change::put(repeatable.key(), &record)
            .and("collect_at", expires_at.as_second() + 1)
            .when("attribute_not_exists(#pk) OR #expires_at <= :now")
            .with("now", repeatable.at.as_millisecond());
        Some(self.add(put))
    }
}

impl Lost {
    /// The record that an equal request, or another under the same key, wrote a moment ago.
    pub fn record(&self, position: Option<Position>) -> Result<Option<Record>, StoreError> {
        position.map_or(Ok(None), |position| self.row(position))
    }
}
