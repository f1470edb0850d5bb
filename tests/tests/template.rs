//! `template.yaml`, the routers and the samples agree route for route.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use harness::{Bench, CODE, Sample};
use local_services::Template;
use serde_json::{Value, json};

mod functions;

use functions::routes::routes;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn samples() -> Vec<(String, Value)> {
    let files = fs::read_dir(root().join("events")).unwrap().map(|file| file.unwrap().path());
    let samples = files.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    });
    samples.collect()
}

#[test]
fn every_route_has_a_sample_with_the_same_authorisation() {
    let samples = samples();
    for route in routes() {
        let sample = samples.iter().find(|(_, event)| event["routeKey"] == route.key());
        let (name, event) = sample.unwrap_or_else(|| panic!("no sample for {}", route.key()));
        assert!(name.starts_with(&format!("{}-", route.function)), "{name} is a route of {}", route.function);
        assert_eq!(event["requestContext"]["authorizer"].is_null(), route.public, "{name}");
    }
}

#[tokio::test]
async fn every_route_of_the_template_is_a_route_of_its_function() {
    let bench = Bench::new().await;
    // To a visitor, a code that is not there looks like a route that is not there.
    bench.invite_code(CODE, |_| {}).await;
    let samples = samples();
    for route in routes() {
        let (name, _) = samples.iter().find(|(_, event)| event["routeKey"] == route.key()).unwrap();
        // Nobody is in the table: a route that exists says 401, or what it thinks of the body, but never 404.
        let reply = functions::send(&bench, Sample::of(name)).await;
        assert_ne!(reply.status, 404, "{} is missing in functions/{}", route.key(), route.function);
    }
}

#[test]
fn every_route_of_a_function_is_in_the_template() {
    let in_template: BTreeSet<_> = routes().iter().map(|route| (route.function.clone(), route.key())).collect();
    let folders = fs::read_dir(root().join("functions")).unwrap().map(|folder| folder.unwrap());
    let mut in_code = BTreeSet::new();
    for folder in folders {
        let name = folder.file_name().into_string().unwrap();
        let code = fs::read_to_string(folder.path().join("src/lib.rs")).unwrap();
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        for route in code.split(".route(\"").skip(1) {
            let (path, handlers) = route.split_once("\",").unwrap();
            let handlers = handlers.split(".route(").next().unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                if handlers.starts_with(&format!("{method}(")) || handlers.contains(&format!(").{method}(")) {
                    in_code.insert((name.clone(), format!("{} {path}", method.to_uppercase())));
                }
            }
        }
    }

    assert_eq!(in_code, in_template);
}

#[test]
fn exactly_these_routes_are_public() {
    let public: BTreeSet<_> = routes().into_iter().filter(|route| route.public).map(|route| route.key()).collect();

    let expected = [
        "GET /v1/openapi.json",
        "GET /v1/settings/public",
        "POST /v1/auth/challenge",
        "POST /v1/auth/forgot-password",
        "POST /v1/auth/login",
        "POST /v1/auth/refresh",
        "POST /v1/invitations/accept",
        "POST /v1/invitations/preview",
        "POST /v1/auth/reset-password",
        "POST /v1/invite-codes/redeem",
        "POST /v1/registrations",
        "POST /v1/registrations/confirm",
        "POST /v1/registrations/resend",
    ];
    assert_eq!(public, expected.map(str::to_owned).into());
}

#[test]
fn the_streams_filter_lets_through_what_the_mailer_looks_for() {
    let template = Template::deployed().unwrap();
    let mapping = template.of_kind("AWS::Lambda::EventSourceMapping").next().unwrap();

    let filters = mapping.properties["FilterCriteria"]["Filters"].as_array().unwrap();
    let patterns: Vec<Value> =
        filters.iter().map(|filter| serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap()).collect();

    let [pattern] = patterns.as_slice() else { panic!("more than one filter") };
    assert_eq!(pattern["eventName"], json!(["INSERT"]));
    let prefix = json!([{"prefix": shared::store::keys::OUTBOX_PREFIX}]);
    assert_eq!(pattern["dynamodb"]["Keys"]["pk"]["S"], prefix);
    assert_eq!(mapping.properties["StartingPosition"], "TRIM_HORIZON");
}

