//! Reading several items at once, strongly consistent.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::KeysAndAttributes,
};
use serde::de::DeserializeOwned;

use super::{
    Db, StoreError,
    change::{Item, attributes},
    db::{aws, read},
    keys::{Key, Table},
    retry::{Backoff, is_busy},
};
use crate::domain::{attribute::Definitions, settings::Settings};

/// The most keys that DynamoDB takes in one batch.
const MAX_KEYS: usize = 100;

/// What a batch found, by key.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    items: HashMap<Key, Item>,
}

impl Fetched {
    /// Whether there is an item at `key`.
    pub fn has(&self, key: &Key) -> bool {
        self.items.contains_key(key)
    }

    /// Adds what a further batch found.
    pub fn extend(&mut self, further: Self) {
        self.items.extend(further.items);
    }

    /// Reads the item at `key`, if there is one.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.items.get(key).cloned().map(read).transpose()
    }

    /// The settings, which every portal has from its bootstrap on.
    pub fn settings(&self) -> Result<Settings, StoreError> {
        self.get(&Key::settings())?.ok_or(StoreError::Missing("SETTINGS"))
    }

    /// The custom attributes; none where nothing was ever defined.
    pub fn attributes(&self) -> Result<Definitions, StoreError> {
        Ok(self.get(&Key::attributes())?.unwrap_or_default())
    }
}

impl Db {
    /// Reads the items at `keys`, a key named twice once. Keys left unprocessed count as throttling.
    pub(super) async fn fetch(&self, keys: impl IntoIterator<Item = Key>) -> Result<Fetched, StoreError> {
        let keys: Vec<Key> = keys.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut fetched = Fetched::default();
        for chunk in keys.chunks(MAX_KEYS) {
            self.fetch_chunk(chunk, &mut fetched).await?;
        }
        Ok(fetched)
    }

    async fn fetch_chunk(&self, keys: &[Key], fetched: &mut Fetched) -> Result<(), StoreError> {
        let mut backoff = Backoff::new(&self.random);
        let mut left = self.request(keys)?;
        while !left.is_empty() {
            let sent = self.client.batch_get_item().set_request_items(Some(left.clone())).send().await;
            match sent {
                Ok(output) => {
                    for (name, items) in output.responses.unwrap_or_default() {
                        let table = if name == self.tables.portal { Table::Portal } else { Table::Mail };
                        fetched.items.extend(items.into_iter().filter_map(|item| Some((key_of(table, &item)?, item))));
                    }
                    left = output.unprocessed_keys.unwrap_or_default();
                    if !left.is_empty() {
                        backoff.wait().await?;
                    }
                }
                Err(SdkError::ServiceError(error)) if is_busy(error.err().code()) => {
                    backoff.wait_out(error.err().code()).await?;
                }
                Err(error) => return Err(aws("BatchGetItem", error.into_service_error())),
            }
        }
        Ok(())
    }

    fn request(&self, keys: &[Key]) -> Result<HashMap<String, KeysAndAttributes>, StoreError> {
        let mut request = HashMap::new();
        for table in [Table::Portal, Table::Mail] {
            let keys: Vec<Item> = keys.iter().filter(|key| key.table == table).map(attributes).collect();
            if !keys.is_empty() {
                let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
                request.insert(self.tables.name(table).to_owned(), keys.map_err(|error| aws("BatchGetItem", error))?);
            }
        }
        Ok(request)
    }
}

/// Where an item that DynamoDB returned stands. It always has both parts: they are the table's key.
fn key_of(table: Table, item: &Item) -> Option<Key> {
    let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    Some(Key { table, pk: text("pk")?, sk: text("sk")? })
}
