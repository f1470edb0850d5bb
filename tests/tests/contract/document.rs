//! The whole document: the parts of the functions in one, with what all of them have in common.

use std::collections::BTreeMap;

use local_services::Template;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, openapi::OpenApi as Part};

use super::{
    examples::{Answers, examples},
    functions::routes::routes,
    links::link,
    operation::{Site, complete, tag},
    problems,
    refusals::shared,
};

/// The parts, by the folder of their function.
fn parts() -> [(&'static str, Part); 10] {
    [
        ("approve", approve::Contract::openapi()),
        ("invite", invite::Contract::openapi()),
        ("invite-codes", invite_codes::Contract::openapi()),
        ("login", login::Contract::openapi()),
        ("me", me::Contract::openapi()),
        ("organisations", organisations::Contract::openapi()),
        ("redeem-code", redeem_code::Contract::openapi()),
        ("register", register::Contract::openapi()),
        ("settings", settings::Contract::openapi()),
        ("users", users::Contract::openapi()),
    ]
}

/// The document as it is served.
pub async fn document() -> Value {
    let examples = examples().await;
    let routes: BTreeMap<_, _> = routes().into_iter().map(|route| (route.key(), route)).collect();
    let (mut paths, mut schemas) = (Map::new(), problems::schemas());
    for (function, part) in parts() {
        let part = serde_json::to_value(part).unwrap();
        merge(&mut schemas, part["components"]["schemas"].as_object().unwrap(), function);
        for (path, item) in part["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let key = format!("{} {path}", method.to_uppercase());
                let route = routes.get(&key).unwrap_or_else(|| panic!("{key} is not in template.yaml"));
                assert_eq!(route.function, function, "{key} is documented by another function");
                let item = paths.entry(path).or_insert_with(|| json!({}));
                let mut operation = complete(operation.clone(), &Site::of(route));
                show(&mut operation, &examples);
                item[method] = operation;
            }
        }
    }
    name_entries(&mut schemas);
    strict(&mut schemas, &paths);
    link(&mut paths, &schemas);
    let refusals = shared(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portico",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The way into an API programme: registration, approval, invitations, log-in and people. \
                docs/api.md says in prose what stands here in shapes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The portal that serves this document."}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": refusals,
            "securitySchemes": {"tokens": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "The access token of a session that has not ended.",
            }},
        },
    })
}

/// Gives the answers of an operation their examples.
fn show(operation: &mut Value, examples: &BTreeMap<String, Answers>) {
    let name = operation["operationId"].as_str().unwrap();
    let Some(answers) = examples.get(name) else { return };
    for (status, answer) in operation["responses"].as_object_mut().unwrap() {
        if status.starts_with('2') {
            for (media_type, content) in answer["content"].as_object_mut().unwrap() {
                let examples = &answers[media_type];
                if let [(_, example)] = examples.as_slice() {
                    content["example"] = example.clone();
                } else {
                    let named = examples.iter().map(|(name, example)| (name.clone(), json!({"value": example})));
                    content["examples"] = named.collect::<Map<_, _>>().into();
                }
            }
        }
    }
}

/// What the tag of each function is about, as `template.yaml` has it.
fn tags() -> Value {
    let template = Template::deployed().unwrap();
    let functions: Vec<_> = template.of_kind("AWS::Serverless::Function").collect();
    let tags = parts().map(|(name, _)| {
        let folder = format!("functions/{name}/");
        let function = functions.iter().find(|function| function.properties["CodeUri"] == folder.as_str()).unwrap();
        json!({"name": tag(name), "description": function.properties["Description"]})
    });
    json!(tags)
}

/// Takes over the schemas of one function. Two of one name are one.
fn merge(schemas: &mut Map<String, Value>, more: &Map<String, Value>, function: &str) {
    for (name, schema) in more {
        let before = schemas.insert(name.clone(), schema.clone());
        assert!(before.is_none_or(|before| before == *schema), "another {name} in functions/{function}");
    }
}

/// Says what derived shapes leave open: no body takes a field that it does not know, and an answer always has every
/// field that may be null.
fn strict(schemas: &mut Map<String, Value>, paths: &Map<String, Value>) {
    let named = |pointer: &str| {
        let paths = paths.values().flat_map(|item| item.as_object().unwrap().values());
        let mut found: Vec<_> = paths.flat_map(|operation| references(&operation[pointer])).collect();
        let mut at = 0;
        while let Some(name) = found.get(at) {
            found.extend(
                references(&schemas[name]).into_iter().filter(|name| !found.contains(name)).collect::<Vec<_>>(),
            );
            at += 1;
        }
        found
    };
    let (asked, answered) = (named("requestBody"), named("responses"));
    for (name, schema) in schemas {
        let (is_asked, is_answered) = (asked.contains(name), answered.contains(name));
        objects(schema, &mut |object| {
            if is_asked && object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            if is_answered && !is_asked {
                require_nullable(object);
            }
        });
    }
}

/// Gives the entries of pages, which are written out in them, the name that the page's own ends with.
fn name_entries(schemas: &mut Map<String, Value>) {
    let pages: Vec<_> = schemas.keys().filter(|name| name.starts_with("Page_")).cloned().collect();
    for page in pages {
        let name = page.trim_start_matches("Page_");
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        let entry = std::mem::replace(&mut schemas[&page]["properties"]["items"]["items"], reference);
        let named = schemas.entry(name).or_insert_with(|| entry.clone());
        assert_eq!(*named, entry, "there is another {name}");
    }
}

fn require_nullable(object: &mut Map<String, Value>) {
    let Some(properties) = object.get("properties").and_then(Value::as_object) else { return };
    let always = properties.iter().filter(|(_, shape)| nullable(shape)).map(|(name, _)| json!(name));
    let always: Vec<_> = always.collect();
    let required = object.entry("required").or_insert_with(|| json!([])).as_array_mut().unwrap();
    for name in always {
        if !required.contains(&name) {
            required.push(name);
        }
    }
}

fn nullable(shape: &Value) -> bool {
    let null = json!("null");
    let one_of = shape["oneOf"].as_array().into_iter().flatten();
    shape["type"].as_array().is_some_and(|types| types.contains(&null))
        || one_of.into_iter().any(|shape| shape["type"] == null)
}

/// The names of the schemas that a part of the document refers to itself.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
            own.map(str::to_owned).into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Shows `change` every object of a schema, itself included.
fn objects(schema: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            change(members);
            members.values_mut().for_each(|member| objects(member, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| objects(item, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
