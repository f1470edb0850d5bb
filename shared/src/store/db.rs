//! The tables and the three ways to reach them: fetch a batch, apply one change, commit a transaction.

use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use serde::de::DeserializeOwned;

use super::{
    StoreError,
    change::{Change, Item, Kind, Written},
    keys::Table,
    retry::{Backoff, is_busy},
};
use crate::{aws_error::causes, random::Random};

/// The tables' names.
#[derive(Clone, Debug)]
pub struct Tables {
    /// State.
    pub portal: String,
    /// Mail.
    pub mail: String,
}

impl Tables {
    /// The name of one table.
    #[must_use]
    pub fn name(&self, table: Table) -> &str {
        match table {
            Table::Portal => &self.portal,
            Table::Mail => &self.mail,
        }
    }
}

/// The connection that [`super::Store`] and [`super::Outbox`] share.
#[derive(Clone, Debug)]
pub struct Db {
    pub(super) client: Client,
    pub(super) tables: Arc<Tables>,
    pub(super) random: Random,
}

/// What became of a conditional update.
#[derive(Debug)]
pub(super) enum Applied {
    /// Written; the item as it now stands.
    Done(Item),
    /// The condition did not hold; the item as it stands, if there is one.
    Refused(Option<Item>),
}

impl Db {
    /// The connection over `client`.
    #[must_use]
    pub fn new(client: Client, tables: Tables, random: Random) -> Self {
        Self { client, tables: Arc::new(tables), random }
    }

    /// Applies one update, holding it to its condition.
    pub(super) async fn apply(&self, change: Change) -> Result<Applied, StoreError> {
        let Written { table, key, kind, condition, names, values } = change.written(&self.tables)?;
        let Kind::Update(expression) = kind else {
            return Err(StoreError::Corrupt { key: table, reason: "only updates are applied singly".to_owned() });
        };
        let request = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut backoff = Backoff::new(&self.random);
        loop {
            match request.clone().send().await {
                Ok(output) => return Ok(Applied::Done(output.attributes.unwrap_or_default())),
                Err(SdkError::ServiceError(error)) if is_busy(error.err().code()) => {
                    backoff.wait_out(error.err().code()).await?;
                }
                Err(error) => match error.into_service_error() {
                    UpdateItemError::ConditionalCheckFailedException(refused) => {
                        return Ok(Applied::Refused(refused.item));
                    }
                    error => return Err(aws("UpdateItem", error)),
                },
            }
        }
    }
}

/// An error of the SDK as one of ours.
pub(super) fn aws(call: &'static str, error: impl std::error::Error + 'static) -> StoreError {
    StoreError::Aws { call, cause: causes(&error) }
}

/// Reads an item as the row that its key promises.
pub(super) fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let label = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let (pk, sk) = (label("pk"), label("sk"));
    serde_dynamo::from_item(item).map_err(|error| {
        let key = super::keys::Key { table: Table::Portal, pk, sk };
        StoreError::corrupt(&key, error)
    })
}
