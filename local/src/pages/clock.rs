//! Moving the clock.

use axum::{Json, body::Bytes, extract::State};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Local, problem::Problem};

/// The furthest that the clock is moved at once: ten years.
const FURTHEST: u32 = 10 * 365 * 86_400;

/// Moves the clock forward by `advance_seconds` and answers with what it shows then.
pub async fn advance(State(local): State<Local>, body: Bytes) -> Result<Json<Value>, Problem> {
    let seconds = seconds(&body)?;
    let now = local.time.advance(seconds).await.map_err(|error| {
        tracing::error!(%error, "the clock was not moved");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("The clock was not moved: {error}"))
    })?;
    Ok(Json(json!({"now": now})))
}

fn seconds(body: &[u8]) -> Result<u32, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("The body is no JSON: {error}")))?;
    let seconds = match body.as_object() {
        Some(fields) if fields.len() == 1 => fields.get("advance_seconds").and_then(Value::as_u64),
        _ => None,
    };
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds <= FURTHEST);
    seconds.ok_or_else(|| {
        let detail = format!(r#"The body is {{"advance_seconds": n}} with a whole number from 0 to {FURTHEST}."#);
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    })
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn only_a_whole_number_of_seconds_forward_is_taken() {
        assert_eq!(seconds(br#"{"advance_seconds": 604800}"#).unwrap(), 604_800);
        for (body, status) in [
            ("", 400),
            ("{", 400),
            ("[]", 422),
            ("{}", 422),
            (r#"{"advance_seconds": -1}"#, 422),
            (r#"{"advance_seconds": 1.5}"#, 422),
            (r#"{"advance_seconds": "60"}"#, 422),
            (r#"{"advance_seconds": 9999999999}"#, 422),
            (r#"{"advance_seconds": 1, "now": true}"#, 422),
        ] {
            let refused = seconds(body.as_bytes()).unwrap_err().into_response();
            assert_eq!(refused.status(), status, "{body}");
        }
    }
}
