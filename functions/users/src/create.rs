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
const MAX_TEAMS: usize = 20;

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
            CreateError::EmailTaken => {
                Self::conflict("email-taken", "Address taken", "There already is an account with this address.")
            }
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
pub(crate) mod tests {
    use harness::{Bench, PASSWORD, Reply, Sample, SignedIn, email};
    use serde_json::{Value, json};
    use shared::store::Opening;

    use super::*;
    use crate::{
        list::tests::{app, portal, send},
        router,
    };

    pub(crate) const ADA: &str = "ada@example.com";

    pub(crate) async fn create(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
        send(bench, Sample::of("users-create").by(owner).body(body)).await
    }

    pub(crate) fn ada() -> Value {
        json!({"email": " Ada@Example.com", "first_name": "Ada", "last_name": " Lovelace ", "password": PASSWORD})
    }

    pub(crate) fn with(field: &str, value: impl serde::Serialize) -> Value {
        let mut body = ada();
        body[field] = json!(value);
        body
    }

    /// Logs in as the login function does.
    async fn log_in(bench: &Bench, password: &str) -> Opening {
        let account = bench.store.login_facts(&email(ADA)).await.unwrap().account.unwrap();
        let tokens = bench.identity.log_in(Some(&account.user_id), 0, &Password::new(password)).await.unwrap().unwrap();
        bench.store.open_session(&account, &tokens.session, true, bench.now()).await.unwrap()
    }

    #[tokio::test]
    async fn a_person_is_created_active_is_told_and_can_log_in() {
        let (bench, owner) = portal().await;

        let reply = send(&bench, Sample::of("users-create").by(&owner)).await;

        assert_eq!((reply.status, &reply.body["status"]), (201, &json!("active")));
        assert_eq!(log_in(&bench, "correct horse battery staple").await, Opening::Opened);
        assert_eq!(bench.mail_events(ADA).await, ["welcome"]);
        let text = bench.mails(ADA).await.remove(0).text.unwrap();
        assert!(text.contains("You can now log in") && !text.contains("correct horse"), "{text}");
    }

    #[tokio::test]
    async fn a_person_is_created_inactive_where_nothing_is_said() {
        let (bench, owner) = portal().await;

        let reply = create(&bench, &owner, &ada()).await;

        let id = reply.body["id"].as_str().unwrap().to_owned();
        let shown = json!({
            "id": id,
            "email": ADA,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "status": "inactive",
            "role": "consumer_admin",
            "organisation": {"id": OrganisationId::default_organisation(), "name": "Default Organisation"},
            "teams": [{"id": TeamId::default_team(), "name": "Default team"}],
            "must_change_password": false,
            "source": "api_owner",
            "mail_status": "ok",
            "attributes": {},
            "created_at": bench.now(),
            "updated_at": bench.now(),
            "last_login_at": null,
        });
        assert_eq!((reply.status, &reply.body), (201, &shown));
        assert_eq!(reply.headers["location"], format!("/v1/users/{id}"));
        let read = send(&bench, Sample::of("users-read").id(&id).by(&owner)).await;
        assert_eq!(read.body, shown);
        assert_eq!(log_in(&bench, PASSWORD).await, Opening::WrongStatus(Status::Inactive));
        assert!(bench.mails(ADA).await.remove(0).text.unwrap().contains("It is not active yet"));
    }

    #[tokio::test]
    async fn a_password_that_has_to_be_changed_opens_no_session() {
        let (bench, owner) = portal().await;
        let mut body = with("must_change_password", true);
        body["active"] = json!(true);

        let reply = create(&bench, &owner, &body).await;

        assert_eq!((reply.status, &reply.body["must_change_password"]), (201, &json!(true)));
        assert_eq!(log_in(&bench, PASSWORD).await, Opening::PasswordDue);
        assert_eq!(create(&bench, &owner, &with("must_change_password", "yes")).await.faults()[0].1, "not_a_boolean");
        let mut without = body.clone();
        without.as_object_mut().unwrap().remove("password");
        let expected = [("/active", "needs_password"), ("/must_change_password", "needs_password")];
        assert_eq!(create(&bench, &owner, &without).await.faults(), expected);
    }

