//! `GET /v1/openapi.json`: this contract, for programs.

use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

/// The document as it was generated from the handlers; a test holds it to them.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// Serves the contract of this portal: what every route takes and what it answers.
#[utoipa::path(
    get, path = "/v1/openapi.json",
    responses((status = 200, description = "This document.", body = HashMap<String, serde_json::Value>)),
)]
pub async fn contract() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_served_is_a_document_that_describes_itself() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();

        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["paths"]["/v1/openapi.json"]["get"].is_object());
    }
}
