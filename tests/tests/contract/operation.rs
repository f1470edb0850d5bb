//! What an operation has because of where it stands: its name, who may call it, what every such route may answer.

use std::{fs, sync::OnceLock};

use harness::Sample;
use serde_json::{Map, Value, json};

use super::{functions::routes::Route, problems};

/// The headers of single routes that some answers of theirs lack.
const SOMETIMES: [&str; 2] = ["Retry-After", "x-next-cursor"];

/// Where an operation stands, and the sample event of its route.
pub struct Site<'a> {
    route: &'a Route,
    name: &'static str,
    sample: &'static Sample,
}

/// The samples of `events/` by name, read once.
fn samples() -> &'static [(String, Sample)] {
    static READ: OnceLock<Vec<(String, Sample)>> = OnceLock::new();
    READ.get_or_init(|| {
        let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
        let files = fs::read_dir(events).unwrap().map(|file| file.unwrap().path());
        let samples = files.map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let sample = Sample::of(&name);
            (name, sample)
        });
        samples.collect()
    })
}

impl<'a> Site<'a> {
    pub fn of(route: &'a Route) -> Self {
        let of_route = samples().iter().find(|(_, sample)| sample.route() == Some(route.key().as_str()));
        let (name, sample) = of_route.unwrap_or_else(|| panic!("no sample for {}", route.key()));
        Self { route, name, sample }
    }
}

/// What the operations of a function are called together.
pub fn tag(function: &str) -> String {
    let words = function.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Completes an operation as its handler describes it.
pub fn complete(mut operation: Value, site: &Site<'_>) -> Value {
    operation["operationId"] = json!(site.name);
    operation["tags"] = json!([tag(&site.route.function)]);
    operation["security"] = if site.route.public { json!([]) } else { json!([{"tokens": []}]) };
    let says_body = !operation["requestBody"].is_null();
    // What takes none refuses one that is there all the same.
    let takes_body = says_body || !site.route.method.eq_ignore_ascii_case("GET");
    if let (true, Some(example)) = (says_body, site.sample.json()) {
        operation["requestBody"]["content"]["application/json"]["example"] = example;
    }
    allow_no_body(&mut operation);
    let has = |name: &str| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["name"] == name)
    };
    let has_query = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
    let (keyed, versioned) = (has("Idempotency-Key"), has("If-Match"));

    let mut common: Vec<(u16, String)> = Vec::new();
    let mut may = |status: u16, text: &str| common.push((status, text.to_owned()));
    let malformed = "`malformed-json`: the body is no JSON.";
    match (takes_body, keyed) {
        (true, true) => may(400, &format!("{malformed} `idempotency-key-invalid`: that is no key.")),
        (true, false) => may(400, malformed),
        (false, true) => may(400, "`idempotency-key-invalid`: that is no key."),
        (false, false) => {}
    }
    if !site.route.public {
        may(401, "`unauthenticated`: no access token of a session that has not ended. API Gateway answers likewise.");
    }
    if site.route.path.contains('{') {
        may(404, "`not-found`: nothing is there, or nothing that the caller may see.");
    }
    if versioned {
        may(412, "`version-mismatch`: it is of another version than `If-Match` names.");
    }
    if takes_body {
        may(413, "`body-too-large`: the body is over its bound.");
        may(415, "`unsupported-media-type`: the body is of another media type.");
    }
    let faults = "`validation-failed`: every fault is named.";
    match (takes_body || has_query, keyed) {
        (true, true) => may(422, &format!("{faults} `idempotency-key-reused`: it came with another request before.")),
        (true, false) => may(422, faults),
        (false, true) => may(422, "`idempotency-key-reused`: it came with another request before."),
        (false, false) => {}
    }
    may(429, "Too many requests at once; API Gateway answers.");
    may(500, "`internal`: the portal failed; the request id finds the line in its log.");
    may(503, "`try-again`: others were first or a service is busy; `Retry-After` says when.");

    let answers = operation["responses"].as_object_mut().unwrap();
    for (status, text) in common {
        let answer = answers.entry(status.to_string()).or_insert_with(|| json!({"description": ""}));
        let own = answer["description"].as_str().unwrap();
        answer["description"] = json!(if own.is_empty() { text } else { format!("{own} {text}") });
    }
    for (status, answer) in answers {
        finish(status, answer, site.route, keyed, versioned);
    }
    operation
}

