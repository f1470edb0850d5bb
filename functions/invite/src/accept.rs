//! `POST /v1/invitations/accept`: the invitee chooses a password and is in.

use axum::{Json, extract::State};
use serde_json::{Map, Value};
use shared::{
    domain::{
        Fault,
        attribute::{Writer, merge},
        audit::{Actor, Origin},
        link::{HashedToken, PlainToken, Purpose},
        name::Name,
        password::Password,
        user::{Status, User},
    },
    http::{AttributeValues, FieldFault, Fields, FromFields, Next, Payload, Problem, RequestId, object, secret, text},
    password_change::first_password,
    store::{Acceptance, LinkClaim, LinkFacts},
};
use utoipa::ToSchema;

use crate::App;

/// The link's token, the password that was chosen, the names where the inviter got them wrong, and the attributes that the
/// form asks for.
#[derive(ToSchema)]
#[schema(as = AcceptInvitation)]
pub struct Accept {
    /// The token of the mailed link.
    // `None` for what cannot be one.
    #[schema(value_type = String)]
    token: Option<PlainToken>,
    /// The password that was chosen.
    password: Password,
    /// First name, where the invitation has it wrong.
    first_name: Option<Name>,
    /// Last name, where the invitation has it wrong.
    last_name: Option<Name>,
    /// What the form asks for and the person does not have yet.
    #[schema(value_type = Option<AttributeValues>)]
    attributes: Map<String, Value>,
}

impl FromFields for Accept {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", secret).map(|token| PlainToken::parse(&token));
        let password = fields.required("password", secret).map(Password::new);
        let first_name = fields.optional("first_name", text(Name::parse));
        let last_name = fields.optional("last_name", text(Name::parse));
        let attributes = fields.optional("attributes", object).unwrap_or_default();
        Some(Self { token: token?, password: password?, first_name, last_name, attributes })
    }
}

/// Why an acceptance is refused.
#[derive(Debug)]
pub enum AcceptError {
    /// The link was used, replaced or revoked, has expired, or never existed; or its team is gone.
    LinkNotUsable,
    /// Another request is using the link right now.
    Held,
    /// The password cannot be used; the link still can.
    Password(Vec<Fault>),
    /// Attributes cannot be what was sent, or are missing; the link still works. With what is wrong with the password.
    Attributes(Vec<FieldFault>),
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::LinkNotUsable => Self::link_not_usable(),
            AcceptError::Held => Self::held(),
            AcceptError::Password(faults) => Self::password("password", faults),
            AcceptError::Attributes(faults) => Self::validation(&faults),
        }
    }
}

/// Accepts the invitation behind the link. A refused password leaves the link usable.
// It claims the person, sets the password at Cognito, consumes the link. A crash leaves the link usable too, once the
// claim has lapsed.
#[utoipa::path(
    post, path = "/v1/invitations/accept",
    request_body = Accept,
    responses(
        (status = 200, description = "The person is active, and logs in next.", body = Next),
        (status = 410, description = "`link-not-usable`: the link was used, replaced or revoked, has expired, or never existed."),
    ),
)]
pub async fn accept(State(app): State<App>, request: RequestId, payload: Payload) -> Result<Json<Next>, Problem> {
    let body: Accept = payload.read()?;
    let now = app.clock.now();
    let claim = app.store.claim_by_link(body.token.as_ref(), Purpose::Accept, Status::Invited, now).await?;
    let (user, token, facts) = match claim {
        LinkClaim::Yours { user, token, facts } => (user, token, facts),
        LinkClaim::Held => return Err(AcceptError::Held.into()),
        LinkClaim::Void => return Err(AcceptError::LinkNotUsable.into()),
    };
    let origin = request.origin(Actor::Visitor, now);
    let accepted = finish(&app, &token, &user, &body, &facts, &origin).await;
    if accepted.is_err() {
        app.store.give_up(&user).await;
    }
    accepted.map(|()| Json(Next::LogIn))
}

/// What follows the claim: the password, then the transaction that consumes the link.
async fn finish(
    app: &App,
    token: &HashedToken,
    user: &User,
    body: &Accept,
    facts: &LinkFacts,
    origin: &Origin,
) -> Result<(), Problem> {
    let first_name = body.first_name.as_ref().unwrap_or(&user.first_name);
    let last_name = body.last_name.as_ref().unwrap_or(&user.last_name);
    let mut named = User { first_name: first_name.clone(), last_name: last_name.clone(), ..user.clone() };
    let policy = &facts.settings.password_policy;
    match merge(&facts.attributes, &user.attributes, &body.attributes, Writer::Applicant) {
        Ok(attributes) => named.attributes = attributes,
        Err(faults) => {
            let password = policy.check(&body.password, named.holder()).into_iter();
            let password = password.map(|fault| FieldFault::new("password", fault));
            return Err(AcceptError::Attributes(password.chain(FieldFault::of_attributes(faults)).collect()).into());
        }
    }
    let faults = first_password(&app.identity, &named, &body.password, policy).await?;
    if !faults.is_empty() {
        return Err(AcceptError::Password(faults).into());
    }
    match app.store.accept_invitation(token, user, &named, origin).await? {
        Acceptance::Done => Ok(()),
        Acceptance::Overtaken => Err(AcceptError::Held.into()),
        Acceptance::Void => Err(AcceptError::LinkNotUsable.into()),
    }
}

#[cfg(test)]
mod attributes;
#[cfg(test)]
mod races;
#[cfg(test)]
pub(crate) mod tests;
