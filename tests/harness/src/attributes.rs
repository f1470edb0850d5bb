//! Custom sign-up attributes.

use serde_json::{Map, Value};
use shared::{
    domain::{
        attribute::{AttributeName, Definition, Kind, Visibility, Writer, merge},
        name::Name,
        user::User,
    },
    store::AttributeDefinition,
};

use crate::Bench;

impl Bench {
    /// An optional, private text on the form, but for what `change` says.
    pub async fn attribute(&self, name: &str, change: impl FnOnce(&mut Definition)) -> Definition {
        let now = self.now();
        let mut definition = Definition {
            id: self.store.attribute_id(now),
            name: AttributeName::parse(name).unwrap(),
            label: Name::parse(name).unwrap(),
            kind: Kind::String { pattern: None },
            required: false,
            write_once: false,
            visibility: Visibility::Private,
            on_form: true,
            order: 0,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        change(&mut definition);
        let before = self.store.attributes().await.unwrap();
        let after = before.with(definition.clone()).unwrap();
        let changed = self.store.define_attribute(&before, &after, &definition, &self.origin()).await;
        assert!(matches!(changed, Ok(AttributeDefinition::Done)), "{changed:?}");
        definition
    }

    /// Gives a person these values, by name, past every rule but that they fit.
    pub async fn give(&self, person: &User, values: &Value) {
        let definitions = self.store.attributes().await.unwrap();
        let values = values.as_object().unwrap();
        let values = merge(&definitions, &person.attributes, values, Writer::Owner).unwrap();
        self.overwrite(&person.id, "attributes", &Value::Object(values)).await;
    }

    /// The values of a person by name, without those that are `null`.
    pub async fn values(&self, person: &User) -> Map<String, Value> {
        let definitions = self.store.attributes().await.unwrap();
        let mut values = definitions.shown(&self.read(&person.id).await.attributes, |_| true);
        values.retain(|_, value| !value.is_null());
        values
    }
}
