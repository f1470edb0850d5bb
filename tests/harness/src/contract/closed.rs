//! The contract as strict as we are with ourselves: clients have to put up with members that they do not know, but whatever
//! an answer has is described.

use serde_json::{Value, json};

/// The document, with no member allowed that it does not name.
pub fn closed(document: &Value) -> Value {
    let mut document = document.clone();
    // A named schema may be part of another: it is closed where it is referred to.
    for schema in document["components"]["schemas"].as_object_mut().unwrap().values_mut() {
        close(schema, true);
    }
    close(&mut document["components"]["responses"], false);
    close(&mut document["paths"], false);
    document
}

/// Closes a schema, unless it is part of another, and what is below it.
fn close(schema: &mut Value, is_part: bool) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match name.as_str() {
                    "allOf" | "anyOf" | "oneOf" => close(member, true),
                    "properties" => member.as_object_mut().unwrap().values_mut().for_each(|field| close(field, false)),
                    "example" | "examples" => {}
                    _ => close(member, false),
                }
            }
            let has_members =
                ["$ref", "allOf", "anyOf", "oneOf", "properties"].iter().any(|name| members.contains_key(*name));
            if has_members && !is_part {
                members.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, is_part)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
