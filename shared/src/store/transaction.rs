//! Several writes that all happen or none, and the news of who stood in the way.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Db, StoreError,
    change::Change,
    db::{aws, read},
    keys::{self, Key},
    retry::{Backoff, is_busy},
};
use crate::{domain::audit::AuditEvent, mail::OutboxEntry};

/// Writes that belong together.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Transaction {
    changes: Vec<Change>,
}

/// Where a write stands in its transaction: cancellation reasons are read by it. Bind each to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position(usize);

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Commit {
    /// Everything is written.
    Done,
    /// Nothing is written: at least one condition did not hold.
    Lost(Lost),
}

impl Commit {
    /// Whether everything is written.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Which conditions did not hold.
#[derive(Debug)]
pub(super) struct Lost {
    reasons: Vec<CancellationReason>,
}

impl Lost {
    /// Whether the write at `position` stood in the way.
    pub fn at(&self, position: Position) -> bool {
        self.reason(position).is_some()
    }

    /// The row that stood in the way at `position`; `None` where none stands there, or the condition held.
    pub fn row<T: DeserializeOwned>(&self, position: Position) -> Result<Option<T>, StoreError> {
        self.reason(position).and_then(|reason| reason.item.clone()).map(read).transpose()
    }

    fn reason(&self, position: Position) -> Option<&CancellationReason> {
        self.reasons.get(position.0).filter(|reason| failed(reason))
    }
}

fn failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

impl Transaction {
    /// A single write, under its condition alone.
    pub fn of(change: Change) -> Self {
        Self { changes: vec![change] }
    }

    /// Adds a write.
    pub fn add(&mut self, change: Change) -> Position {
        self.changes.push(change);
        Position(self.changes.len() - 1)
    }

    /// Adds the audit event that describes the transaction. Nothing ever changes or removes it.
    pub fn audit(&mut self, event: &AuditEvent) {
        let put = Change::put(Key::audit_event(&event.id), event)
            .and("list_pk", keys::events_by(&event.actor))
            .and("list_sk", &event.id)
            .and("queue_pk", keys::events_named(&event.action))
            .and("queue_sk", &event.id);
        let put = match &event.target {
            Some(target) => put.and("group_pk", keys::events_of(target)).and("group_sk", &event.id),
            None => put,
        };
        self.add(put.when_new());
    }

    /// Adds a mail to be sent.
    pub fn mail(&mut self, entry: &OutboxEntry) {
        let change = Change::put(Key::outbox(&entry.id), entry)
            .and("unsent_pk", keys::UNSENT)
            .and("unsent_sk", keys::instant_and_id(entry.created_at, entry.id.as_str()))
            .and("collect_at", entry.collect_at().as_second());
        let change = if entry.about.is_some() { change.and("about_sk", &entry.id) } else { change };
        self.add(change.when_new());
    }

    /// Adds a row that must not stand there yet, with its index keys.
    pub fn create(&mut self, key: Key, row: &impl Serialize, index: &[(&str, &str)]) -> Position {
        let put = Change::put(key, row).when_new();
        self.add(index.iter().fold(put, |put, (name, value)| put.and(name, value)))
    }
}

impl Db {
    /// Commits `transaction`, sending it again while others hold its items: the identical request under one token, so
    /// a lost answer cannot apply it twice.
    pub(super) async fn commit(&self, transaction: Transaction) -> Result<Commit, StoreError> {
        let items = transaction.changes.into_iter().map(|change| change.into_transact_item(&self.tables));
        let items: Vec<TransactWriteItem> = items.collect::<Result<_, _>>()?;
        let token = format!("{:032x}", self.random.number());
        let request = self.client.transact_write_items().set_transact_items(Some(items)).client_request_token(token);
        let mut backoff = Backoff::new(&self.random);
        loop {
            match request.clone().send().await {
                Ok(_) => return Ok(Commit::Done),
                Err(SdkError::ServiceError(error)) if is_busy(error.err().code()) => {
                    backoff.wait_out(error.err().code()).await?;
                }
                Err(error) => match error.into_service_error() {
                    TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                        let reasons = cancelled.cancellation_reasons.unwrap_or_default();
                        if reasons.iter().any(failed) {
                            return Ok(Commit::Lost(Lost { reasons }));
                        }
                        if !reasons.iter().any(|reason| is_busy(reason.code())) {
                            let codes: Vec<_> = reasons.into_iter().filter_map(|reason| reason.code).collect();
                            return Err(aws("TransactWriteItems", Cancelled(codes)));
                        }
                        backoff.wait().await?;
                    }
                    error => return Err(aws("TransactWriteItems", error)),
                },
            }
        }
    }
}

/// A cancellation that is neither a lost race nor contention.
#[derive(Debug, thiserror::Error)]
#[error("cancelled: {0:?}")]
struct Cancelled(Vec<String>);
