//! `POST /v1/auth/forgot-password`: mails a link to choose another password.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{audit::Actor, email::Email},
    http::{Empty, Fields, FromFields, Payload, Problem, RequestId, text},
};
use utoipa::ToSchema;

use crate::App;

/// Whose password.
#[derive(Debug, ToSchema)]
#[schema(as = ForgotPassword)]
pub struct ForgotPassword {
    /// Whose.
    email: Email,
}

impl FromFields for ForgotPassword {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.required("email", text(Email::parse))? })
    }
}

/// Why no mail is sent.
#[derive(Debug)]
pub enum ForgotPasswordError {
    /// No sender is set.
    NoSender,
}

impl From<ForgotPasswordError> for Problem {
    fn from(error: ForgotPasswordError) -> Self {
        match error {
            ForgotPasswordError::NoSender => Self::mail_not_configured(),
        }
    }
}

/// Mails the link where the address is an active person's. The answer and the calls are the same for every address.
#[utoipa::path(
    post, path = "/v1/auth/forgot-password",
    request_body = ForgotPassword,
    responses(
        (status = 202, description = "The same for every address.", body = Empty),
        (status = 409, description = "`mail-not-configured`: nothing can be sent."),
    ),
)]
pub async fn forgot_password(
    State(app): State<App>,
    request: RequestId,
    payload: Payload,
) -> Result<(StatusCode, Json<Empty>), Problem> {
    let ForgotPassword { email } = payload.read()?;
    let facts = app.store.login_facts(&email).await?;
    if facts.settings.sender.is_none() {
        return Err(ForgotPasswordError::NoSender.into());
    }
    let origin = request.origin(Actor::Visitor, app.clock.now());
    app.store.forgot_password(&email, facts.account.as_ref(), &origin).await?;
    Ok((StatusCode::ACCEPTED, Json(Empty {})))
}

#[cfg(test)]
pub(crate) mod tests;
