//! `POST /v1/auth/refresh`: new tokens of the same session.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::user::Role,
    http::{Fields, FromFields, Payload, Problem, secret},
};

use crate::{
    App,
    tokens::{TokensBody, portal_closed},
};

/// The refresh token of a login.
#[derive(Debug)]
pub struct Refresh {
    refresh_token: String,
}

impl FromFields for Refresh {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { refresh_token: fields.required("refresh_token", secret)? })
    }
}

/// Why there are no new tokens.
#[derive(Debug)]
pub enum RefreshError {
    /// Invalid, revoked, of an ended session, or of somebody who is not active: one answer for all.
    InvalidRefreshToken,
    /// Sign-in is switched off for consumers.
    Closed,
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::InvalidRefreshToken => {
                let detail = "This refresh token does not count any more. Log in again.";
                Self::new(StatusCode::UNAUTHORIZED, "invalid-refresh-token", "Log in again", detail)
            }
            RefreshError::Closed => portal_closed(),
        }
    }
}

/// Gives new tokens while the session stands in the person's row: Cognito alone would go on after a password change.
pub async fn refresh(State(app): State<App>, payload: Payload) -> Result<Json<TokensBody>, Problem> {
    let body: Refresh = payload.read()?;
    let tokens = app.identity.refresh(&body.refresh_token).await?.ok_or(RefreshError::InvalidRefreshToken)?;
    let (person, settings) = app.store.person_and_settings(&tokens.user_id).await?;
    let person = person.filter(|person| person.has_session(&tokens.session));
    let person = person.ok_or(RefreshError::InvalidRefreshToken)?;
    if !settings.sign_in && person.role != Role::ApiOwner {
        return Err(RefreshError::Closed.into());
    }
    Ok(Json(tokens.into()))
}
