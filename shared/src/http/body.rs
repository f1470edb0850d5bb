//! Request bodies: received first and judged later, for rights come before what a request says.
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

use super::{
    fields::{Fields, FromFields},
    problem::{FieldFault, Problem},
};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::secret;

    #[test]
    fn what_is_no_json_object_is_refused() {
        assert_eq!(Payload::of("{").fields().unwrap_err().document("r")["status"], 400);
        assert_eq!(Payload::of("[]").fields().unwrap_err().document("r")["status"], 422);
    }

    #[test]
    fn no_value_of_a_body_is_printed() {
        let payload = Payload(Ok(br#"{"password": "violet tractor"}"#.to_vec()));
        assert_eq!(format!("{payload:?}"), "Payload { .. }");

        let read =
            payload.read_with(|fields| Some(format!("{fields:?}{}", fields.optional("password", secret).is_some())));
        assert_eq!(read.unwrap(), r#"Fields { path: "", .. }true"#);
    }

    #[test]
    fn only_json_is_json() {
        let is = |value: &'static str| is_json(Some(&header::HeaderValue::from_static(value)));

        assert!(is("application/json; charset=utf-8") && is("Application/JSON") && is("application/merge-patch+json"));
        assert!(!is("text/plain") && !is("text/json") && !is_json(None));
    }
}
