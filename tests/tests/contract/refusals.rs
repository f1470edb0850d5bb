//! Refusals that routes have alike: written once, and referred to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::types;

/// Where the shared ones stand.
const PLACE: &str = "#/components/responses/";

/// Takes the refusals out of the operations that more than one has; returns them by name.
pub fn shared(paths: &mut Map<String, Value>) -> Map<String, Value> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    each(paths, |name, refusal| *counts.entry((name, refusal.to_string())).or_default() += 1);
    // Of those with one name, the one that most routes have.
    let mut most: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for ((name, refusal), count) in counts.iter().filter(|(_, count)| **count > 1) {
        let found = most.entry(name).or_insert((*count, refusal));
        *found = (*count, refusal.as_str()).max(*found);
    }
    let shared: Map<String, Value> =
        most.iter().map(|(name, (_, refusal))| ((*name).to_owned(), serde_json::from_str(refusal).unwrap())).collect();
    each(paths, |name, refusal| {
        if shared.get(&name) == Some(refusal) {
            *refusal = json!({"$ref": format!("{PLACE}{name}")});
        }
    });
    shared
}

/// What an operation answers with a status, wherever that stands.
pub fn resolved<'a>(document: &'a Value, answer: &'a Value) -> &'a Value {
    answer["$ref"].as_str().map_or(answer, |place| document.pointer(place.strip_prefix('#').unwrap()).unwrap())
}

fn each(paths: &mut Map<String, Value>, mut visit: impl FnMut(String, &mut Value)) {
    for operation in paths.values_mut().flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
        for (status, answer) in operation["responses"].as_object_mut().unwrap() {
            if status.starts_with('4') || status.starts_with('5') {
                visit(name(answer), answer);
            }
        }
    }
}

/// What a refusal is called: `MalformedJsonOrIdempotencyKeyInvalid` by its types.
fn name(refusal: &Value) -> String {
    let named = types(refusal["description"].as_str().unwrap()).into_iter().map(|slug| {
        let words = slug.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        words.collect::<String>()
    });
    let named = named.collect::<Vec<_>>().join("Or");
    if named.is_empty() { "TooManyRequests".to_owned() } else { named }
}
