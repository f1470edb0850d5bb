//! Reading a partition, of a table or of an index.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::AttributeValue,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Db, StoreError,
    db::{aws, read},
    keys::{Key, Table},
    retry::{Backoff, is_busy},
};

/// Some of the rows of a list, and where to go on.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// The position after which the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl Db {
    /// A partition of a table as `:pk`, strongly consistent; the caller states the key condition.
    pub(super) fn partition(&self, table: Table, partition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(self.tables.name(table)).consistent_read(true);
        query.expression_attribute_values(":pk", text(partition))
    }

    /// A partition of an index as `:pk`, whose keys are named `<prefix>_pk` and `<prefix>_sk`; the caller may narrow
    /// the key condition.
    pub(super) fn indexed(&self, table: Table, index: &str, prefix: &str, partition: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(self.tables.name(table))
            .index_name(index)
            .key_condition_expression(format!("{prefix}_pk = :pk"))
            .expression_attribute_values(":pk", text(partition))
    }

    /// A partition of an index of `Portal` as `:pk`, behind position `after`.
    pub(super) fn behind(&self, index: &str, prefix: &str, partition: &str, after: Option<&str>) -> QueryFluentBuilder {
        self.indexed(Table::Portal, index, prefix, partition)
            .key_condition_expression(format!("{prefix}_pk = :pk AND {prefix}_sk > :after"))
            .expression_attribute_values(":after", text(after.unwrap_or(" ")))
    }

    /// A page of the rows in a partition of an index behind position `after`, as the table now has them: one query and one
    /// batch. What is gone is left out. The index may lag, the rows do not.
    pub(super) async fn listed<T: DeserializeOwned>(
        &self,
        index: &str,
        prefix: &str,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Listed<T>, StoreError> {
        let Listed { rows, next } = self.listed_singly(index, prefix, partition, after, limit).await?;
        Ok(Listed { rows: rows.into_iter().collect::<Result<_, _>>()?, next })
    }

    /// As [`Db::listed`], each row readable or not on its own.
    pub(super) async fn listed_singly<T: DeserializeOwned>(
        &self,
        index: &str,
        prefix: &str,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Listed<Result<T, StoreError>>, StoreError> {
        let query = self.behind(index, prefix, partition, after).limit(i32::from(limit));
        let output = self.query(query).await?;
        let found: Vec<Found> = output.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        // The last key holds the table's keys and the index's own, no others.
        let last: Option<Found> = output.last_evaluated_key.map(read).transpose()?;
        let next = last.and_then(|last| last.list_sk.or(last.group_sk).or(last.queue_sk));
        let fetched = self.fetch(found.iter().map(Found::key)).await?;
        Ok(Listed { rows: found.iter().filter_map(|found| fetched.get(&found.key()).transpose()).collect(), next })
    }

    /// A page of the rows of `queue` in the index `Queues` behind position `after` that sort before `before`, the longest
    /// due first, at most `most`. Each can be read or not on its own; what is gone since is left out.
    pub(super) async fn due<T: DeserializeOwned>(
        &self,
        queue: &str,
        after: Option<&str>,
        before: &str,
        most: u16,
    ) -> Result<Listed<Result<T, StoreError>>, StoreError> {
        let (found, next) = self.queued(queue, after, before, most).await?;
        let fetched = self.fetch(found.iter().map(Found::key)).await?;
        Ok(Listed { rows: found.iter().filter_map(|found| fetched.get(&found.key()).transpose()).collect(), next })
    }

    /// Where the rows of such a page are, and the position after it.
    pub(super) async fn queued(
        &self,
        queue: &str,
        after: Option<&str>,
        before: &str,
        most: u16,
    ) -> Result<(Vec<Found>, Option<String>), StoreError> {
        // A range has both its ends in it: the first is moved behind the position, and no row stands at the last.
        let query = self
            .indexed(Table::Portal, "Queues", "queue", queue)
            .key_condition_expression("queue_pk = :pk AND queue_sk BETWEEN :after AND :before")
            .expression_attribute_values(":after", text(&format!("{} ", after.unwrap_or_default())))
            .expression_attribute_values(":before", text(before));
        let output = self.query(query.limit(i32::from(most))).await?;
        let found = output.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        let last: Option<Found> = output.last_evaluated_key.map(read).transpose()?;
        Ok((found, last.and_then(|last| last.queue_sk)))
    }

    /// Sends a query, waiting out throttling.
    pub(super) async fn query(&self, query: QueryFluentBuilder) -> Result<QueryOutput, StoreError> {
        let mut backoff = Backoff::new(&self.random);
        loop {
            match query.clone().send().await {
                Ok(output) => return Ok(output),
                Err(SdkError::ServiceError(error)) if is_busy(error.err().code()) => {
                    backoff.wait_out(error.err().code()).await?;
                }
                Err(error) => return Err(aws("Query", error.into_service_error())),
            }
        }
    }
}

/// Where a row is, and its place in the index by which it was found.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pk: String,
    sk: String,
    list_sk: Option<String>,
    group_sk: Option<String>,
    queue_sk: Option<String>,
}

impl Found {
    pub(super) fn key(&self) -> Key {
        Key { table: Table::Portal, pk: self.pk.clone(), sk: self.sk.clone() }
    }
}

/// A text as an attribute.
pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
