//! `POST /v1/registrations/confirm`: confirms an address by its mailed link, and sets the password.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault,
        audit::Actor,
        link::{PlainToken, Purpose},
        password::Password,
        user::{Status, User},
    },
    http::{Fields, FromFields, Next, Payload, Problem, RequestId, secret},
    identity::Established,
    store::{Claim, Confirmation},
};

use crate::App;

/// The link's token and the password that was chosen.
#[derive(Debug)]
pub struct Confirm {
    token: String,
    password: Password,
}

impl FromFields for Confirm {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", secret);
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
            ConfirmError::Held => Self::try_again(2),
            ConfirmError::Password(faults) => Self::password("password", faults),
        }
    }
}

/// Confirms the address behind the link: claims the person, sets the password at Cognito, consumes the link. A refused
/// password leaves the link usable; so does a crash, once the claim has lapsed.
pub async fn confirm(State(app): State<App>, request: RequestId, payload: Payload) -> Result<Json<Next>, Problem> {
    let body: Confirm = payload.read()?;
    let now = app.clock.now();
    let token = PlainToken::parse(&body.token).ok_or(ConfirmError::LinkNotUsable)?.hashed();
    let facts = app.store.link_facts(&token).await?;
    let link = facts.link.as_ref().filter(|link| link.is_usable(Purpose::Confirm, now));
    let link = link.ok_or(ConfirmError::LinkNotUsable)?;
    let user = match app.store.claim(link, Status::Unconfirmed, now).await? {
        Claim::Yours(user) => user,
        Claim::Held => return Err(ConfirmError::Held.into()),
        Claim::Void => return Err(ConfirmError::LinkNotUsable.into()),
    };
    if let Err(problem) = set_password(&app, &user, &body.password, &facts.settings).await {
        app.store.release(&user).await?;
        return Err(problem);
    }
    let origin = request.origin(Actor::Visitor, now);
    match app.store.confirm(&token, &user, Status::Pending, &facts, &origin).await? {
        Confirmation::Done(status) => Ok(Json(Next::after(status))),
        Confirmation::Overtaken => Err(ConfirmError::Held.into()),
    }
}

async fn set_password(
    app: &App,
    user: &User,
    password: &Password,
    settings: &shared::domain::settings::Settings,
) -> Result<(), Problem> {
    let faults = settings.password_policy.check(password, user.holder());
    if !faults.is_empty() {
        return Err(ConfirmError::Password(faults).into());
    }
    match app.identity.establish(&user.id, &user.email, password).await? {
        Established::Done => Ok(()),
        Established::PasswordRefused => Err(ConfirmError::Password(vec![Fault::refused_password()]).into()),
    }
}
