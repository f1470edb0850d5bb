//! Whether the examples of a document hold to its own schemas.

use serde_json::Value;

use super::{CLOSED, Contract, escaped};

/// What is wrong with the examples of a document: of what is asked and answered, and of its schemas.
pub fn faults_of_examples(document: &Value) -> Vec<String> {
    let contract = Contract::of(document.clone());
    let mut faults = Vec::new();
    each(document, "", &mut |place, value| {
        if value["schema"].is_object() {
            faults.extend(contract.faults_of_shown(place, value));
        } else if let Some(examples) = value.get("examples").and_then(Value::as_array) {
            faults.extend(examples.iter().flat_map(|example| contract.against(CLOSED, place, example)));
        }
    });
    faults
}

impl Contract {
    /// What is wrong with the examples of a media type, which needs some, or of a parameter or header.
    fn faults_of_shown(&self, place: &str, shown: &Value) -> Vec<String> {
        let named = shown["examples"].as_object().into_iter().flat_map(|examples| examples.values());
        let examples: Vec<_> = shown.get("example").into_iter().chain(named.map(|one| &one["value"])).collect();
        // The document is no example of itself.
        let needs_some = place.contains("/content/") && !place.starts_with("/paths/~1v1~1openapi.json");
        if examples.is_empty() && needs_some {
            return vec![format!("{place} has no example")];
        }
        examples.into_iter().flat_map(|example| self.against(CLOSED, &format!("{place}/schema"), example)).collect()
    }
}

/// Shows every object of a document with its place, but for those within examples.
fn each(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            visit(place, value);
            for (name, member) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples")) {
                each(member, &format!("{place}/{}", escaped(name)), visit);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| each(item, &format!("{place}/{at}"), visit));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
