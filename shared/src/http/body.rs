//! Request bodies: read field by field, so that one answer names every fault.
//!
//! Bodies hold passwords and tokens: nothing here prints a value.

use std::{convert::Infallible, fmt};

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::problem::{FieldFault, Problem};
use crate::domain::Fault;

/// The largest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A body that was received and not looked at: rights are checked first, then [`Payload::read`] judges it.
pub struct Payload(pub(super) Result<Vec<u8>, Problem>);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::within(request, MAX_BODY).await)
    }
}

/// A [`Payload`] of a route whose bodies may be larger than others: at most `KIB` KiB.
#[derive(Debug)]
pub struct LargePayload<const KIB: usize>(pub Payload);

impl<S: Send + Sync, const KIB: usize> FromRequest<S> for LargePayload<KIB> {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Payload::within(request, KIB * 1024).await))
    }
}

/// The bytes of a body, of which there may be `most`.
pub(super) async fn receive(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("A request body has at most {most} bytes.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large", detail))
        }
        Err(error) => Err(Problem::internal(error)),
    }
}

fn is_json(content_type: Option<&header::HeaderValue>) -> bool {
    media_type(content_type).is_some_and(|media_type| {
        media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    })
}

/// The media type without its parameters, in lower case.
pub(super) fn media_type(content_type: Option<&header::HeaderValue>) -> Option<String> {
    let media_type = content_type?.to_str().ok()?.split(';').next()?;
    Some(media_type.trim().to_ascii_lowercase())
}

fn wrong_media_type() -> Problem {
    unsupported("A request body is sent as application/json.")
}

/// 415, with the media types that the route takes.
pub(super) fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail)
}

/// A request that is read from the fields of a JSON object.
pub trait FromFields: Sized {
    /// Takes every field that the request knows, noting each fault; `None` only together with a fault.
    fn read(fields: &mut Fields) -> Option<Self>;
}

impl Payload {
    pub(super) async fn within(request: Request, most: usize) -> Self {
        let json = is_json(request.headers().get(header::CONTENT_TYPE));
        let received = receive(request.into_body(), most).await;
        Self(received.and_then(|body| if json || body.is_empty() { Ok(body) } else { Err(wrong_media_type()) }))
    }

    /// Reads the body as `T`. An absent body reads as an object without fields.
    ///
    /// # Errors
    /// 400 `malformed-json`, 413, 415, or 422 `validation-failed` with every fault, unknown fields included.
    pub fn read<T: FromFields>(self) -> Result<T, Problem> {
        self.read_with(T::read)
    }

    /// Reads the body by `read`, which is [`FromFields::read`] with something more to judge by.
    ///
    /// # Errors
    /// As [`Payload::read`].
    pub fn read_with<T>(self, read: impl FnOnce(&mut Fields) -> Option<T>) -> Result<T, Problem> {
        self.fields()?.finish(read)
    }

    /// The fields of the body, for what has to be looked up half-way: [`Fields::finish`] ends the reading.
    ///
    /// # Errors
    /// As [`Payload::read`], but for faults of fields.
    pub fn fields(self) -> Result<Fields, Problem> {
        fields(self.value()?)
    }

    /// The body as JSON, not judged any further.
    pub(super) fn value(&self) -> Result<Value, Problem> {
        let body = self.0.as_ref().map_err(Problem::clone)?;
        if body.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        serde_json::from_slice(body).map_err(|error| {
            let detail = format!("The body is no JSON: line {}, column {}.", error.line(), error.column());
            Problem::new(StatusCode::BAD_REQUEST, "malformed-json", "Malformed JSON", detail)
        })
    }

    /// Accepts no field at all: an absent body or `{}`.
    ///
    /// # Errors
    /// As [`Payload::read`].
    pub fn read_nothing(self) -> Result<(), Problem> {
        self.read::<Nothing>().map(drop)
    }
}

#[cfg(test)]
impl Payload {
    /// A body that came as JSON.
    pub(super) fn of(body: &str) -> Self {
        Self(Ok(body.as_bytes().to_vec()))
    }
}

/// Reads one of many requests that came in one body as `T`; its faults point into it.
///
/// # Errors
/// 422 `validation-failed` with every fault, unknown fields included.
pub fn read_row<T: FromFields>(row: Value) -> Result<T, Problem> {
    fields(row)?.finish(T::read)
}

fn fields(value: Value) -> Result<Fields, Problem> {
    let Value::Object(values) = value else {
        let (pointer, detail) = (String::new(), "This is a JSON object.".to_owned());
        return Err(Problem::validation(&[FieldFault { pointer, code: "not_an_object", detail, at: None }]));
    };
    Ok(Fields::new(values, ""))
}

struct Nothing;

impl FromFields for Nothing {
    fn read(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

/// The fields of an object that were not taken yet, and the faults found so far.
pub struct Fields {
    values: Map<String, Value>,
    path: String,
    faults: Vec<FieldFault>,
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is wrong with one field: with all of it, or with some of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<(String, Fault)>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![(String::new(), fault)])
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults.into_iter().map(|fault| (String::new(), fault)).collect())
    }
}

