//! `POST /v1/registrations`: registers a person, or mails the holder of a known address.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        email::Email,
        name::Name,
        organisation::Placement,
        password::{Holder, Password},
        settings::Settings,
        user::{NewUser, Role, Source, Start, Status},
    },
    http::{Fields, FromFields, Next, Payload, Problem, RequestId, secret, text},
    identity::Established,
    store::{Creation, Finish, Registered, Sentinel, StoreError},
};

use crate::App;

/// Who registers.
#[derive(Clone, Debug)]
pub struct Register {
    email: Email,
    first_name: Name,
    last_name: Name,
    password: Option<Password>,
}

impl FromFields for Register {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let password = fields.optional("password", secret).map(Password::new);
        // No sign-up field is defined: whatever is named here is unknown.
        fields.nested("attributes", |_| {});
        Some(Self { email: email?, first_name: first_name?, last_name: last_name?, password })
    }
}

/// Why a registration is refused.
#[derive(Debug)]
pub enum RegisterError {
    /// Self-registration is switched off.
    Closed,
    /// The confirmation cannot be mailed: no sender is set.
    NoSender,
    /// The password is chosen at the confirmation, not here.
    PasswordNotYet,
    /// Without a confirmation the password is chosen here.
    PasswordMissing,
    /// The password cannot be used.
    Password(Vec<Fault>),
    /// Setting the account up took too long and was undone.
    Undone,
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Closed => {
                Self::refused("registration-closed", "Registration is not allowed", "Registration is not allowed")
            }
            RegisterError::NoSender => Self::mail_not_configured(),
            RegisterError::PasswordNotYet => {
                let detail = "The password is chosen when the address is confirmed.";
                Self::password("password", vec![Fault::new("not_allowed", detail)])
            }
            RegisterError::PasswordMissing => {
                Self::password("password", vec![Fault::new("required", "This field is required.")])
            }
            RegisterError::Password(faults) => Self::password("password", faults),
            RegisterError::Undone => Self::try_again(1),
        }
    }
}

/// Registers a person as a Team Member of the Default Organisation, or mails the holder of a known address. The answer
/// does not tell which.
pub async fn register(
    State(app): State<App>,
    request: RequestId,
    payload: Payload,
) -> Result<(StatusCode, Json<Next>), Problem> {
    let body: Register = payload.read()?;
    let origin = request.origin(Actor::Visitor, app.clock.now());
    let facts = app.store.registration_facts(&body.email).await?;
    if !facts.settings.self_registration {
        return Err(RegisterError::Closed.into());
    }
    let next = if facts.settings.email_confirmation {
        register_unconfirmed(&app, body, &facts.settings, facts.known, &origin).await?
    } else {
        register_with_password(&app, body, &facts.settings, facts.known, &origin).await?
    };
    Ok((StatusCode::ACCEPTED, Json(next)))
}

/// The way by default: a mailed link confirms the address, the password is chosen there.
async fn register_unconfirmed(
    app: &App,
    body: Register,
    settings: &Settings,
    known: Option<Sentinel>,
    origin: &Origin,
) -> Result<Next, Problem> {
    if body.password.is_some() {
        return Err(RegisterError::PasswordNotYet.into());
    }
    if settings.sender.is_none() {
        return Err(RegisterError::NoSender.into());
    }
    let email = body.email.clone();
    let known = match known {
        Some(known) => Some(known),
        None => match app.store.register(applicant(body, Start::As(Status::Unconfirmed)), origin).await? {
            Registered::New(_) => None,
            Registered::Taken(known) => Some(known),
        },
    };
    if let Some(known) = known {
        app.store.register_known(&email, &known, origin).await?;
    }
    Ok(Next::ConfirmEmail)
}

/// The way where addresses are not confirmed: row, Cognito, state.
async fn register_with_password(
    app: &App,
    body: Register,
    settings: &Settings,
    known: Option<Sentinel>,
    origin: &Origin,
) -> Result<Next, Problem> {
    let Some(password) = body.password.clone() else { return Err(RegisterError::PasswordMissing.into()) };
    let holder = Holder { email: &body.email, first_name: &body.first_name, last_name: &body.last_name };
    let faults = settings.password_policy.check(&password, holder);
    if !faults.is_empty() {
        return Err(RegisterError::Password(faults).into());
    }
    let (email, status) = (body.email.clone(), Status::Pending);
    let known = match known {
        Some(known) => known,
        None => match app.store.begin_creation(applicant(body, Start::Becoming(status)), origin).await? {
            Creation::Begun(user) => {
                return match app.identity.establish(&user.id, &user.email, &password).await {
                    Ok(Established::Done) => {
                        let owners = app.store.owners_to_notify(settings).await?;
                        match app.store.finish_creation(&user, &owners, origin).await? {
                            Finish::Done(status) => Ok(Next::after(status)),
                            Finish::Undone => Err(RegisterError::Undone.into()),
                        }
                    }
                    Ok(Established::PasswordRefused) => {
                        app.store.undo_creation(&user, origin).await?;
                        Err(RegisterError::Password(vec![Fault::refused_password()]).into())
                    }
                    Err(error) => {
                        app.store.undo_creation(&user, origin).await?;
                        Err(error.into())
                    }
                };
            }
            Creation::Taken(known) => known,
            Creation::NoSuchTeam => return Err(StoreError::Missing("the Default Organisation's team").into()),
        },
    };
    app.store.register_known(&email, &known, origin).await?;
    Ok(Next::after(status))
}

fn applicant(body: Register, start: Start) -> NewUser {
    NewUser {
        email: body.email,
        first_name: body.first_name,
        last_name: body.last_name,
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start,
    }
}
