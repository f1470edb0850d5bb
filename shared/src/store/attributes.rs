//! The custom sign-up attributes: one item, so that whoever needs them reads them with the rest, in one batch.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Record, Store, StoreError,
    change::Change,
    keys::Key,
    transaction::{Commit, Transaction},
};
use crate::domain::{
    attribute::{Definition, Definitions},
    audit::Origin,
    idempotency::Repeatable,
    ids::{AttributeId, UserId},
    user::User,
};

/// What became of a change of the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributesChange {
    /// Written.
    Done,
    /// Somebody else changed one of them since they were read.
    Overtaken,
}

/// What became of a definition.
#[derive(Debug)]
pub enum AttributeDefinition {
    /// Written.
    Done,
    /// Somebody else changed one of the attributes since they were read.
    Overtaken,
    /// A request with the same key was there first.
    Repeated(Record),
}

impl Store {
    /// The id of an attribute that is defined at `now`.
    #[must_use]
    pub fn attribute_id(&self, now: Timestamp) -> AttributeId {
        AttributeId::new(now, self.db.random.number())
    }

    /// Reads the attributes.
    pub async fn attributes(&self) -> Result<Definitions, StoreError> {
        self.db.fetch([Key::attributes()]).await?.attributes()
    }

    /// Reads a caller, the attributes and, where the request may be a repeat, the record of its first, in one batch.
    pub async fn person_attributes_and_record(
        &self,
        id: &UserId,
        sought: Option<&Repeatable>,
    ) -> Result<(Option<User>, Definitions, Option<Record>), StoreError> {
        let keys = [Key::user(id), Key::attributes()];
        let fetched = self.db.fetch(keys.into_iter().chain(sought.map(Repeatable::key))).await?;
        Ok((fetched.get(&Key::user(id))?, fetched.attributes()?, fetched.record(sought)?))
    }

    /// Writes `after` over `before`, if that is still what stands there: `new` is what it has more.
    ///
    /// One transaction: attributes, audit, record.
    pub async fn define_attribute(
        &self,
        before: &Definitions,
        after: &Definitions,
        new: &Definition,
        origin: &Origin,
    ) -> Result<AttributeDefinition, StoreError> {
        let mut transaction = self.changing_attributes(before, after, (None, Some(new)), origin);
        let record = transaction.record(origin, new);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(AttributeDefinition::Done),
            Commit::Lost(lost) => {
                Ok(lost.record(record)?.map_or(AttributeDefinition::Overtaken, AttributeDefinition::Repeated))
            }
        }
    }

    /// Writes `after` over `before`, if that is still what stands there. `old` and `new` are the one attribute in which they
    /// differ: `None` for one that goes.
    ///
    /// One transaction: attributes, audit with the former and new value of what differs. A definition is no personal data.
    pub async fn change_attributes(
        &self,
        before: &Definitions,
        after: &Definitions,
        (old, new): (&Definition, Option<&Definition>),
        origin: &Origin,
    ) -> Result<AttributesChange, StoreError> {
        match self.db.commit(self.changing_attributes(before, after, (Some(old), new), origin)).await? {
            Commit::Done => Ok(AttributesChange::Done),
            Commit::Lost(_) => Ok(AttributesChange::Overtaken),
        }
    }

    fn changing_attributes(
        &self,
        before: &Definitions,
        after: &Definitions,
        (old, new): (Option<&Definition>, Option<&Definition>),
        origin: &Origin,
    ) -> Transaction {
        let action = match (old, new) {
            (None, _) => "user_attribute.created",
            (Some(_), Some(_)) => "user_attribute.changed",
            (Some(_), None) => "user_attribute.deleted",
        };
        let target = new.or(old).map(|definition| definition.id.as_str());
        let mut event = self.event(origin, action, target);
        for (field, old, new) in differences(old, new) {
            event = event.change(&field, old, new);
        }
        let change = Change::put(Key::attributes(), after);
        let change = if before.version == 0 {
            change.when_new()
        } else {
            change.when("#version = :version").with("version", before.version)
        };
        let mut transaction = Transaction::default();
        transaction.add(change);
        transaction.audit(&event);
        transaction
    }
}

/// What counts changes, and when they were made, is told by the event itself.
const TOLD_BY_THE_EVENT: [&str; 4] = ["id", "created_at", "updated_at", "version"];

/// The fields in which two states of an attribute differ, with both values.
fn differences(old: Option<&Definition>, new: Option<&Definition>) -> Vec<(String, Value, Value)> {
    let fields = |definition: Option<&Definition>| match serde_json::to_value(definition) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let (mut old, mut new) = (fields(old), fields(new));
    let names: Vec<String> = if new.is_empty() { &old } else { &new }.keys().cloned().collect();
    let names = names.into_iter().filter(|name| !TOLD_BY_THE_EVENT.contains(&name.as_str()));
    let pairs = names.map(|name| {
        let (old, new) = (old.remove(&name).unwrap_or_default(), new.remove(&name).unwrap_or_default());
        (name, old, new)
    });
    pairs.filter(|(_, old, new)| old != new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attribute::tests::definition;

    #[test]
    fn only_what_differs_is_told() {
        let before = definition("company", |_| {});
        let after = Definition { required: true, version: 2, ..before.clone() };

        let told = |old, new| differences(old, new).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
        assert_eq!(differences(Some(&before), Some(&after)), [("required".to_owned(), false.into(), true.into())]);
        assert_eq!(told(None, Some(&before)), told(Some(&before), None));
        assert_eq!(told(None, Some(&before)).len(), 8);
    }
}
