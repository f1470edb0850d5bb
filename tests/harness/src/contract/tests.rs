use serde_json::{Value, json};

use super::{CONTRACT, Exchange, PROBLEM, route};

/// What is wrong with an answer of the route that reads a person.
fn faults(status: u16, media_type: Option<&str>, answered: &Value) -> Vec<String> {
    let headers = ["x-request-id", "etag"];
    let route = "GET /v1/users/{id}";
    CONTRACT.faults(&Exchange { route, asked: None, status, headers: &headers, media_type, answered })
}

fn person() -> Value {
    let operation = &CONTRACT.document["paths"]["/v1/users/{id}"]["get"];
    operation["responses"]["200"]["content"]["application/json"]["example"].clone()
}

fn without(name: &str) -> Value {
    let mut person = person();
    person.as_object_mut().unwrap().remove(name);
    person
}

fn with(name: &str, value: Value) -> Value {
    let mut person = person();
    person[name] = value;
    person
}

#[test]
fn an_answer_of_the_document_is_one() {
    assert_eq!(faults(200, Some("application/json"), &person()), Vec::<String>::new());
}

#[test]
fn anything_else_is_none() {
    let json = Some("application/json");
    let not_there = json!({
        "type": "/problems/not-found", "title": "Not there", "status": 404, "detail": "Nothing.", "request_id": "r",
    });
    let of_others = json!({
        "type": "/problems/last-api-owner", "title": "This is the last API Owner", "status": 404, "detail": "No.",
        "request_id": "r",
    });
    let cases = [
        (200, json, without("email")),
        (200, json, with("email", json!("ada"))),
        (200, json, with("nickname", json!("Ada"))),
        (
            200,
            json,
            with("teams", json!([{"id": "team_00000000000000000000000000", "name": "Default team", "size": 3}])),
        ),
        (200, Some("text/plain"), person()),
        (200, None, Value::Null),
        (418, json, person()),
        (404, Some(PROBLEM), not_there),
        (404, Some(PROBLEM), of_others),
    ];
    for (status, media_type, body) in cases {
        assert!(!faults(status, media_type, &body).is_empty(), "{status} {media_type:?} {body}");
    }
}

#[test]
fn a_body_that_was_taken_is_one_that_the_document_allows() {
    let asked = |body: &Value, status| {
        let answered = person();
        let exchange = Exchange {
            route: "PATCH /v1/users/{id}",
            asked: Some(body),
            status,
            headers: &[],
            media_type: Some("application/json"),
            answered: &answered,
        };
        CONTRACT.faults(&exchange).into_iter().filter(|fault| fault.starts_with("asked")).count()
    };

    assert_eq!(asked(&json!({"email": " ada@example.com "}), 200), 0);
    assert_eq!(asked(&json!({"nickname": "Ada"}), 200), 1);
    assert_eq!(asked(&json!({"nickname": "Ada"}), 422), 0);
}

#[test]
fn a_header_that_is_always_there_is_missed() {
    let answered = person();
    let exchange = Exchange {
        route: "GET /v1/users/{id}",
        asked: None,
        status: 200,
        headers: &["X-Request-Id"],
        media_type: Some("application/json"),
        answered: &answered,
    };

    assert_eq!(CONTRACT.faults(&exchange), ["the header ETag is missing"]);
}

#[test]
fn a_request_is_of_the_route_that_names_more_of_its_path() {
    let named = |path| route("POST", path);

    assert_eq!(named("/v1/invitations/accept").as_deref(), Some("POST /v1/invitations/accept"));
    assert_eq!(named("/v1/users/usr_1/approve?x=1").as_deref(), Some("POST /v1/users/{id}/approve"));
    assert_eq!(named("/_local/clock"), None);
    assert_eq!(route("PUT", "/v1/me"), None);
}
