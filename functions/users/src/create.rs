//! `POST /v1/users`: an API Owner creates a person with an initial password.

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use shared::{
    domain::{
        Fault,
        audit::Actor,
        email::Email,
        ids::{OrganisationId, TeamId},
        name::Name,
        password::{Holder, Password},
        rights::{Action, decide},
        user::{NewUser, Role, Source, Start, Status, User},
    },
    http::{
        FieldFault, Fields, FromFields, Payload, Problem, RequestId, Session, UserBody, admit, boolean, choice, items,
        secret, text,
    },
    identity::Established,
    store::{Creation, Finish, Places, Placing},
};

use crate::App;

/// The most teams that a person is put into at once.
const MAX_TEAMS: usize = 20;

/// Who is created, where, and how they start.
#[derive(Debug)]
pub struct Create {
    email: Email,
    first_name: Name,
    last_name: Name,
    password: Password,
    active: bool,
    organisation_id: Option<OrganisationId>,
    team_ids: Vec<TeamId>,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let password = fields.required("password", secret).map(Password::new);
        let active = fields.optional("active", boolean).unwrap_or(false);
        let organisation_id = fields.optional("organisation_id", choice(OrganisationId::parse));
        let no_team = || Fault::new("unknown_team", "The organisation has no such team.");
        let team_ids = fields.optional("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(no_team)));
        Some(Self {
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
            password: password?,
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
    /// Setting the account up took too long and was undone.
    Undone,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        let fault = |field, code, detail: &str| Self::validation(&[FieldFault::new(field, Fault::new(code, detail))]);
        match error {
            CreateError::EmailTaken => {
                Self::conflict("email-taken", "Address taken", "There already is an account with this address.")
            }
            CreateError::NoSuchOrganisation => {
                fault("organisation_id", "unknown_organisation", "There is no such organisation.")
            }
            CreateError::NoSuchTeam => fault("team_ids", "unknown_team", "The organisation has no such team."),
            CreateError::Password(faults) => Self::password("password", faults),
            CreateError::Undone => Self::try_again(1),
        }
    }
}

/// Creates an API Consumer Admin with a password: inactive, unless `active` says otherwise. Row first, then Cognito,
/// then the state; what stops half-way is undone.
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    payload: Payload,
) -> Result<impl IntoResponse, Problem> {
    let (caller, settings) = app.store.caller_and_settings(&session.user_id).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::CreatePerson)?;
    let body: Create = payload.read()?;
    let holder = Holder { email: &body.email, first_name: &body.first_name, last_name: &body.last_name };
    let faults = settings.password_policy.check(&body.password, holder);
    if !faults.is_empty() {
        return Err(CreateError::Password(faults).into());
    }
    let placement = match app.store.placing(body.organisation_id, body.team_ids).await? {
        Placing::At(placement) => placement,
        Placing::NoSuchOrganisation => return Err(CreateError::NoSuchOrganisation.into()),
        Placing::NoSuchTeam(_) => return Err(CreateError::NoSuchTeam.into()),
    };
    let status = if body.active { Status::Active } else { Status::Inactive };
    let new = NewUser {
        email: body.email,
        first_name: body.first_name,
        last_name: body.last_name,
        role: Role::ConsumerAdmin,
        placement: Some(placement),
        source: Source::ApiOwner,
        start: Start::Becoming(status),
    };
    let origin = request.origin(Actor::User(caller.id.clone()), app.clock.now());
    let user = match app.store.begin_creation(new, &origin).await? {
        Creation::Begun(user) => user,
        Creation::Taken(_) => return Err(CreateError::EmailTaken.into()),
        Creation::NoSuchTeam => return Err(CreateError::NoSuchTeam.into()),
    };
    if let Err(problem) = set_password(&app, &user, &body.password).await {
        app.store.undo_creation(&user, &origin).await?;
        return Err(problem);
    }
    let status = match app.store.finish_creation(&user, &[], &origin).await? {
        Finish::Done(status) => status,
        Finish::Undone => return Err(CreateError::Undone.into()),
    };
    let person = User { status, identity_due: None, ..*user };
    let location = HeaderValue::from_str(&format!("/v1/users/{}", person.id)).map_err(Problem::internal)?;
    let mut places = Places::default();
    app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(UserBody::new(&caller, person, &places))))
}

async fn set_password(app: &App, user: &User, password: &Password) -> Result<(), Problem> {
    match app.identity.establish(&user.id, &user.email, password).await? {
        Established::Done => Ok(()),
        Established::PasswordRefused => Err(CreateError::Password(vec![Fault::refused_password()]).into()),
    }
}
