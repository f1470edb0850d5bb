//! The JWT authorizer: it says who calls, never what they may do. An ID token is as good to it as an access token.

use http::{HeaderMap, header::AUTHORIZATION};
use local_services::{Services, VerifyError};
use serde_json::{Map, Value};

use super::answer::Refusal;

/// The claims of the request's token, as an event carries them: every one a text.
pub fn authorize(services: &Services, headers: &HeaderMap) -> Result<Map<String, Value>, Refusal> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim(),
        _ => header,
    };
    if token.is_empty() {
        return Err(Refusal::Unauthorized(None));
    }
    let claims = services.verify(token).map_err(|error| Refusal::Unauthorized(Some(reason(error))))?;
    Ok(claims.into_iter().map(|(name, value)| (name, Value::String(text(&value)))).collect())
}

/// What the header `www-authenticate` says.
fn reason(error: VerifyError) -> &'static str {
    match error {
        VerifyError::Malformed => "the token is malformed",
        VerifyError::Algorithm => "the token is not signed with a supported algorithm",
        VerifyError::UnknownKey | VerifyError::Key => "the token's key cannot be found",
        VerifyError::Signature => "the token's signature is not valid",
        VerifyError::Issuer => "the token does not have a valid issuer",
        VerifyError::Audience => "the token does not have a valid audience",
        VerifyError::Time => "the token has expired",
    }
}

/// A claim as text: lists in brackets, their entries separated by spaces.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" ")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_become_texts() {
        assert_eq!(text(&json!("a b")), "a b");
        assert_eq!(text(&json!(1_768_468_800)), "1768468800");
        assert_eq!(text(&json!(true)), "true");
        assert_eq!(text(&json!(["a", "b"])), "[a b]");
    }
}