/// A body that need not be there is absent, not `null`.
fn allow_no_body(operation: &mut Value) {
    let Some(body) = operation.get_mut("requestBody") else { return };
    let mut is_optional = false;
    for media in body["content"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let null = json!({"type": "null"});
        let choices = media["schema"]["oneOf"].as_array().filter(|choices| choices.contains(&null));
        if let Some(shape) = choices.and_then(|choices| choices.iter().find(|shape| **shape != null)).cloned() {
            media["schema"] = shape;
            is_optional = true;
        }
    }
    if is_optional {
        body["required"] = json!(false);
    }
}

/// Gives an answer its headers, and a refusal its shape.
fn finish(status: &str, answer: &mut Value, route: &Route, keyed: bool, versioned: bool) {
    let mut headers = Map::new();
    let mut has = |name: &str, text: &str, always: bool| {
        let header = json!({"description": text, "required": always, "schema": {"type": "string"}});
        headers.insert(name.to_owned(), header);
    };
    let public = route.public;
    if status.starts_with('2') {
        has("x-request-id", "What the request is called in logs.", true);
        if status == "201" {
            has("Location", "Where it stands.", true);
        }
        if keyed {
            let text = "`true` where this is the answer to an earlier request with the same key.";
            has("Idempotency-Replayed", text, false);
        }
        if versioned && status == "200" {
            has("ETag", "The version, for `If-Match`.", true);
        }
    } else {
        has("x-request-id", "What the request is called in logs, unless API Gateway answers itself.", false);
        let mut content = Map::new();
        let description = answer["description"].as_str().unwrap();
        let types = types(description);
        if !types.is_empty() {
            let examples = problems::examples(&types, &route.key(), status, description);
            let types: Vec<_> = types.iter().map(|name| format!("/problems/{name}")).collect();
            let narrowed = json!({"type": "object", "properties": {"type": {"enum": types}}});
            let schema = json!({"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]});
            content.insert("application/problem+json".to_owned(), json!({"schema": schema, "examples": examples}));
        }
        // API Gateway asks for no token on a public route.
        if matches!(status, "401" | "404" | "413" | "429" | "500" | "503") && !(public && status == "401") {
            let schema = json!({"$ref": "#/components/schemas/GatewayRefusal"});
            let refusal = json!({"schema": schema, "example": problems::gateway(status)});
            content.insert("application/json".to_owned(), refusal);
        }
        answer["content"] = Value::Object(content);
        if matches!(status, "429" | "503") {
            has("Retry-After", "Seconds to wait, unless API Gateway answers itself.", false);
        }
        if status == "401" && !public {
            has("WWW-Authenticate", "Which token is asked for, with `unauthenticated`.", false);
        }
    }
    for (name, own) in answer["headers"].as_object().into_iter().flatten() {
        let mut own = own.clone();
        own["required"] = json!(!SOMETIMES.contains(&name.as_str()));
        headers.insert(name.clone(), own);
    }
    if !headers.is_empty() {
        answer["headers"] = Value::Object(headers);
    }
}

/// The types of problem that a description names: in backticks, alone or in a row, before a colon.
pub fn types(description: &str) -> Vec<&str> {
    let parts: Vec<_> = description.split('`').collect();
    let mut found = Vec::new();
    let mut leads_on = false;
    for pair in parts[1..].chunks(2).rev() {
        let [quoted, after] = pair else { panic!("a backtick is missing: {description}") };
        leads_on = after.starts_with(':') || (leads_on && *after == ", ");
        if leads_on {
            found.insert(0, *quoted);
        }
    }
    found
}