impl Fields {
    fn new(values: Map<String, Value>, path: &str) -> Self {
        Self { values, path: path.to_owned(), faults: Vec::new() }
    }

    /// Takes a field that has to be there. `null` counts as absent.
    pub fn required<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        let Some(value) = self.take(name) else {
            self.fault(name, Fault::new("required", "This field is required."));
            return None;
        };
        self.parse(name, &value, parse)
    }

    /// Takes a field that may be absent or `null`.
    pub fn optional<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        self.take(name).and_then(|value| self.parse(name, &value, parse))
    }

    /// Takes a field of a change: outer `None` leaves the value as it is, inner `None` (`null`) clears it.
    pub fn change<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.values.remove(name)? {
            Value::Null => Some(None),
            value => self.parse(name, &value, parse).map(Some),
        }
    }

    /// Takes a field of a change that always has a value: `null` is a fault.
    pub fn replace<T, E: Into<Faults>>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, E>) -> Option<T> {
        let change = self.change(name, parse)?;
        if change.is_none() {
            self.fault(name, Fault::new("required", "This always has a value."));
        }
        change
    }

    /// Whether a field is there and not `null`.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether a field is there and `null`: in a change that is a wish of its own.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(Value::is_null)
    }

    /// Reads a nested object in the same way, its faults under its own pointer. `null` counts as absent.
    pub fn nested(&mut self, name: &str, read: impl FnOnce(&mut Self)) {
        match self.take(name) {
            Some(Value::Object(values)) => {
                let mut inner = Self::new(values, &format!("{}/{name}", self.path));
                read(&mut inner);
                inner.refuse_the_rest();
                self.faults.append(&mut inner.faults);
            }
            Some(_) => self.fault(name, Fault::new("not_an_object", "This field is an object.")),
            None => {}
        }
    }

    /// Takes what is left of the fields that `shown` has too: sent back as they were read they are no fault, and no
    /// other value is accepted.
    pub fn unchanged(&mut self, shown: &Map<String, Value>, fault: impl Fn() -> Fault) {
        for (name, shown) in shown {
            if self.values.remove(name).is_some_and(|value| value != *shown) {
                self.fault(name, fault());
            }
        }
    }

    /// Notes a fault of a field that was taken.
    pub fn fault(&mut self, name: &str, fault: Fault) {
        let pointer = format!("{}/{name}", self.path);
        self.faults.push(FieldFault { pointer, code: fault.code, detail: fault.detail, at: fault.at });
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn parse<T, E: Into<Faults>>(
        &mut self,
        name: &str,
        value: &Value,
        parse: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Option<T> {
        let faults = match parse(value) {
            Ok(value) => return Some(value),
            Err(faults) => faults.into(),
        };
        for (place, fault) in faults.0 {
            self.fault(&format!("{name}{place}"), fault);
        }
        None
    }

    fn refuse_the_rest(&mut self) {
        for name in std::mem::take(&mut self.values).into_iter().map(|(name, _)| name) {
            let name: String = name.chars().take(100).collect();
            self.fault(&name.replace('~', "~0").replace('/', "~1"), Fault::new("unknown_field", "No such field."));
        }
    }

    /// Whether a fault of this field itself was noted.
    pub(super) fn has_fault(&self, name: &str) -> bool {
        let pointer = format!("{}/{name}", self.path);
        self.faults.iter().any(|fault| fault.pointer == pointer)
    }

    /// Reads the rest by `read` and ends the reading.
    ///
    /// # Errors
    /// 422 `validation-failed` with every fault, fields that nothing has taken included.
    pub fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Problem> {
        let value = read(&mut self);
        self.refuse_the_rest();
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Problem::validation(&self.faults)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::Email, name::Name};
    use crate::http::{items, text};

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
    fn null_is_absent_and_an_absent_body_has_no_fields() {
        assert!(read(r#"{"name": "Ada", "email": null}"#).unwrap().email.is_none());
        assert_eq!(read(r#"{"name": "Ada"}"#).unwrap().name.as_str(), "Ada");
        assert_eq!(pointers(&read("").unwrap_err()), [("/name".to_owned(), "required".to_owned())]);
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        assert_eq!(read("{").unwrap_err().document("r")["status"], 400);
        assert_eq!(read("[]").unwrap_err().document("r")["status"], 422);
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
    fn no_value_of_a_body_is_printed() {
        let payload = Payload(Ok(br#"{"password": "violet tractor"}"#.to_vec()));
        assert_eq!(format!("{payload:?}"), "Payload { .. }");

        let read = payload.read_with(|fields| Some(format!("{fields:?}{}", fields.take("password").is_some())));
        assert_eq!(read.unwrap(), r#"Fields { path: "", .. }true"#);
    }

    #[test]
    fn only_json_is_json() {
        let is = |value: &'static str| is_json(Some(&header::HeaderValue::from_static(value)));

        assert!(is("application/json; charset=utf-8") && is("Application/JSON") && is("application/merge-patch+json"));
        assert!(!is("text/plain") && !is("text/json") && !is_json(None));
    }
}