    #[tokio::test]
    async fn creating_is_a_row_a_cognito_user_and_a_state() {
        let (bench, owner) = portal().await;
        let sample = Sample::of("users-create").by(&owner);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.status, 201);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let expected = [
            "DynamoDB.BatchGetItem",
            "DynamoDB.TransactWriteItems",
            "Cognito.AdminCreateUser",
            "Cognito.AdminSetUserPassword",
            "DynamoDB.TransactWriteItems",
            "DynamoDB.BatchGetItem",
        ];
        assert_eq!(operations, expected);
    }

    #[tokio::test]
    async fn the_audit_tells_of_it_without_name_or_address() {
        let (bench, owner) = portal().await;

        let reply = create(&bench, &owner, &with("active", true)).await;

        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["target"] == reply.body["id"]);
        events.sort_by_key(|event| event["action"].as_str().map(str::to_owned));
        let actions: Vec<_> = events.iter().map(|event| &event["action"]).collect();
        assert_eq!(actions, ["user.created", "user.password_set"]);
        assert_eq!(
            events[0]["after"],
            json!({
                "status": "inactive", "role": "consumer_admin",
                "organisation_id": "org_00000000000000000000000000", "team_ids": ["team_00000000000000000000000000"],
            })
        );
        assert_eq!(events[1]["after"], json!({"status": "active"}));
        for event in &events {
            assert_eq!(event["actor"], json!({"user": owner.user.id}));
            assert_eq!(event["request_id"], reply.headers["x-request-id"]);
            let event = event.to_string();
            assert!(["example.com", "Ada", "Lovelace", PASSWORD].into_iter().all(|word| !event.contains(word)));
        }
        assert!(bench.rows().await.iter().all(|row| !row.to_string().contains(PASSWORD)));
    }

    #[tokio::test]
    async fn a_known_address_is_a_conflict_whatever_became_of_its_account() {
        let (bench, owner) = portal().await;
        for status in Status::ALL {
            bench.person(&format!("{}@example.com", status.as_str()), Role::TeamMember, status).await;
        }
        let people = bench.rows_in("USER#").await.len();
        for status in Status::ALL {
            let body = with("email", format!("{}@EXAMPLE.com", status.as_str()));
            let reply = create(&bench, &owner, &body).await;
            assert_eq!((reply.status, reply.problem()), (409, "email-taken"), "{status:?}");
        }
        assert_eq!(bench.rows_in("USER#").await.len(), people);
    }

    #[tokio::test]
    async fn every_fault_of_a_body_is_named() {
        let (bench, owner) = portal().await;
        let body = json!({
            "email": "ada", "first_name": "", "password": 7, "active": "yes", "role": "api_owner",
            "organisation_id": "acme", "team_ids": "all",
        });

        let reply = create(&bench, &owner, &body).await;

        let expected = [
            ("/email", "invalid_email"),
            ("/first_name", "invalid_name"),
            ("/last_name", "required"),
            ("/password", "not_a_string"),
            ("/active", "not_a_boolean"),
            ("/organisation_id", "unknown_choice"),
            ("/team_ids", "not_a_list"),
            ("/role", "unknown_field"),
        ];
        assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
    }

    #[tokio::test]
    async fn the_password_is_held_to_the_policy_of_the_settings() {
        let (bench, owner) = portal().await;
        let faults = async |password: &str| {
            let reply = create(&bench, &owner, &with("password", password)).await;
            assert_eq!(reply.status, 422, "{password}");
            let faults = reply.faults().into_iter();
            faults.map(|(pointer, code)| format!("{pointer} {code}")).collect::<Vec<_>>().join(", ")
        };

        assert_eq!(faults("Lovelace1").await, "/password password_too_short, /password password_tells_name");
        assert_eq!(faults("123456789012").await, "/password password_common");
        assert_eq!(faults(" white space around ").await, "/password password_outer_space");
        bench.set(|settings| settings.password_policy.min_numerics = 3).await;
        assert_eq!(faults(PASSWORD).await, "/password password_too_few_digits");
        assert!(bench.store.login_facts(&email(ADA)).await.unwrap().account.is_none());
    }

    #[tokio::test]
    async fn only_api_owners_create_people_and_rights_come_before_the_body() {
        let (bench, owner) = portal().await;
        let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
        let member = bench.signed_in("member@example.com", Role::TeamMember).await;
        let ask = |caller| Sample::of("users-create").by(caller).raw_body("{", "text/plain");
        for caller in [&admin, &member] {
            let reply = send(&bench, ask(caller)).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
        }
        for sample in [ask(&owner).without_token(), ask(&owner).claim("token_use", "id")] {
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
            assert!(reply.headers.contains_key("www-authenticate"));
        }
        assert_eq!(send(&bench, ask(&owner)).await.status, 415);
        let malformed = Sample::of("users-create").by(&owner).raw_body("{", "application/json");
        assert_eq!(send(&bench, malformed).await.problem(), "malformed-json");
    }
}
