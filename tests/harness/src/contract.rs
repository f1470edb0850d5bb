//! The contract as a judge: what a test asks and is answered is what `docs/openapi.json` has.

mod closed;
mod examples;
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
pub use examples::faults_of_examples;

/// What the document is called where its parts refer to each other.
const DOCUMENT: &str = "urn:portico:contract";
/// See [`DOCUMENT`]; closed, for answers.
const CLOSED: &str = "urn:portico:contract:closed";
/// The media type of refusals.
const PROBLEM: &str = "application/problem+json";

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    Contract::of(serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap())
});

/// A request and what it was answered.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The route, as API Gateway names it.
    pub route: &'a str,
    /// The request's body, where it is JSON.
    pub asked: Option<&'a Value>,
    /// The answer's status.
    pub status: u16,
    /// The names of its headers.
    pub headers: &'a [&'a str],
    /// Its media type, where it has a body.
    pub media_type: Option<&'a str>,
    /// Its body; text where it is no JSON.
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

struct Contract {
    document: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    fn of(document: Value) -> Self {
        let registry = Registry::new().add(CLOSED, closed(&document)).unwrap();
        let registry = registry.add(DOCUMENT, document.clone()).unwrap().prepare().unwrap();
        Self { document, registry, validators: Mutex::default() }
    }

    fn faults(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let (method, path) = exchange.route.split_once(' ').unwrap();
        let operation = format!("/paths/{}/{}", escaped(path), method.to_lowercase());
        if self.document.pointer(&operation).is_none() {
            return vec![format!("there is no {}", exchange.route)];
        }
        let Some(answer) = self.followed(&format!("{operation}/responses/{}", exchange.status)) else {
            return vec![format!("{} does not answer {}", exchange.route, exchange.status)];
        };
        let mut faults = self.faults_of_body(&answer, exchange);
        faults.extend(self.faults_of_headers(&answer, exchange));
        if (200..300).contains(&exchange.status) {
            faults.extend(self.faults_of_request(&operation, exchange));
        }
        faults
    }

    fn faults_of_body(&self, answer: &str, exchange: &Exchange<'_>) -> Vec<String> {
        let body = exchange.answered;
        let Some(media_type) = exchange.media_type else {
            let has_body = self.document.pointer(&format!("{answer}/content")).is_some();
            return if has_body { vec!["the body is missing".to_owned()] } else { Vec::new() };
        };
        let place = format!("{answer}/content/{}", escaped(media_type));
        let Some(content) = self.document.pointer(&place) else {
            return vec![format!("there is no {place}")];
        };
        let mut faults = self.against(CLOSED, &format!("{place}/schema"), body);
        if media_type == PROBLEM {
            let slug = body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
            let title = &content["examples"][slug]["value"]["title"];
            if body["title"] != *title {
                faults.push(format!("a problem {slug} is called {title}"));
            }
        }
        faults
    }

    fn faults_of_headers(&self, answer: &str, exchange: &Exchange<'_>) -> Vec<String> {
        let headers = self.document.pointer(&format!("{answer}/headers")).and_then(Value::as_object);
        let always = headers.into_iter().flatten().filter(|(_, header)| header["required"] == true);
        let missing = always.filter(|(name, _)| !exchange.headers.iter().any(|had| had.eq_ignore_ascii_case(name)));
        missing.map(|(name, _)| format!("the header {name} is missing")).collect()
    }

    fn faults_of_request(&self, operation: &str, exchange: &Exchange<'_>) -> Vec<String> {
        let body = self.document.pointer(&format!("{operation}/requestBody"));
        let is_needed = body.is_some_and(|body| body["required"] == true);
        // Where nothing need be asked with, an empty object is as good as no body.
        let Some(asked) = exchange.asked.filter(|asked| is_needed || **asked != json!({})) else { return Vec::new() };
        let schema = format!("{operation}/requestBody/content/application~1json/schema");
        if body.is_none() {
            return vec!["asked with a body, and there is none to ask with".to_owned()];
        }
        let faults = self.against(DOCUMENT, &schema, &trimmed(asked));
        faults.into_iter().map(|fault| format!("asked with {fault}")).collect()
    }

    /// A place of the document, or the one that it refers to.
    fn followed(&self, pointer: &str) -> Option<String> {
        let found = self.document.pointer(pointer)?;
        let elsewhere = found["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        Some(elsewhere.unwrap_or(pointer).to_owned())
    }

    /// What is wrong with a value, by the schema at a place.
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
