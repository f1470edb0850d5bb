//! Versions of what is shown: `ETag` on reads, `If-Match` on changes.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponseParts, ResponseParts},
};
use http::{HeaderValue, header, request::Parts};

/// The version of what an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag(pub u64);

impl IntoResponseParts for ETag {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        Ok(response)
    }
}

/// Which versions a change may start from: any, where the header is absent or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Whether a change of `version` may be made. Weak tags and what is no tag match nothing (RFC 9110, section 13.1.1).
    #[must_use]
    pub fn allows(&self, version: u64) -> bool {
        let tag = format!("\"{version}\"");
        self.0.as_ref().is_none_or(|tags| tags.contains(&tag))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut tags = Vec::new();
        for value in parts.headers.get_all(header::IF_MATCH) {
            // Our tags hold no comma, so that none of them is cut in two.
            tags.extend(value.to_str().unwrap_or_default().split(',').map(|tag| tag.trim().to_owned()));
        }
        let any = !parts.headers.contains_key(header::IF_MATCH) || tags.iter().any(|tag| tag == "*");
        Ok(Self((!any).then_some(tags)))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    async fn allows(header: Option<&str>, version: u64) -> bool {
        let mut request = http::Request::builder();
        if let Some(header) = header {
            request = request.header("if-match", header);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(if_match) = IfMatch::from_request_parts(&mut parts, &()).await;
        if_match.allows(version)
    }

    #[tokio::test]
    async fn a_change_is_held_to_the_versions_that_it_names() {
        for header in [None, Some("*"), Some("\"3\""), Some("\"2\", \"3\""), Some("\"x\",*")] {
            assert!(allows(header, 3).await, "{header:?}");
        }
        for header in ["\"2\"", "3", "W/\"3\"", "\"33\"", ""] {
            assert!(!allows(Some(header), 3).await, "{header}");
        }
    }

    #[tokio::test]
    async fn what_was_read_can_be_named() {
        let response = (ETag(7), "shown").into_response();

        let tag = response.headers()["etag"].to_str().unwrap();

        assert_eq!(tag, "\"7\"");
        assert!(allows(Some(tag), 7).await);
    }
}