#[test]
fn what_ses_tells_of_mails_reaches_the_function_that_notes_it() {
    let template = Template::deployed().unwrap();
    let destination = template.of_kind("AWS::SES::ConfigurationSetEventDestination").next().unwrap();
    let mailer = template.resource("DeliverMailFunction", "AWS::Serverless::Function").unwrap();
    let told = &destination.properties["EventDestination"];

    assert_eq!((&told["Enabled"], &told["MatchingEventTypes"]), (&json!(true), &json!(["bounce", "complaint"])));
    let sent_under = &mailer.properties["Environment"]["Variables"]["CONFIGURATION_SET"];
    assert_eq!(&destination.properties["ConfigurationSetName"], sent_under);
    let topic = &told["SnsDestination"]["TopicARN"];
    let subscriptions: Vec<_> = template.events().filter(|event| event.kind == "SNS").collect();
    let [subscription] = subscriptions.as_slice() else { panic!("one subscription") };
    assert_eq!((subscription.function, &subscription.properties["Topic"]), ("MailFeedbackFunction", topic));
}

/// The logical ids that a value refers to, by whatever intrinsic.
fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                match (name.as_str(), value) {
                    ("Ref", Value::String(id)) => drop(found.insert(id.clone())),
                    ("Fn::GetAtt", Value::String(attribute)) => drop(found.insert(logical_id(attribute))),
                    ("Fn::GetAtt", Value::Array(parts)) => drop(found.insert(logical_id(parts[0].as_str().unwrap()))),
                    ("Fn::Sub", Value::String(text)) => found.extend(substituted(text)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        found.extend(substituted(parts[0].as_str().unwrap()));
                        found.extend(references(&parts[1]));
                    }
                    _ => found.extend(references(value)),
                }
            }
        }
        Value::Array(items) => found.extend(items.iter().flat_map(references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

fn logical_id(attribute: &str) -> String {
    attribute.split('.').next().unwrap().to_owned()
}

fn substituted(text: &str) -> impl Iterator<Item = String> {
    text.split("${").skip(1).map(|rest| logical_id(rest.split('}').next().unwrap()))
}

#[test]
fn every_way_to_refer_to_something_is_seen() {
    let value = json!({
        "a": {"Ref": "One"}, "b": [{"Fn::GetAtt": ["Two", "Arn"]}], "c": {"Fn::GetAtt": "Three.Arn"},
        "d": {"Fn::Sub": "x${Four}y${Five.Arn}"}, "e": {"Fn::If": ["C", {"Fn::Sub": ["${Six}", {"X": {"Ref": "Seven"}}]}]},
    });

    let expected = ["One", "Two", "Three", "Four", "Five", "Six", "Seven"];
    assert_eq!(references(&value), expected.map(str::to_owned).into());
}

#[test]
fn no_function_with_a_route_refers_to_the_api_that_refers_to_it() {
    let template = Template::deployed().unwrap();
    let api = template.of_kind("AWS::Serverless::HttpApi").next().unwrap().logical_id;
    let with_routes: BTreeSet<_> =
        template.events().filter(|event| event.kind == "HttpApi").map(|event| event.function).collect();
    assert!(!with_routes.is_empty());
    for event in template.events().filter(|event| event.kind == "HttpApi") {
        assert_eq!(event.properties["ApiId"], json!({"Ref": api}), "{} of {}", event.name, event.function);
    }

    for function in template.of_kind("AWS::Serverless::Function") {
        let mut properties = function.properties.clone();
        // Its routes name the API; they become part of the API, not of the function.
        properties.as_object_mut().unwrap().remove("Events");
        let refers = references(&properties).contains(api);
        assert!(!(refers && with_routes.contains(function.logical_id)), "{} refers to {api}", function.logical_id);
    }
}

#[test]
fn every_function_is_told_what_it_reads_at_its_start() {
    let template = Template::deployed().unwrap();
    let needs = [
        (".store()?", ["PORTAL_TABLE", "MAIL_TABLE"].as_slice()),
        (".identity()?", &["USER_POOL_ID", "USER_POOL_CLIENT_ID"]),
        (".owns_pool()?", &["OWN_USER_POOL"]),
        (".mailer()?", &["MAIL_TABLE", "PORTAL_URL", "CONFIGURATION_SET"]),
    ];
    for function in template.of_kind("AWS::Serverless::Function") {
        let folder = function.properties["CodeUri"].as_str().unwrap();
        let code = fs::read_to_string(root().join(folder).join("src/lib.rs")).unwrap();
        let variables = &function.properties["Environment"]["Variables"];
        for (part, names) in needs {
            for name in names {
                let told = !variables[name].is_null();
                assert!(told || !code.contains(part), "{} lacks {name}", function.logical_id);
            }
        }
    }
}
