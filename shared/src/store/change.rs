//! One write of one item, in DynamoDB's own expression language.
//!
//! Every `#word` in an expression stands for the attribute of that name, every `:word` for a value given with
//! [`Change::with`]. Names are always substituted, so no reserved word can get in the way.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::Serialize;

use super::{StoreError, Tables, db::aws, keys::Key};

/// An item as DynamoDB sees it.
pub type Item = HashMap<String, AttributeValue>;

/// A write, its condition and its values.
#[derive(Debug)]
#[must_use]
pub struct Change {
    key: Key,
    kind: Kind,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    fault: Option<StoreError>,
}

/// What is done with the item.
#[derive(Debug)]
pub(super) enum Kind {
    Put(Item),
    Update(String),
    Delete,
    Check,
}

/// A write with its table's name and its key as attributes: what DynamoDB is told.
pub(super) struct Written {
    pub table: String,
    pub key: Item,
    pub kind: Kind,
    pub condition: Option<String>,
    pub names: Option<HashMap<String, String>>,
    pub values: Option<HashMap<String, AttributeValue>>,
}

impl Change {
    fn new(key: Key, kind: Kind) -> Self {
        Self { key, kind, condition: None, names: HashMap::new(), values: HashMap::new(), fault: None }
    }

    /// Writes `row` whole.
    pub fn put(key: Key, row: &impl Serialize) -> Self {
        let (item, fault) = match serde_dynamo::to_item(row) {
            Ok(item) => (item, None),
            Err(error) => (Item::new(), Some(StoreError::corrupt(&key, error))),
        };
        let mut change = Self::new(key, Kind::Put(item));
        change.fault = fault;
        change
    }

    /// Changes attributes of an item by an update expression.
    pub fn update(key: Key, expression: &str) -> Self {
        let mut change = Self::new(key, Kind::Update(expression.to_owned()));
        change.collect_names(expression);
        change
    }

    /// Removes an item.
    pub fn delete(key: Key) -> Self {
        Self::new(key, Kind::Delete)
    }

    /// Changes nothing and holds the transaction to `condition`.
    pub fn check(key: Key, condition: &str) -> Self {
        Self::new(key, Kind::Check).when(condition)
    }

    /// Writes only while `condition` holds.
    pub fn when(mut self, condition: &str) -> Self {
        self.collect_names(condition);
        self.condition = Some(condition.to_owned());
        self
    }

    /// Writes only where no item stands yet.
    pub fn when_new(self) -> Self {
        self.when("attribute_not_exists(#pk)")
    }

    /// Gives the value that `:name` stands for.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_dynamo::to_attribute_value::<_, AttributeValue>(value) {
            Ok(value) => {
                self.values.insert(format!(":{name}"), value);
            }
            Err(error) => self.fault = Some(StoreError::corrupt(&self.key, error)),
        }
        self
    }

    /// Adds an attribute to the item of a [`Change::put`]: an index key or a TTL, which the row itself does not have.
    pub fn and(mut self, attribute: &str, value: impl Serialize) -> Self {
        match (serde_dynamo::to_attribute_value(value), &mut self.kind) {
            (Ok(value), Kind::Put(item)) => {
                item.insert(attribute.to_owned(), value);
            }
            (Ok(_), _) => self.fault = Some(StoreError::corrupt(&self.key, "only a put takes further attributes")),
            (Err(error), _) => self.fault = Some(StoreError::corrupt(&self.key, error)),
        }
        self
    }

    /// Lets `#name` stand for an attribute whose name is only known now, such as a session's.
    pub fn named(mut self, name: &str, attribute: &str) -> Self {
        self.names.insert(format!("#{name}"), attribute.to_owned());
        self
    }

    fn collect_names(&mut self, expression: &str) {
        for after in expression.split('#').skip(1) {
            let word: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            self.names.entry(format!("#{word}")).or_insert(word);
        }
    }

    /// The write as one item of a transaction; a failed condition brings the item as it stands.
    pub(super) fn into_transact_item(self, tables: &Tables) -> Result<TransactWriteItem, StoreError> {
        let Written { table, key, kind, condition, names, values } = self.written(tables)?;
        let old = condition.is_some().then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let incomplete = |error| aws("TransactWriteItems", error);
        let item = TransactWriteItem::builder();
        let item = match kind {
            Kind::Put(attributes) => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(attributes))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(old)
                    .build()
                    .map_err(incomplete)?,
            ),
            Kind::Update(expression) => item.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(old)
                    .build()
                    .map_err(incomplete)?,
            ),
            Kind::Delete => item.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(old)
                    .build()
                    .map_err(incomplete)?,
            ),
            Kind::Check => item.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                    .build()
                    .map_err(incomplete)?,
            ),
        };
        Ok(item.build())
    }

    /// The write with its table's name and its key as attributes.
    pub(super) fn written(self, tables: &Tables) -> Result<Written, StoreError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let key = attributes(&self.key);
        let kind = match self.kind {
            Kind::Put(mut item) => {
                item.extend(key.clone());
                Kind::Put(item)
            }
            kind => kind,
        };
        Ok(Written {
            table: tables.name(self.key.table).to_owned(),
            key,
            kind,
            condition: self.condition,
            names: (!self.names.is_empty()).then_some(self.names),
            values: (!self.values.is_empty()).then_some(self.values),
        })
    }
}

/// A key as attributes of an item.
pub(super) fn attributes(key: &Key) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        Tables { portal: "P".to_owned(), mail: "M".to_owned() }
    }

    #[test]
    fn every_word_behind_a_hash_is_substituted() {
        let change = Change::update(Key::settings(), "SET #a.#session = :x, #status_since = :y REMOVE #b")
            .when("#status = :z")
            .named("session", "an-origin-jti");

        let names = change.written(&tables()).unwrap().names.unwrap();

        let expected = [("#a", "a"), ("#b", "b"), ("#session", "an-origin-jti"), ("#status", "status")];
        let expected = expected.into_iter().chain([("#status_since", "status_since")]);
        assert_eq!(names, expected.map(|(name, word)| (name.to_owned(), word.to_owned())).collect());
    }

    #[test]
    fn a_put_holds_its_key_and_its_extra_attributes() {
        let row = serde_json::json!({"name": "x"});

        let written = Change::put(Key::settings(), &row).and("list_pk", "L").written(&tables()).unwrap();

        let Kind::Put(item) = written.kind else { panic!("not a put") };
        let mut attributes: Vec<_> = item.keys().map(String::as_str).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["list_pk", "name", "pk", "sk"]);
    }

    #[test]
    fn only_a_put_takes_further_attributes() {
        let changes = [
            Change::update(Key::settings(), "SET #a = :x"),
            Change::delete(Key::settings()),
            Change::check(Key::settings(), "attribute_exists(#pk)"),
        ];
        for change in changes {
            let written = change.and("list_pk", "L").written(&tables());
            assert!(matches!(written, Err(StoreError::Corrupt { .. })));
        }
    }

    #[test]
    fn a_check_holds_to_its_condition() {
        let check = Change::check(Key::settings(), "attribute_exists(#pk)").into_transact_item(&tables()).unwrap();

        let check = check.condition_check.unwrap();
        assert_eq!(check.condition_expression, "attribute_exists(#pk)");
        assert_eq!(check.expression_attribute_names.unwrap()["#pk"], "pk");
    }
}
