//! The contract as a judge: what a test asks and is answered is what `docs/openapi.json` has.

mod closed;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use closed::closed;

/// What the document is called where its parts refer to each other.
const DOCUMENT: &str = "urn:portico:contract";
/// See [`DOCUMENT`]; closed, for answers.
const CLOSED: &str = "urn:portico:contract:closed";
const PROBLEM: &str = "application/problem+json";

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

/// A request and what it was answered.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The route, as API Gateway names it.
    pub route: &'a str,
    /// The request's body, where it is JSON.
    pub asked: Option<&'a Value>,
    /// The answer's status.
    pub status: u16,
    /// The answer's media type, where it has a body.
    pub media_type: Option<&'a str>,
    /// The answer's body; text where it is no JSON.
    pub answered: &'a Value,
}

/// Panics where the document has no such answer for the route, or where the portal took a body that the document does not
/// allow.
pub fn hold(exchange: &Exchange<'_>) {
    let faults = CONTRACT.faults(exchange);
    assert!(
        faults.is_empty(),
        "not as in docs/openapi.json; where that is only behind the handlers, PORTICO_WRITE_CONTRACT=1 cargo test \
         --workspace --test contract writes it anew:\n{}\n{exchange:#?}",
        faults.join("\n"),
    );
}

/// The route of a request, as API Gateway names it; `None` where the document has no such path.
pub fn route(method: &str, path: &str) -> Option<String> {
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (asked, named) = (path.split('/'), template.split('/'));
        asked.clone().count() == named.clone().count()
            && asked.zip(named).all(|(asked, named)| named.starts_with('{') || asked == named)
    };
    let paths = CONTRACT.document["paths"].as_object().unwrap().iter();
    let named = paths.filter(|(template, item)| fits(template) && item[method.to_lowercase()].is_object());
    // A word in the path goes before whatever an id may be.
    let (template, _) = named.min_by_key(|(template, _)| template.matches('{').count())?;
    Some(format!("{method} {template}"))
}

/// What is wrong with the document's own examples.
pub fn faults_of_examples() -> Vec<String> {
    let mut media_types = Vec::new();
    find("", &CONTRACT.document, &mut media_types);
    media_types.iter().flat_map(|media_type| CONTRACT.faults_of_examples(media_type)).collect()
}

struct Contract {
    document: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    fn read() -> Self {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let document: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let registry = Registry::new().add(CLOSED, closed(&document)).unwrap();
        let registry = registry.add(DOCUMENT, document.clone()).unwrap().prepare().unwrap();
        Self { document, registry, validators: Mutex::default() }
    }

    fn faults(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let Exchange { route, asked, status, media_type, answered } = *exchange;
        let (method, path) = route.split_once(' ').unwrap();
        let operation = format!("/paths/{}/{}", escaped(path), method.to_lowercase());
        if self.document.pointer(&operation).is_none() {
            return vec![format!("there is no {route}")];
        }
        let Some(answer) = self.followed(&format!("{operation}/responses/{status}")) else {
            return vec![format!("{route} does not answer {status}")];
        };
        let mut faults = match media_type {
            Some(media_type) => self.faults_of_body(&format!("{answer}/content/{}", escaped(media_type)), answered),
            None if self.document.pointer(&format!("{answer}/content")).is_some() => {
                vec!["the body is missing".to_owned()]
            }
            None => Vec::new(),
        };
        // To whoever asks for nothing, an empty object is as good as no body.
        if let (Some(asked), 200..300) = (asked.filter(|asked| **asked != json!({})), status) {
            let schema = format!("{operation}/requestBody/content/application~1json/schema");
            faults.extend(
                self.against(DOCUMENT, &schema, &trimmed(asked)).into_iter().map(|fault| format!("asked with {fault}")),
            );
        }
        faults
    }

    /// What is wrong with the body of an answer, by the media type that stands at `place`.
    fn faults_of_body(&self, place: &str, body: &Value) -> Vec<String> {
        let Some(media_type) = self.document.pointer(place) else {
            return vec![format!("there is no {place}")];
        };
        let mut faults = self.against(CLOSED, &format!("{place}/schema"), body);
        if place.ends_with(&escaped(PROBLEM)) {
            let slug = body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
            let title = &media_type["examples"][slug]["value"]["title"];
            if body["title"] != *title {
                faults.push(format!("a problem {slug} is called {title}"));
            }
        }
        faults
    }

    /// A place of the document, or the one that it refers to.
    fn followed(&self, pointer: &str) -> Option<String> {
        let found = self.document.pointer(pointer)?;
        let elsewhere = found["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        Some(elsewhere.unwrap_or(pointer).to_owned())
    }

    fn faults_of_examples(&self, place: &str) -> Vec<String> {
        let media_type = self.document.pointer(place).unwrap();
        let named = media_type["examples"].as_object().into_iter().flat_map(|examples| examples.values());
        let examples: Vec<_> = media_type.get("example").into_iter().chain(named.map(|one| &one["value"])).collect();
        // The document is no example of itself.
        if examples.is_empty() && !place.starts_with("/paths/~1v1~1openapi.json") {
            return vec![format!("{place} has no example")];
        }
        examples.into_iter().flat_map(|example| self.against(CLOSED, &format!("{place}/schema"), example)).collect()
    }

    fn against(&self, document: &str, schema: &str, value: &Value) -> Vec<String> {
        // A reference is a URI, in which braces do not stand.
        let validator = self.validator(format!("{document}#{schema}").replace('{', "%7B").replace('}', "%7D"));
        let errors = validator.iter_errors(value);
        errors.map(|error| format!("{}: {error} ({schema})", error.instance_path())).collect()
    }

    fn validator(&self, schema: String) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let built = validators.entry(schema).or_insert_with_key(|schema| {
            let options = jsonschema::draft202012::options().with_registry(&self.registry);
            Arc::new(options.should_validate_formats(true).build(&json!({"$ref": schema})).unwrap())
        });
        Arc::clone(built)
    }
}

/// Finds the places of media types below one.
fn find(place: &str, value: &Value, found: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let below = format!("{place}/{}", escaped(name));
        if place.ends_with("/content") && member["schema"].is_object() {
            found.push(below);
        } else if name != "schemas" {
            find(&below, member, found);
        }
    }
}

/// A body without the white space around its texts, which is taken off without a word.
fn trimmed(body: &Value) -> Value {
    match body {
        Value::String(text) => json!(text.trim()),
        Value::Array(items) => items.iter().map(trimmed).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), trimmed(value))).collect(),
        other => other.clone(),
    }
}

/// A key as a JSON pointer has it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
