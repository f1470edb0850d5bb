//! `POST /v1/auth/reset-password`: another password by a mailed link.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault,
        audit::Actor,
        link::{PlainToken, Purpose},
        login_attempts::{Attempt, LoginAttempts},
        password::Password,
        user::Status,
    },
    http::{Fields, FromFields, Next, Payload, Problem, RequestId, Source, secret},
    password_change::{self, Change, Wish},
    store::LinkClaim,
};
use utoipa::ToSchema;

use crate::App;

/// The link's token and the password that was chosen.
#[derive(ToSchema)]
#[schema(as = ResetPassword)]
pub struct ResetPassword {
    /// The token of the mailed link.
    // `None` for what cannot be one.
    #[schema(value_type = String)]
    token: Option<PlainToken>,
    /// The password that was chosen.
    password: Password,
}

impl FromFields for ResetPassword {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", secret).map(|token| PlainToken::parse(&token));
        let password = fields.required("password", secret).map(Password::new);
        Some(Self { token: token?, password: password? })
    }
}

/// Why the password stays as it is.
#[derive(Debug)]
pub enum ResetPasswordError {
    /// The link was used, is void, has expired, or never existed; or its person is not active.
    LinkNotUsable,
    /// Another request is using a link of this person right now.
    Held,
    /// The password cannot be used; the link still can.
    Password(Vec<Fault>),
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::LinkNotUsable => Self::link_not_usable(),
            ResetPasswordError::Held => Self::held(),
            ResetPasswordError::Password(faults) => Self::password("password", faults),
        }
    }
}

/// Changes the password of the person behind the link and ends every session. A refused password leaves the link usable;
/// so does a failure, and a crash once the claim has lapsed. Who has the mail is no guesser: the source is served again.
#[utoipa::path(
    post, path = "/v1/auth/reset-password",
    request_body = ResetPassword,
    responses(
        (status = 200, description = "What comes next: logging in.", body = Next),
        (status = 410, description = "`link-not-usable`: the link was used, is void, has expired, or never existed."),
    ),
)]
pub async fn reset_password(
    State(app): State<App>,
    Source(source): Source,
    request: RequestId,
    payload: Payload,
) -> Result<Json<Next>, Problem> {
    let body: ResetPassword = payload.read()?;
    let now = app.clock.now();
    let claim = app.store.claim_by_link(body.token.as_ref(), Purpose::Reset, Status::Active, now).await?;
    let (user, token, facts) = match claim {
        LinkClaim::Yours { user, token, facts } => (user, token, facts),
        LinkClaim::Held => return Err(ResetPasswordError::Held.into()),
        LinkClaim::Void => return Err(ResetPasswordError::LinkNotUsable.into()),
    };
    let policy = &facts.settings.password_policy;
    let wish = Wish { password: &body.password, policy, unchanged: false, link: Some(&token), noted: false };
    let origin = request.origin(Actor::Visitor, now);
    match password_change::change(&app.store, &app.identity, &user, wish, &origin).await? {
        Change::Done(_) => {}
        Change::Refused(faults) => return Err(ResetPasswordError::Password(faults).into()),
        Change::Overtaken => return Err(ResetPasswordError::Held.into()),
        Change::Void => return Err(ResetPasswordError::LinkNotUsable.into()),
    }
    // What was counted is not read before: the write brings it back where there is something.
    let unread = LoginAttempts::default();
    app.store.count_login(&user.email, &unread, Attempt::MailedLink, &source, now).await;
    Ok(Json(Next::LogIn))
}

#[cfg(test)]
mod failures;
#[cfg(test)]
mod tests;
