//! Request bodies: read field by field, so that one answer names every fault.

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
#[derive(Debug)]
pub struct Payload(Result<Vec<u8>, Problem>);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let json = is_json(request.headers().get(header::CONTENT_TYPE));
        let received = receive(request.into_body()).await;
        Ok(Self(received.and_then(|body| if json || body.is_empty() { Ok(body) } else { Err(wrong_media_type()) })))
    }
}

async fn receive(body: Body) -> Result<Vec<u8>, Problem> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("A request body has at most {MAX_BODY} bytes.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large", detail))
        }
        Err(error) => Err(Problem::internal(error)),
    }
}

fn is_json(content_type: Option<&header::HeaderValue>) -> bool {
    let media_type = content_type.and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| {
        let media_type = media_type.trim().to_ascii_lowercase();
        media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    })
}

fn wrong_media_type() -> Problem {
    let detail = "A request body is sent as application/json.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail)
}

/// A request that is read from the fields of a JSON object.
pub trait FromFields: Sized {
    /// Takes every field that the request knows, noting each fault; `None` only together with a fault.
    fn read(fields: &mut Fields) -> Option<Self>;
}

impl Payload {
    /// Reads the body as `T`. An absent body reads as an object without fields.
    ///
    /// # Errors
    /// 400 `malformed-json`, 413, 415, or 422 `validation-failed` with every fault, unknown fields included.
    pub fn read<T: FromFields>(self) -> Result<T, Problem> {
        let body = self.0?;
        let value = if body.is_empty() {
            Value::Object(Map::new())
        } else {
            serde_json::from_slice(&body).map_err(|error| {
                let detail = format!("The body is no JSON: line {}, column {}.", error.line(), error.column());
                Problem::new(StatusCode::BAD_REQUEST, "malformed-json", "Malformed JSON", detail)
            })?
        };
        let Value::Object(values) = value else {
            let detail = "The body is a JSON object.".to_owned();
            return Err(Problem::validation(&[FieldFault { pointer: String::new(), code: "not_an_object", detail }]));
        };
        Fields::new(values, "").finish(T::read)
    }

    /// Accepts no field at all: an absent body or `{}`.
    ///
    /// # Errors
    /// As [`Payload::read`].
    pub fn read_nothing(self) -> Result<(), Problem> {
        self.read::<Nothing>().map(drop)
    }
}

struct Nothing;

impl FromFields for Nothing {
    fn read(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

/// The fields of an object that were not taken yet, and the faults found so far.
#[derive(Debug)]
pub struct Fields {
    values: Map<String, Value>,
    path: String,
    faults: Vec<FieldFault>,
}

impl Fields {
    fn new(values: Map<String, Value>, path: &str) -> Self {
        Self { values, path: path.to_owned(), faults: Vec::new() }
    }

    /// Takes a field that has to be there. `null` counts as absent.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, Fault>) -> Option<T> {
        let Some(value) = self.take(name) else {
            self.fault(name, Fault::new("required", "This field is required."));
            return None;
        };
        self.parse(name, &value, parse)
    }

    /// Takes a field that may be absent or `null`.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, Fault>) -> Option<T> {
        self.take(name).and_then(|value| self.parse(name, &value, parse))
    }

    /// Takes a field of a change: outer `None` leaves the value as it is, inner `None` (`null`) clears it.
    pub fn change<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, Fault>) -> Option<Option<T>> {
        match self.values.remove(name)? {
            Value::Null => Some(None),
            value => self.parse(name, &value, parse).map(Some),
        }
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

    /// Notes a fault of a field that was taken.
    pub fn fault(&mut self, name: &str, fault: Fault) {
        let pointer = format!("{}/{name}", self.path);
        self.faults.push(FieldFault { pointer, code: fault.code, detail: fault.detail });
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn parse<T>(&mut self, name: &str, value: &Value, parse: impl FnOnce(&Value) -> Result<T, Fault>) -> Option<T> {
        parse(value).map_err(|fault| self.fault(name, fault)).ok()
    }

    fn refuse_the_rest(&mut self) {
        for name in std::mem::take(&mut self.values).into_iter().map(|(name, _)| name) {
            let name: String = name.chars().take(100).collect();
            self.fault(&name.replace('~', "~0").replace('/', "~1"), Fault::new("unknown_field", "No such field."));
        }
    }

    fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Problem> {
        let value = read(&mut self);
        self.refuse_the_rest();
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Problem::validation(&self.faults)),
        }
    }
}

/// A text that `parse` understands.
pub fn text<T>(parse: impl FnOnce(&str) -> Result<T, Fault>) -> impl FnOnce(&Value) -> Result<T, Fault> {
    |value| parse(value.as_str().ok_or_else(|| Fault::new("not_a_string", "This field is a string."))?)
}

/// A text that is taken as it is: a password or token, judged elsewhere.
///
/// # Errors
/// When the value is no string.
pub fn secret(value: &Value) -> Result<String, Fault> {
    text(|text| Ok(text.to_owned()))(value)
}

/// `true` or `false`.
///
/// # Errors
/// When the value is neither.
pub fn boolean(value: &Value) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| Fault::new("not_a_boolean", "This field is true or false."))
}

/// A whole number within bounds.
pub fn integer(least: u32, most: u32) -> impl FnOnce(&Value) -> Result<u32, Fault> {
    move |value| {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| Fault::new("out_of_range", format!("This field is a whole number from {least} to {most}.")))
    }
}

/// A list of at most `most` texts that `parse` understands.
pub fn items<T>(most: usize, parse: impl Fn(&str) -> Result<T, Fault>) -> impl FnOnce(&Value) -> Result<Vec<T>, Fault> {
    move |value| {
        let values = value.as_array().ok_or_else(|| Fault::new("not_a_list", "This field is a list."))?;
        if values.len() > most {
            return Err(Fault::new("too_many", format!("This list has at most {most} entries.")));
        }
        values.iter().map(|value| text(&parse)(value)).collect()
    }
}

/// One of a few words.
pub fn choice<T>(parse: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&Value) -> Result<T, Fault> {
    text(|word| parse(word).ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::Email, name::Name};

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
        Payload(Ok(body.as_bytes().to_vec())).read()
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
    fn only_json_is_json() {
        let is = |value: &'static str| is_json(Some(&header::HeaderValue::from_static(value)));

        assert!(is("application/json; charset=utf-8") && is("Application/JSON") && is("application/merge-patch+json"));
        assert!(!is("text/plain") && !is("text/json") && !is_json(None));
    }
}
