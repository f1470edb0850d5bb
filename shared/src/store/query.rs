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

    /// The rows of `queue` in the index `Queues` that sort before `before`, the longest due first, at most `most`. Each
    /// can be read or not on its own; what is gone since is left out.
    pub(super) async fn due<T: DeserializeOwned>(
        &self,
        queue: &str,
        before: &str,
        most: u16,
    ) -> Result<Vec<Result<T, StoreError>>, StoreError> {
        let query = self
            .indexed(Table::Portal, "Queues", "queue", queue)
            .key_condition_expression("queue_pk = :pk AND queue_sk < :before")
            .expression_attribute_values(":before", text(before));
        let items = self.query(query.limit(i32::from(most))).await?.items.unwrap_or_default();
        let rows: Vec<Row> = items.into_iter().map(read).collect::<Result<_, _>>()?;
        let keys: Vec<Key> = rows.into_iter().map(|Row { pk, sk }| Key { table: Table::Portal, pk, sk }).collect();
        let fetched = self.fetch(keys.iter().cloned()).await?;
        Ok(keys.iter().filter_map(|key| fetched.get(key).transpose()).collect())
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

/// What an index always tells of a row: where it is.
#[derive(Deserialize)]
struct Row {
    pk: String,
    sk: String,
}

/// A text as an attribute.
pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
