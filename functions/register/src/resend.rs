//! `POST /v1/registrations/resend`: mails the confirmation again and voids every earlier link.

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::{Value, json};
use shared::{
    domain::{audit::Actor, email::Email},
    http::{Fields, FromFields, Payload, Problem, RequestId, text},
};

use crate::App;

/// Which address.
#[derive(Debug)]
pub struct Resend {
    email: Email,
}

impl FromFields for Resend {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.required("email", text(Email::parse))? })
    }
}

/// Why no mail is sent again.
#[derive(Debug)]
pub enum ResendError {
    /// No sender is set.
    NoSender,
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::NoSender => Self::mail_not_configured(),
        }
    }
}

/// Sends the confirmation mail again where the address waits for it. The answer is the same for every address.
pub async fn resend(
    State(app): State<App>,
    request: RequestId,
    payload: Payload,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Resend { email } = payload.read()?;
    let facts = app.store.registration_facts(&email).await?;
    if facts.settings.sender.is_none() {
        return Err(ResendError::NoSender.into());
    }
    let origin = request.origin(Actor::Visitor, app.clock.now());
    app.store.resend_confirmation(&email, facts.known.as_ref(), &origin).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}
