//! Every fault of a body is named, each at its own place.

use super::*;
use crate::{
    domain::{email::Email, name::Name},
    http::{Payload, items, text},
};

#[derive(Debug)]
struct Person {
    name: Name,
    email: Option<Email>,
}

impl FromFields for Person {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.optional("email", text(Email::parse));
        Some(Self { name: fields.required("name", text(Name::parse))?, email })
    }
}

fn read(body: &str) -> Result<Person, Problem> {
    Payload::of(body).read()
}

fn pointers(problem: &Problem) -> Vec<(String, String)> {
    let document = problem.document("r");
    let word = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let faults = document["errors"].as_array().unwrap().iter();
    faults.map(|fault| (word(fault, "pointer"), word(fault, "code"))).collect()
}

#[test]
fn every_fault_is_named_at_once() {
    let problem = read(r#"{"email": "nobody", "name": 7, "admin": true, "a/b": 1}"#).unwrap_err();

    let expected = [
        ("/email", "invalid_email"),
        ("/name", "not_a_string"),
        ("/a~1b", "unknown_field"),
        ("/admin", "unknown_field"),
    ];
    assert_eq!(pointers(&problem), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
}

#[test]
fn every_bad_entry_of_a_list_is_named() {
    let read = |body: &str| {
        let payload = Payload::of(body);
        payload.read_with(|fields| {
            fields.nested("inner", |inner| drop(inner.optional("list", items(4, Email::parse))));
            fields.required("list", items(4, Email::parse))
        })
    };

    let good = r#"["a@example.com", "b@example.com"]"#;
    let bad = r#"["a@example.com", "nobody", 7, "x"]"#;

    assert_eq!(read(&format!(r#"{{"list": {good}}}"#)).unwrap().len(), 2);
    let problem = read(&format!(r#"{{"list": {bad}, "inner": {{"list": [null]}}}}"#)).unwrap_err();
    let expected = [
        ("/inner/list/0", "not_a_string"),
        ("/list/1", "invalid_email"),
        ("/list/2", "not_a_string"),
        ("/list/3", "invalid_email"),
    ];
    assert_eq!(pointers(&problem), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
    for (list, code) in [("7", "not_a_list"), ("[1, 2, 3, 4, 5]", "too_many")] {
        let problem = read(&format!(r#"{{"list": {list}}}"#)).unwrap_err();
        assert_eq!(pointers(&problem), [("/list".to_owned(), code.to_owned())]);
    }
}

#[test]
fn what_is_sent_back_as_it_was_shown_is_no_fault() {
    let shown = serde_json::json!({"fixed": [1], "also": {}, "absent": true});
    let read = |body: &str| {
        let payload = Payload::of(body);
        payload.read_with(|fields| {
            fields.unchanged(shown.as_object().unwrap(), || Fault::new("fixed", "It is fixed."));
            Some(())
        })
    };

    read(r#"{"fixed": [1], "also": {}}"#).unwrap();
    let problem = read(r#"{"fixed": [], "also": null, "other": 1}"#).unwrap_err();

    let expected = [("/also", "fixed"), ("/fixed", "fixed"), ("/other", "unknown_field")];
    assert_eq!(pointers(&problem), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
}

#[test]
fn null_is_absent_and_an_absent_body_has_no_fields() {
    assert!(read(r#"{"name": "Ada", "email": null}"#).unwrap().email.is_none());
    assert_eq!(read(r#"{"name": "Ada"}"#).unwrap().name.as_str(), "Ada");
    assert_eq!(pointers(&read("").unwrap_err()), [("/name".to_owned(), "required".to_owned())]);
}
