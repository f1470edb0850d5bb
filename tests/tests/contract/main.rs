//! `docs/openapi.json`, which the handlers generate and `GET /v1/openapi.json` serves.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    sync::LazyLock,
};

use serde_json::Value;
use tokio::runtime::Builder;

mod document;
mod examples;
#[path = "../functions/mod.rs"]
mod functions;
mod links;
mod operation;
mod problems;
mod refusals;

use functions::routes::{Route, routes};
use refusals::resolved;

/// The contract in words.
const API: &str = include_str!("../../../docs/api.md");
/// Set to have the document written anew instead of compared.
const WRITE: &str = "PORTICO_WRITE_CONTRACT";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(document::document())
});

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

/// Every operation, by method and path.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    operations.collect()
}

#[test]
fn the_document_is_what_the_handlers_say() {
    let document = format!("{:#}\n", *DOCUMENT);
    #[expect(clippy::disallowed_methods, reason = "said to this test alone; the portal never reads it")]
    let is_to_be_written = env::var_os(WRITE).is_some();
    if is_to_be_written {
        fs::write(file(), &document).unwrap();
    }

    let kept = fs::read_to_string(file()).unwrap_or_default();

    assert!(kept == document, "docs/openapi.json is behind the handlers: run this test once with {WRITE}=1");
}

#[test]
fn every_route_is_in_the_document_and_no_other() {
    let document = &*DOCUMENT;

    let written: BTreeSet<_> = operations(document).into_keys().collect();

    assert_eq!(written, routes().iter().map(Route::key).collect());
}

#[test]
fn every_operation_says_what_it_does_and_what_it_may_answer() {
    let document = &*DOCUMENT;
    for (route, operation) in operations(document) {
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{route} has no summary");
        let answers: Vec<_> = operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
        let first = *answers.first().unwrap();
        assert!(first.starts_with('2'), "{route} answers {answers:?}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let answer = resolved(document, answer);
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{status} of {route}");
        }
    }
}

#[test]
fn no_description_speaks_rust() {
    let text = DOCUMENT.to_string();
    for word in ["`None`", "`Some", "Some(", "::", "[`", "Vec<", "Option<"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[tokio::test]
async fn the_examples_are_always_the_same() {
    assert_eq!(examples::examples().await, examples::examples().await);
}

#[test]
fn every_field_is_described() {
    let document = &*DOCUMENT;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, shape) in schema["properties"].as_object().into_iter().flatten() {
            // Where a field is of a named shape, the shape's description is its own.
            let described = shape["description"].is_string() || shape.to_string().contains("\"$ref\"");
            assert!(described, "{field} of {name}");
        }
    }
}

#[test]
fn every_refusal_of_the_portal_names_its_types_as_the_contract_does() {
    let document = &*DOCUMENT;
    for (route, operation) in operations(document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let answer = resolved(document, answer);
            let problem = &answer["content"]["application/problem+json"]["schema"];
            // Where API Gateway alone says that it is too much, there is no problem document.
            assert!(
                problem.is_object() != (status.starts_with('2') || answer_of_gateway(status, answer)),
                "{status} of {route}"
            );
            for name in problem["allOf"][1]["properties"]["type"]["enum"].as_array().into_iter().flatten() {
                let slug = name.as_str().unwrap().strip_prefix("/problems/").unwrap();
                assert!(API.contains(&format!("`{slug}`")), "docs/api.md knows no {slug}, which {route} answers");
            }
        }
    }
}

#[test]
fn everything_asked_and_answered_has_an_example_which_holds_to_its_schema() {
    assert_eq!(harness::contract::faults_of_examples(&DOCUMENT), Vec::<String>::new());
}

/// Whether a refusal is never the portal's own.
fn answer_of_gateway(status: &str, answer: &Value) -> bool {
    status == "429" && !answer["description"].as_str().unwrap().contains("`rate-limited`")
}

#[test]
fn every_example_of_a_problem_is_one_of_its_routes() {
    let operations = operations(&DOCUMENT);
    let shows = |operation: &Value, example: &Value| {
        let answers = operation["responses"].as_object().unwrap().values();
        let shown = answers.map(|answer| {
            let examples = &resolved(&DOCUMENT, answer)["content"]["application/problem+json"]["examples"];
            &examples[example["type"].as_str().unwrap()]["value"]["detail"]
        });
        shown.into_iter().any(|detail| *detail == example["detail"])
    };
    for example in problems::all() {
        let example = Value::Object(example);
        assert!(operations.values().any(|operation| shows(operation, &example)), "{example} is nowhere");
        for route in example["routes"].as_array().into_iter().flatten() {
            assert!(shows(operations[route.as_str().unwrap()], &example), "{example} is not at {route}");
        }
    }
}

/// The tasks that an answer links to, by the task that it answers.
fn links(route: &str) -> BTreeSet<String> {
    let links = operations(&DOCUMENT)[route]["responses"]["201"]["links"].as_object().unwrap();
    links.keys().cloned().collect()
}

#[test]
fn what_was_created_leads_to_what_may_be_done_with_it() {
    let team = ["organisations-change-team", "organisations-delete-team"];
    assert_eq!(links("POST /v1/organisations/{id}/teams"), team.map(str::to_owned).into());
    let request = ["organisations-approve-request", "organisations-reject-request"];
    assert_eq!(links("POST /v1/organisation-requests"), request.map(str::to_owned).into());
    let code = ["change", "delete", "read", "redemptions"].map(|task| format!("invite-codes-{task}"));
    assert_eq!(links("POST /v1/invite-codes"), code.into());
    let invitation = ["read", "resend", "revoke"].map(|task| format!("invite-{task}"));
    assert_eq!(links("POST /v1/invitations"), invitation.into());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = &*DOCUMENT;
    let mut open = vec![document];
    let mut seen = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "nothing at {reference}");
                    seen += 1;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(seen > 0);
}
