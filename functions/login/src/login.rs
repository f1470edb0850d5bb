//! `POST /v1/auth/login`: tokens for a right password, in a state in which people log in.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{email::Email, password::Password, user::Status},
    http::{Fields, FromFields, Payload, Problem, secret, text},
    store::{Opening, Stage},
};

use crate::{
    App,
    tokens::{TokensBody, portal_closed},
};

/// Address and password.
#[derive(Debug)]
pub struct LogIn {
    email: Email,
    password: Password,
}

impl FromFields for LogIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let password = fields.required("password", secret).map(Password::new);
        Some(Self { email: email?, password: password? })
    }
}

/// Why nobody is logged in.
#[derive(Debug)]
pub enum LogInError {
    /// Wrong password, unknown address, or one that is not confirmed: one answer for all.
    InvalidCredentials,
    /// Right password, registration not approved yet.
    Pending,
    /// Right password, registration rejected.
    Rejected,
    /// Right password, account switched off or not switched on yet.
    Inactive,
    /// Right password, sign-in switched off for consumers.
    Closed,
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => {
                let detail = "The e-mail address or the password is wrong.";
                Self::new(StatusCode::UNAUTHORIZED, "invalid-credentials", "Wrong e-mail address or password", detail)
            }
            LogInError::Pending => {
                let detail = "The registration request has been sent. You'll receive an email once it's been approved.";
                Self::refused("registration-pending", "Waiting for approval", detail)
            }
            LogInError::Rejected => {
                let detail = "This registration was not approved.";
                Self::refused("registration-rejected", "Registration not approved", detail)
            }
            LogInError::Inactive => {
                let detail = "This account is not active. An API Owner can activate it.";
                Self::refused("account-inactive", "Account not active", detail)
            }
            LogInError::Closed => portal_closed(),
        }
    }
}

/// Logs a person in: Cognito checks the password first, then state and switch decide whether the tokens count. An
/// address without an account is asked for at Cognito all the same, so that it takes the same calls.
pub async fn login(State(app): State<App>, payload: Payload) -> Result<Json<TokensBody>, Problem> {
    let body: LogIn = payload.read()?;
    let facts = app.store.login_facts(&body.email).await?;
    if !body.password.is_possible() {
        return Err(LogInError::InvalidCredentials.into());
    }
    let account = facts.account.filter(|account| account.stage == Stage::Settled);
    let user_id = account.as_ref().map(|account| &account.user_id);
    let tokens = app.identity.log_in(user_id, app.random.number(), &body.password).await?;
    let (Some(tokens), Some(account)) = (tokens, account) else {
        return Err(LogInError::InvalidCredentials.into());
    };
    let now = app.clock.now();
    match app.store.open_session(&account, &tokens.session, facts.settings.sign_in, now).await? {
        Opening::Opened => Ok(Json(tokens.into())),
        Opening::Stale => Err(LogInError::InvalidCredentials.into()),
        Opening::PortalClosed => Err(LogInError::Closed.into()),
        Opening::WrongStatus(status) => Err(wrong_status(status).into()),
    }
}

fn wrong_status(status: Status) -> LogInError {
    match status {
        Status::Pending => LogInError::Pending,
        Status::Rejected => LogInError::Rejected,
        Status::Inactive | Status::Active => LogInError::Inactive,
        Status::Unconfirmed | Status::Invited => LogInError::InvalidCredentials,
    }
}
