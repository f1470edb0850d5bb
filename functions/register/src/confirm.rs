//! `POST /v1/registrations/confirm`: confirms an address by its mailed link, and sets the password.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault,
        approval::status_on_arrival,
        audit::{Actor, Origin},
        link::{HashedToken, PlainToken, Purpose},
        password::Password,
        user::{Status, User},
    },
    http::{Fields, FromFields, Next, Payload, Problem, RequestId, secret},
    password_change::first_password,
    store::{Confirmation, LinkClaim, LinkFacts},
};
use utoipa::ToSchema;

use crate::App;

/// The link's token and the password that was chosen.
#[derive(ToSchema)]
#[schema(as = ConfirmRegistration)]
pub struct Confirm {
    /// The token of the mailed link.
    // `None` for what cannot be one.
    #[schema(value_type = String)]
    token: Option<PlainToken>,
    /// The password that was chosen.
    password: Password,
}

impl FromFields for Confirm {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", secret).map(|token| PlainToken::parse(&token));
        let password = fields.required("password", secret).map(Password::new);
        Some(Self { token: token?, password: password? })
    }
}

/// Why a confirmation is refused.
#[derive(Debug)]
pub enum ConfirmError {
    /// The link was used, replaced, has expired, or never existed.
    LinkNotUsable,
    /// Another request is using the link right now.
    Held,
    /// The password cannot be used; the link still can.
    Password(Vec<Fault>),
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::LinkNotUsable => Self::link_not_usable(),
            ConfirmError::Held => Self::held(),
            ConfirmError::Password(faults) => Self::password("password", faults),
        }
    }
}

/// Confirms the address behind the link: claims the person, sets the password at Cognito, consumes the link. A refused
/// password leaves the link usable; so does a crash, once the claim has lapsed.
#[utoipa::path(
    post, path = "/v1/registrations/confirm",
    request_body = Confirm,
    responses(
        (status = 200, description = "What comes next.", body = Next),
        (status = 410, description = "`link-not-usable`: the link was used, replaced, has expired, or never existed."),
    ),
)]
pub async fn confirm(State(app): State<App>, request: RequestId, payload: Payload) -> Result<Json<Next>, Problem> {
    let body: Confirm = payload.read()?;
    let now = app.clock.now();
    let claim = app.store.claim_by_link(body.token.as_ref(), Purpose::Confirm, Status::Unconfirmed, now).await?;
    let (user, token, facts) = match claim {
        LinkClaim::Yours { user, token, facts } => (user, token, facts),
        LinkClaim::Held => return Err(ConfirmError::Held.into()),
        LinkClaim::Void => return Err(ConfirmError::LinkNotUsable.into()),
    };
    let origin = request.origin(Actor::Visitor, now);
    let confirmed = finish(&app, &token, &user, &body.password, &facts, &origin).await;
    if confirmed.is_err() {
        app.store.give_up(&user).await;
    }
    confirmed.map(|status| Json(Next::after(status)))
}

/// What follows the claim: the password, then the transaction that consumes the link.
async fn finish(
    app: &App,
    token: &HashedToken,
    user: &User,
    password: &Password,
    facts: &LinkFacts,
    origin: &Origin,
) -> Result<Status, Problem> {
    let faults = first_password(&app.identity, user, password, &facts.settings.password_policy).await?;
    if !faults.is_empty() {
        return Err(ConfirmError::Password(faults).into());
    }
    let status = status_on_arrival(&facts.settings, &user.email, user.role, user.redemption.as_ref());
    match app.store.confirm(token, user, status, facts, origin).await? {
        Confirmation::Done(status) => Ok(status),
        Confirmation::Overtaken => Err(ConfirmError::Held.into()),
        Confirmation::Void => Err(ConfirmError::LinkNotUsable.into()),
    }
}

#[cfg(test)]
mod redeemed;

#[cfg(test)]
mod tests;
