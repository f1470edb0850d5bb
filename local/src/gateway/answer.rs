//! What goes back: a function's answer as API Gateway passes it on, and the answers that API Gateway gives by itself.

use axum::{body::Body, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

/// What a body is taken for whose function does not say.
const UNNAMED: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");
/// Headers that belong to a connection, which the function's is not.
const OF_CONNECTION: [HeaderName; 5] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE, header::TRAILER];

/// An answer that no function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request is none.
    BadRequest,
    /// There is no token, or it is not valid for the reason given.
    Unauthorized(Option<&'static str>),
    /// There is no such host.
    Forbidden,
    /// There is no such route.
    NotFound,
    /// The body is larger than API Gateway takes.
    TooLarge,
    /// The function failed or gave no answer.
    Internal,
    /// The function took too long.
    Unavailable,
}

impl Refusal {
    /// The answer, in API Gateway's own words.
    pub fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        let mut response = Response::new(Body::from(json!({"message": message}).to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Self::Unauthorized(reason) = self {
            let challenge = reason.map_or_else(
                || "Bearer".to_owned(),
                |reason| format!(r#"Bearer scope="" error="invalid_token" error_description="{reason}""#),
            );
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }
}

/// A function's answer in payload format 2.0.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The HTTP response that a function's answer becomes; `None` if it is none.
pub fn response(answer: Value) -> Option<Response> {
    let answer: Answer = serde_json::from_value(answer).ok()?;
    let text = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { STANDARD.decode(text).ok()? } else { text.into_bytes() };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    let headers = response.headers_mut();
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if !OF_CONNECTION.contains(&name) {
            headers.insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
        }
    }
    for cookie in &answer.cookies {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie).ok()?);
    }
    if !body.is_empty() {
        headers.entry(header::CONTENT_TYPE).or_insert(UNNAMED);
    }
    *response.body_mut() = Body::from(body);
    Some(response)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn body(response: Response) -> Vec<u8> {
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn headers_cookies_and_binary_bodies_come_through() {
        let answer = json!({
            "statusCode": 201, "headers": {"location": "/a", "content-length": "99"}, "multiValueHeaders": {},
            "cookies": ["a=1", "b=2"], "body": "AAH/", "isBase64Encoded": true,
        });

        let response = response(answer).unwrap();

        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["location"], "/a");
        assert!(!response.headers().contains_key("content-length"));
        assert_eq!(response.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(body(response).await, [0, 1, 255]);
    }

    #[test]
    fn a_body_of_no_declared_kind_is_plain_text_and_none_is_nothing() {
        let kind = |answer| response(answer).unwrap().headers().get("content-type").cloned();

        assert_eq!(kind(json!({"statusCode": 200, "body": "hello"})).unwrap(), "text/plain;charset=UTF-8");
        assert_eq!(kind(json!({"statusCode": 204})), None);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for answer in [json!(null), json!({"statusCode": 7}), json!({"statusCode": 200, "headers": {"a b": "c"}})] {
            assert!(response(answer).is_none());
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_answered_with_the_reason() {
        let none = Refusal::Unauthorized(None).into_response();
        let expired = Refusal::Unauthorized(Some("the token has expired")).into_response();

        assert_eq!(none.headers()["www-authenticate"], "Bearer");
        assert_eq!(
            expired.headers()["www-authenticate"],
            r#"Bearer scope="" error="invalid_token" error_description="the token has expired""#
        );
        assert_eq!(body(expired).await, br#"{"message":"Unauthorized"}"#);
    }
}
