//! Reading a partition, of a table or of an index.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::AttributeValue,
};

use super::{
    Db, StoreError,
    db::aws,
    keys::Table,
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

/// A text as an attribute.
pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
