//! The answer to every creation.

use std::convert::Infallible;

use axum::{
    Json,
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::{etag::ETag, problem::Problem};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Whether an answer is that of an earlier request with the same `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed(pub bool);

impl IntoResponseParts for Replayed {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        if self.0 {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

/// 201 with what was created and where it stands.
#[derive(Debug)]
#[must_use]
pub struct Created<T> {
    location: String,
    version: Option<ETag>,
    replayed: Replayed,
    body: T,
}

impl<T: Serialize> Created<T> {
    /// `body` stands at the path `location` from now on.
    pub fn at(location: String, body: T) -> Self {
        Self { location, version: None, replayed: Replayed(false), body }
    }

    /// Tells the version in which it begins.
    pub fn version(self, version: u64) -> Self {
        Self { version: Some(ETag(version)), ..self }
    }

    /// Tells whether an earlier request created it.
    pub fn replayed(self, replayed: bool) -> Self {
        Self { replayed: Replayed(replayed), ..self }
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let location = match HeaderValue::from_str(&self.location) {
            Ok(location) => location,
            Err(error) => return Problem::internal(error).into_response(),
        };
        let response = (StatusCode::CREATED, [(header::LOCATION, location)], self.replayed, Json(self.body));
        match self.version {
            Some(version) => (StatusCode::CREATED, version, response).into_response(),
            None => response.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_tells_where_it_stands_and_in_which_version() {
        let response = Created::at("/v1/things/1".to_owned(), "thing").version(1).into_response();

        let headers = response.headers();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(
            (&headers["location"], &headers["etag"]),
            (&HeaderValue::from_static("/v1/things/1"), &HeaderValue::from_static("\"1\""))
        );
        assert!(!headers.contains_key("idempotency-replayed"));
    }

    #[test]
    fn a_repeat_says_that_it_is_one() {
        let response = Created::at("/v1/things/1".to_owned(), "thing").replayed(true).into_response();

        assert_eq!(response.headers()["idempotency-replayed"], "true");
        assert!(!response.headers().contains_key("etag"));
    }
}
