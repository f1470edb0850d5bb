//! The HTTP face of the stand-ins: Cognito's JSON protocol and its keys, SES's REST protocol, AWS's form of an error.

use crate::cognito::{Cognito, POOL_ID};
use crate::kept::KeptError;
use crate::ses::{self, Mailbox};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

const COGNITO: &str = "AWSCognitoIdentityProviderService.";

/// An error as AWS answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    /// The error's type, which the SDK goes by.
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    /// A refusal of the caller's request.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// A parameter that Cognito does not take.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// A fault of the stand-in itself; what was changed has to be undone.
    pub fn internal(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "a stand-in failed");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "InternalErrorException",
            message: "The local stand-in failed; its log says why.".to_owned(),
        }
    }

    /// Whether it is a fault of the stand-in itself.
    pub fn is_internal(&self) -> bool {
        self.status.is_server_error()
    }
}

impl From<KeptError> for Refusal {
    fn from(error: KeptError) -> Self {
        Self::internal(&error)
    }
}

impl From<aws_lc_rs::error::Unspecified> for Refusal {
    fn from(error: aws_lc_rs::error::Unspecified) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"__type": self.code, "message": self.message});
        let mut response = answered(self.status, "application/x-amz-json-1.1", &body);
        response.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(self.code));
        response
    }
}

/// Reads a request's JSON; `code` is what the service calls a request that it cannot read.
pub fn read<T: DeserializeOwned>(body: &[u8], code: &'static str) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(code, format!("The request cannot be read: {error}")))
}

/// Everything that the stand-ins answer.
pub fn router(cognito: Arc<Cognito>, mailbox: Mailbox) -> Router {
    Router::new()
        .route("/", post(operation))
        .route("/{pool}/.well-known/jwks.json", get(keys))
        .with_state(cognito)
        .merge(Router::new().route("/v2/email/outbound-emails", post(send)).with_state(mailbox))
}

async fn operation(State(cognito): State<Arc<Cognito>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let Some(operation) = target.strip_prefix(COGNITO).map(str::to_owned) else {
        return Err(Refusal::new("UnknownOperationException", format!("nothing here answers {target}")));
    };
    let done = apart(move || cognito.perform(&operation, &body)).await?;
    Ok(answered(StatusCode::OK, "application/x-amz-json-1.1", &done))
}

async fn keys(State(cognito): State<Arc<Cognito>>, Path(pool): Path<String>) -> Result<Response, Refusal> {
    if pool != POOL_ID {
        return Err(Refusal {
            status: StatusCode::NOT_FOUND,
            ..Refusal::new("ResourceNotFoundException", format!("User pool {pool} does not exist."))
        });
    }
    let keys = apart(move || cognito.keys()).await?;
    Ok(answered(StatusCode::OK, "application/json", &keys))
}

async fn send(State(mailbox): State<Mailbox>, body: Bytes) -> Result<Response, Refusal> {
    let sent = apart(move || ses::send_email(&mailbox, &body)).await?;
    Ok(answered(StatusCode::OK, "application/json", &sent))
}

/// Runs what computes or writes to disk where it holds up nobody else.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}

fn answered(status: StatusCode, kind: &'static str, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static(kind))], body.to_string()).into_response()
}
