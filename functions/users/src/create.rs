//! `POST /v1/users`: an API Owner creates a person, with an initial password or to be invited later.

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        email::Email,
        ids::{OrganisationId, TeamId},
        name::Name,
        password::{Holder, Password},
        rights::{Action, decide},
        user::{NewUser, Role, Source, Start, Status, User},
    },
    enrolment::{Enrolment, enrol},
    http::{
        FieldFault, Fields, FromFields, Payload, Problem, RequestId, Session, UserBody, admit, boolean, choice, items,
        secret, text,
    },
    store::{CreatedWithoutPassword, Places, Placing, Sentinel, Stage},
};

use crate::App;

/// The most teams that a person is put into at once.
pub(crate) const MAX_TEAMS: usize = 20;

/// Who is created, where, and how they start.
#[derive(Debug)]
pub struct Create {
    email: Email,
    first_name: Name,
    last_name: Name,
    password: Option<Password>,
    must_change_password: bool,
    active: bool,
    organisation_id: Option<OrganisationId>,
    team_ids: Vec<TeamId>,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let password = fields.optional("password", secret).map(Password::new);
        let must_change_password = fields.optional("must_change_password", boolean).unwrap_or(false);
        let active = fields.optional("active", boolean).unwrap_or(false);
        if active && password.is_none() {
            fields.fault("active", Fault::new("needs_password", "Only who has a password can be active."));
        }
        if must_change_password && password.is_none() {
            fields.fault("must_change_password", Fault::new("needs_password", "There is no password to change."));
        }
        let organisation_id = fields.optional("organisation_id", choice(OrganisationId::parse));
        let no_team = || Fault::new("unknown_team", "The organisation has no such team.");
        let team_ids = fields.optional("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(no_team)));
        Some(Self {
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
            password,
            must_change_password,
            active,
            organisation_id,
            team_ids: team_ids.unwrap_or_default(),
        })
    }
}

/// Why nobody is created.
#[derive(Debug)]
pub enum CreateError {
    /// The address has an account.
    EmailTaken,
    /// There is no such organisation.
    NoSuchOrganisation,
    /// The organisation has no such team.
    NoSuchTeam,
    /// The password cannot be used.
    Password(Vec<Fault>),
    /// The account is just being set up, or that took too long and was undone.
    Unfinished,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        let fault = |field, code, detail: &str| Self::validation(&[FieldFault::new(field, Fault::new(code, detail))]);
        match error {
            CreateError::EmailTaken => Self::email_taken(),
            CreateError::NoSuchOrganisation => {
                fault("organisation_id", "unknown_organisation", "There is no such organisation.")
            }
            CreateError::NoSuchTeam => fault("team_ids", "unknown_team", "The organisation has no such team."),
            CreateError::Password(faults) => Self::password("password", faults),
            CreateError::Unfinished => Self::try_again(1),
        }
    }
}

/// Creates an API Consumer Admin. With a password: inactive, unless `active` says otherwise; row first, then Cognito,
/// then the state, and what stops half-way is undone. Without one: nothing is mailed until an invitation is sent.
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    payload: Payload,
) -> Result<impl IntoResponse, Problem> {
    let (caller, settings) = app.store.person_and_settings(&session.user_id).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::CreatePerson)?;
    let body: Create = payload.read()?;
    if let Some(password) = &body.password {
        let holder = Holder { email: &body.email, first_name: &body.first_name, last_name: &body.last_name };
        let faults = settings.password_policy.check(password, holder);
        if !faults.is_empty() {
            return Err(CreateError::Password(faults).into());
        }
    }
    let placement = match app.store.placing(body.organisation_id, body.team_ids).await? {
        Placing::At(placement) => placement,
        Placing::NoSuchOrganisation => return Err(CreateError::NoSuchOrganisation.into()),
        Placing::NoSuchTeam => return Err(CreateError::NoSuchTeam.into()),
    };
    let status = if body.active { Status::Active } else { Status::Inactive };
    let start = match (&body.password, body.must_change_password) {
        (None, _) => Start::As(Status::Invited),
        (Some(_), true) => Start::BecomingWithFirstPassword(status),
        (Some(_), false) => Start::Becoming(status),
    };
    let new = NewUser {
        email: body.email,
        first_name: body.first_name,
        last_name: body.last_name,
        role: Role::ConsumerAdmin,
        placement: Some(placement),
        source: Source::ApiOwner,
        start,
    };
    let origin = request.origin(Actor::User(caller.id.clone()), app.clock.now());
    let person = match &body.password {
        Some(password) => with_password(&app, new, password, &origin).await?,
        None => without_password(&app, new, &origin).await?,
    };
    let location = HeaderValue::from_str(&format!("/v1/users/{}", person.id)).map_err(Problem::internal)?;
    let mut places = Places::default();
    app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(UserBody::new(&caller, person, &places))))
}

async fn with_password(app: &App, new: NewUser, password: &Password, origin: &Origin) -> Result<User, Problem> {
    match enrol(&app.store, &app.identity, new, password, &[], origin).await? {
        Enrolment::Done(person) => Ok(*person),
        Enrolment::Taken(known) => Err(taken(&known).into()),
        Enrolment::NoSuchTeam => Err(CreateError::NoSuchTeam.into()),
        Enrolment::PasswordRefused => Err(CreateError::Password(vec![Fault::refused_password()]).into()),
        Enrolment::Undone => Err(CreateError::Unfinished.into()),
    }
}

async fn without_password(app: &App, new: NewUser, origin: &Origin) -> Result<User, Problem> {
    match app.store.create_without_password(new, origin).await? {
        CreatedWithoutPassword::Done(person) => Ok(*person),
        CreatedWithoutPassword::Taken(known) => Err(taken(&known).into()),
        CreatedWithoutPassword::NoSuchTeam => Err(CreateError::NoSuchTeam.into()),
    }
}

fn taken(known: &Sentinel) -> CreateError {
    if known.stage == Stage::Unfinished { CreateError::Unfinished } else { CreateError::EmailTaken }
}

#[cfg(test)]
mod failures;
#[cfg(test)]
mod placing;
#[cfg(test)]
mod to_be_invited;

#[cfg(test)]
pub(crate) mod tests;
