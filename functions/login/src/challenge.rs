//! `POST /v1/auth/challenge`: another password instead of one that has to be changed, and the tokens for it.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault, audit::Actor, email::Email, ids::UserId, link::PlainToken, password::Password,
        rights::gets_in_while_closed, user::User,
    },
    http::{Fields, FromFields, Payload, Problem, RequestId, TokensBody, secret, text},
    password_change::{self, Change, Wish},
    store::Claim,
};
use utoipa::ToSchema;

use crate::App;

/// Whose password, the session that the login gave, and the new password.
#[derive(ToSchema)]
#[schema(as = AnswerChallenge)]
pub struct Answer {
    /// The address that logged in.
    email: Email,
    /// What the login gave.
    // `None` for what cannot be one.
    #[schema(value_type = String)]
    session: Option<PlainToken>,
    /// Another password than before.
    new_password: Password,
}

impl FromFields for Answer {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let session = fields.required("session", secret).map(|session| PlainToken::parse(&session));
        let new_password = fields.required("new_password", secret).map(Password::new);
        Some(Self { email: email?, session: session?, new_password: new_password? })
    }
}

/// Why the password stays, or nobody is logged in.
#[derive(Debug)]
pub enum ChallengeError {
    /// The session was used, has expired or never existed, or not for this address: one answer for all, the login's.
    InvalidCredentials,
    /// Another request is answering the same challenge right now.
    Held,
    /// The password cannot be used; the challenge still can.
    Password(Vec<Fault>),
    /// Sign-in is switched off for consumers.
    Closed,
}

impl From<ChallengeError> for Problem {
    fn from(error: ChallengeError) -> Self {
        match error {
            ChallengeError::InvalidCredentials => Self::invalid_credentials(),
            ChallengeError::Held => Self::held(),
            ChallengeError::Password(faults) => Self::password("new_password", faults),
            ChallengeError::Closed => Self::portal_closed(),
        }
    }
}

/// Answers a challenge: claims the person, changes the password, opens the first session. A refused password leaves the
/// challenge usable; so does a failure, and a crash once the claim has lapsed.
#[utoipa::path(
    post, path = "/v1/auth/challenge",
    request_body = Answer,
    responses(
        (status = 200, description = "The tokens of a new session.", body = TokensBody),
        (status = 401, description = "`invalid-credentials`: the session was used, has expired, never existed, or is not of this address."),
        (status = 403, description = "`portal-closed`: sign-in is switched off."),
    ),
)]
pub async fn challenge(
    State(app): State<App>,
    request: RequestId,
    payload: Payload,
) -> Result<Json<TokensBody>, Problem> {
    let Answer { email, session, new_password } = payload.read()?;
    let session = session.ok_or(ChallengeError::InvalidCredentials)?;
    let facts = app.store.login_facts(&email).await?;
    let (now, sign_in) = (app.clock.now(), facts.settings.sign_in);
    // Who has no account is claimed in vain, under an id that nobody has, so that it takes the same calls.
    let account = facts.account.map(|account| (account.user_id, account.link_version));
    let (user_id, link_version) = account.unwrap_or_else(|| (UserId::new(now, app.random.number()), 0));
    let user = match app.store.claim_by_challenge(&user_id, link_version, &session.hashed(), now).await? {
        Claim::Yours(user) => user,
        Claim::Held => return Err(ChallengeError::Held.into()),
        Claim::Void => return Err(ChallengeError::InvalidCredentials.into()),
    };
    if !sign_in && !gets_in_while_closed(&user) {
        app.store.release(&user).await?;
        return Err(ChallengeError::Closed.into());
    }
    let wish = Wish {
        password: &new_password,
        policy: &facts.settings.password_policy,
        unchanged: is_same(&user, &session, &new_password),
        link: None,
        noted: false,
    };
    let account =
        match password_change::change(&app.store, &app.identity, &user, wish, &request.origin(Actor::Visitor, now))
            .await?
        {
            Change::Done(account) => account,
            Change::Refused(faults) => return Err(ChallengeError::Password(faults).into()),
            Change::Overtaken => return Err(ChallengeError::Held.into()),
            Change::Void => return Err(ChallengeError::InvalidCredentials.into()),
        };
    let now = app.clock.now();
    let tokens = password_change::new_session(&app.store, &app.identity, &account, &new_password, sign_in, now).await?;
    Ok(Json(tokens.ok_or(ChallengeError::InvalidCredentials)?.into()))
}

fn is_same(user: &User, session: &PlainToken, password: &Password) -> bool {
    user.challenge.as_ref().is_some_and(|challenge| challenge.is_same(session, password))
}

#[cfg(test)]
mod failures;
#[cfg(test)]
pub(crate) mod tests;
