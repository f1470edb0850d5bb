//! `POST /v1/users`: an API Owner creates a person, with an initial password or to be invited later.

use axum::extract::State;
use serde_json::{Map, Value};
use shared::{
    domain::{
        Fault,
        attribute::{Definitions, Writer},
        audit::{Actor, Origin},
        email::Email,
        ids::{OrganisationId, TeamId},
        name::Name,
        organisation::MAX_TEAMS,
        password::{Holder, Password},
        rights::{Action, decide},
        settings::Settings,
        user::{NewUser, Newcomer, Role, Source, Start, Status, User},
    },
    enrolment::{Enrolment, Left, enrol, left, resume},
    http::{
        AttributeValues, Created, Fields, IdempotencyKey, Payload, Problem, RequestId, Session, UserBody, admit,
        boolean, choice, items, recall, secret, text,
    },
    store::{CreatedWithoutPassword, Places, Placing, Record, Sentinel, Stage},
};
use utoipa::ToSchema;

use crate::App;

/// Who is created, where, and how they start.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = CreateUser)]
pub struct Create {
    /// Their address.
    email: Email,
    /// First name.
    first_name: Name,
    /// Last name.
    last_name: Name,
    /// The password to begin with; without one, they are to be invited.
    password: Option<Password>,
    /// Whether the first login chooses another password; this needs a password.
    #[schema(required = false, default = false)]
    must_change_password: bool,
    /// Whether they are active at once; this needs a password.
    #[schema(required = false, default = false)]
    active: bool,
    /// Their organisation; without one, the default one.
    organisation_id: Option<OrganisationId>,
    /// Their teams; without any, the organisation's default team.
    #[schema(required = false, max_items = 20)]
    team_ids: Vec<TeamId>,
    /// Values of custom attributes, by name; none is needed.
    #[schema(value_type = Option<AttributeValues>)]
    attributes: Map<String, Value>,
}

impl Create {
    /// Reads the body. Nothing is asked for of attributes: an API Owner may not know it.
    fn read(fields: &mut Fields, definitions: &Definitions) -> Option<Self> {
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
        let team_ids =
            fields.optional("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(Fault::no_such_team)));
        let attributes = fields.attributes(definitions, &Map::new(), Writer::Owner);
        Some(Self {
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
            password,
            must_change_password,
            active,
            organisation_id,
            team_ids: team_ids.unwrap_or_default(),
            attributes: attributes?,
        })
    }

    fn check_password(&self, settings: &Settings) -> Result<(), CreateError> {
        let Some(password) = &self.password else { return Ok(()) };
        let holder = Holder { email: &self.email, first_name: &self.first_name, last_name: &self.last_name };
        let faults = settings.password_policy.check(password, holder);
        if faults.is_empty() { Ok(()) } else { Err(CreateError::Password(faults)) }
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
        match error {
            CreateError::EmailTaken => Self::email_taken(),
            CreateError::NoSuchOrganisation => Self::unknown_organisation(),
            CreateError::NoSuchTeam => Self::unknown_team(),
            CreateError::Password(faults) => Self::password("password", faults),
            CreateError::Unfinished => Self::try_again(1),
        }
    }
}

/// What became of a creation.
enum Outcome {
    /// The person is there.
    Created(Box<User>),
    /// A request with the same key was there first.
    Repeated(Record),
}

/// Creates an API Consumer Admin. With a password: inactive, unless `active` says otherwise. Without one: nothing is mailed
/// until an invitation is sent.
// With a password it is row first, then Cognito, then the state, and what stops half-way is undone, or finished by a
// repeat with the same key.
#[utoipa::path(
    post, path = "/v1/users",
    params(IdempotencyKey), request_body = Create,
    responses(
        (status = 201, description = "The person.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners create people."),
        (status = 409, description = "`email-taken`: there is an account with this address."),
        (status = 410, description = "`created-and-deleted`: whom an earlier request with this key created is deleted."),
    ),
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<UserBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let (caller, settings, definitions, record) = app.store.creator_facts(&session.user_id, wish.sought()).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::CreatePerson)?;
    let origin = request.origin(Actor::User(caller.id.clone()), now).repeatable(wish.granted()?);
    let body = payload.read_with(|fields| Create::read(fields, &definitions));
    let outcome = match record {
        Some(record) => Outcome::Repeated(record),
        None => write(&app, body.clone()?, &settings, &origin).await?,
    };
    let (person, replayed) = match outcome {
        Outcome::Created(person) => (*person, false),
        Outcome::Repeated(record) => (again(&app, record, body, &settings, &origin).await?, true),
    };
    let location = format!("/v1/users/{}", person.id);
    let mut places = Places::with_attributes(definitions);
    app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
    Ok(Created::at(location, UserBody::new(&caller, person, &places)).replayed(replayed))
}

async fn write(app: &App, body: Create, settings: &Settings, origin: &Origin) -> Result<Outcome, Problem> {
    body.check_password(settings)?;
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
    let new = new.with_attributes(body.attributes);
    match &body.password {
        Some(password) => {
            let enrolment = enrol(&app.store, &app.identity, new, password, &[], origin).await?;
            enrolled(enrolment).map_err(Problem::from)
        }
        None => without_password(app, new, origin).await,
    }
}

fn enrolled(enrolment: Enrolment) -> Result<Outcome, CreateError> {
    match enrolment {
        Enrolment::Done(person) => Ok(Outcome::Created(person)),
        Enrolment::Repeated(record) => Ok(Outcome::Repeated(record)),
        Enrolment::Taken(known) => Err(taken(&known)),
        Enrolment::NoSuchTeam => Err(CreateError::NoSuchTeam),
        Enrolment::PasswordRefused => Err(CreateError::Password(vec![Fault::refused_password()])),
        Enrolment::Undone => Err(CreateError::Unfinished),
    }
}

async fn without_password(app: &App, new: Newcomer, origin: &Origin) -> Result<Outcome, Problem> {
    match app.store.create_without_password(new, origin).await? {
        CreatedWithoutPassword::Done(person) => Ok(Outcome::Created(person)),
        CreatedWithoutPassword::Repeated(record) => Ok(Outcome::Repeated(record)),
        CreatedWithoutPassword::Taken(known) => Err(taken(&known).into()),
        CreatedWithoutPassword::NoSuchTeam => Err(CreateError::NoSuchTeam.into()),
    }
}

/// The person whom an earlier request with the same key created, after the steps that it did not come to.
async fn again(
    app: &App,
    record: Record,
    body: Result<Create, Problem>,
    settings: &Settings,
    origin: &Origin,
) -> Result<User, Problem> {
    let person: User = recall(&app.store, record.clone(), origin).await?;
    if person.identity_due.is_none() {
        return Ok(person);
    }
    match left(&app.store, &person.id, &record, origin).await? {
        Left::Nothing => {}
        // Only here is the body judged: by rules that are newer than the first request, perhaps.
        Left::Password(begun) => {
            let body = body?;
            body.check_password(settings)?;
            if let Some(password) = &body.password {
                enrolled(resume(&app.store, &app.identity, begun, password, settings, origin).await?)?;
            }
        }
        Left::Everything => return Err(CreateError::Unfinished.into()),
    }
    Ok(person.finished())
}

fn taken(known: &Sentinel) -> CreateError {
    if known.stage == Stage::Unfinished { CreateError::Unfinished } else { CreateError::EmailTaken }
}

#[cfg(test)]
mod failures;
#[cfg(test)]
mod placing;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod to_be_invited;

#[cfg(test)]
pub(crate) mod tests;
