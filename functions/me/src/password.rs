//! `POST /v1/me/password`: one changes one's own password.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault,
        audit::Actor,
        login_attempts::Attempt,
        password::Password,
        rights::{Action, decide, gets_in_while_closed},
        user::User,
    },
    http::{Fields, FromFields, Payload, Problem, RequestId, Session, Source, TokensBody, admit, secret},
    identity::IdentityError,
    password_change::{self, Change, Wish},
    store::Claim,
};
use utoipa::ToSchema;

use crate::App;

/// The password as it is and as it is to be.
#[derive(ToSchema)]
#[schema(as = ChangePassword)]
pub struct ChangePassword {
    /// The password as it is.
    #[schema(value_type = String, format = Password, write_only)]
    current_password: Password,
    /// Another one.
    new_password: Password,
}

impl FromFields for ChangePassword {
    fn read(fields: &mut Fields) -> Option<Self> {
        let current_password = fields.required("current_password", secret).map(Password::new);
        let new_password = fields.required("new_password", secret).map(Password::new);
        Some(Self { current_password: current_password?, new_password: new_password? })
    }
}

/// Why the password stays as it is.
#[derive(Debug)]
pub enum ChangePasswordError {
    /// The current password is wrong, or was too often.
    InvalidCredentials,
    /// Another request is changing it right now.
    Held,
    /// The session ended, or the person was switched off, meanwhile.
    Ended,
    /// The new password cannot be used.
    Password(Vec<Fault>),
    /// Sign-in is switched off for consumers: there would be no session to go on with.
    Closed,
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::InvalidCredentials => Self::invalid_credentials(),
            ChangePasswordError::Held => Self::held(),
            ChangePasswordError::Ended => Self::unauthenticated(),
            ChangePasswordError::Password(faults) => Self::password("new_password", faults),
            ChangePasswordError::Closed => Self::portal_closed(),
        }
    }
}

/// Changes the caller's password and ends every session, the one that asks too; the answer has the tokens of a new one. A
/// wrong current password counts like a failed login to the caller's address.
#[utoipa::path(
    post, path = "/v1/me/password",
    request_body = ChangePassword,
    responses(
        (status = 200, description = "The tokens of a new session; every earlier one has ended.", body = TokensBody),
        (status = 401, description = "`invalid-credentials`: the current password is wrong, or was too often."),
        (status = 403, description = "`portal-closed`: sign-in is switched off."),
    ),
)]
pub async fn change_password(
    State(app): State<App>,
    session: Session,
    Source(source): Source,
    request: RequestId,
    payload: Payload,
) -> Result<Json<TokensBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::OwnAccount)?;
    let body: ChangePassword = payload.read()?;
    let facts = app.store.login_facts(&caller.email).await?;
    let (now, sign_in) = (app.clock.now(), facts.settings.sign_in);
    if !sign_in && !gets_in_while_closed(&caller) {
        return Err(ChangePasswordError::Closed.into());
    }
    if !body.current_password.is_possible() || !facts.attempts.may_ask(&source, now) {
        return Err(ChangePasswordError::InvalidCredentials.into());
    }
    let current = current_password(&app, &caller, &body).await?;
    let attempt = if current.is_some() { Attempt::RightPassword } else { Attempt::WrongPassword };
    app.store.count_login(&caller.email, &facts.attempts, attempt, &source, now).await;
    let Some(current) = current else {
        if tries_both(&caller, &body) {
            // Cognito was asked twice, and counts so.
            app.store.count_login(&caller.email, &facts.attempts, attempt, &source, now).await;
        }
        return Err(ChangePasswordError::InvalidCredentials.into());
    };
    let user = match app.store.claim_oneself(&caller, &session.id, now).await? {
        Claim::Yours(user) => user,
        Claim::Held => return Err(ChangePasswordError::Held.into()),
        Claim::Void => return Err(ChangePasswordError::Ended.into()),
    };
    let unchanged = current == Current::AsSent && body.current_password == body.new_password;
    let policy = &facts.settings.password_policy;
    let wish =
        Wish { password: &body.new_password, policy, unchanged, link: None, noted: !caller.password_change_begun };
    let origin = request.origin(Actor::User(caller.id.clone()), now);
    let account = match password_change::change(&app.store, &app.identity, &user, wish, &origin).await? {
        Change::Done(account) => account,
        Change::Refused(faults) => return Err(ChangePasswordError::Password(faults).into()),
        Change::Overtaken => return Err(ChangePasswordError::Held.into()),
        Change::Void => return Err(ChangePasswordError::Ended.into()),
    };
    let (password, now) = (&body.new_password, app.clock.now());
    let tokens = password_change::new_session(&app.store, &app.identity, &account, password, sign_in, now).await?;
    Ok(Json(tokens.ok_or(ChangePasswordError::Ended)?.into()))
}

/// Which password Cognito has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Current {
    /// The one that was sent as the current one.
    AsSent,
    /// The new one: an earlier request of the same kind was cut off after it had set it.
    New,
}

/// Whether the new password may be what Cognito has by now.
fn tries_both(caller: &User, body: &ChangePassword) -> bool {
    caller.password_change_begun && body.new_password.is_possible()
}

/// Asks Cognito whether the current password is right. Where a change was cut off, the same request has to find its way
/// although its current password is the former one by now; only there the new one is tried as well.
async fn current_password(app: &App, caller: &User, body: &ChangePassword) -> Result<Option<Current>, IdentityError> {
    let ask = async |password| app.identity.log_in(Some(&caller.id), 0, password).await;
    if ask(&body.current_password).await?.is_some() {
        return Ok(Some(Current::AsSent));
    }
    Ok((tries_both(caller, body) && ask(&body.new_password).await?.is_some()).then_some(Current::New))
}

#[cfg(test)]
mod failures;
#[cfg(test)]
mod tests;
