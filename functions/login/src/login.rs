//! `POST /v1/auth/login`: tokens for a right password, in a state in which people log in.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Serialize;
use shared::{
    domain::{
        challenge::Challenge, email::Email, link::PlainToken, login_attempts::Attempt, password::Password, user::Status,
    },
    http::{Fields, FromFields, Payload, Problem, Source, TokensBody, secret, text},
    store::{Opening, Posed, Sentinel, Stage},
};
use utoipa::ToSchema;

use crate::App;

/// Address and password.
#[derive(Debug, ToSchema)]
#[schema(as = LogIn)]
pub struct LogIn {
    /// The address.
    email: Email,
    /// The password.
    #[schema(value_type = String, format = Password, write_only)]
    password: Password,
}

impl FromFields for LogIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let password = fields.required("password", secret).map(Password::new);
        Some(Self { email: email?, password: password? })
    }
}

/// What a right password gives.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LoggedIn {
    /// The tokens of a session.
    Tokens(TokensBody),
    /// The password has to be changed first.
    Challenge(ChallengeBody),
}

/// What has to be done before there are tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeBody {
    /// What has to be done: `new_password_required`.
    challenge: &'static str,
    /// What `POST /v1/auth/challenge` is sent, within 15 minutes.
    session: String,
}

// Prints no session.
impl std::fmt::Debug for ChallengeBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChallengeBody").finish_non_exhaustive()
    }
}

/// Why nobody is logged in.
#[derive(Debug)]
pub enum LogInError {
    /// Wrong password, unknown address, or one that is not confirmed: one answer for all.
    InvalidCredentials,
    /// Right password, registration not approved yet.
    Pending,
    /// Right password, registration rejected.
    Rejected,
    /// Right password, account switched off or not switched on yet.
    Inactive,
    /// Right password, sign-in switched off for consumers.
    Closed,
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => Self::invalid_credentials(),
            LogInError::Pending => {
                let detail = "The registration request has been sent. You'll receive an email once it's been approved.";
                Self::refused("registration-pending", "Waiting for approval", detail)
            }
            LogInError::Rejected => {
                let detail = "This registration was not approved.";
                Self::refused("registration-rejected", "Registration not approved", detail)
            }
            LogInError::Inactive => {
                let detail = "This account is not active. An API Owner can activate it.";
                Self::refused("account-inactive", "Account not active", detail)
            }
            LogInError::Closed => Self::portal_closed(),
        }
    }
}

/// Logs a person in: Cognito checks the password first, then state and switch decide whether the tokens count. An
/// address without an account is asked for at Cognito all the same, so that it takes the same calls, and its failures
/// count like any other's. Who has failed too often gets the answer to a wrong password and no question is asked.
#[utoipa::path(
    post, path = "/v1/auth/login",
    request_body = LogIn,
    responses(
        (status = 200, description = "The tokens of a new session, or what has to be done first.", body = LoggedIn),
        (status = 401, description = "`invalid-credentials`: wrong password, unknown address, one that is not confirmed, or one that was tried too often."),
        (status = 403, description = "The password is right. `registration-pending`, `registration-rejected`, `account-inactive`: the person's \
            state. `portal-closed`: sign-in is switched off."),
    ),
)]
pub async fn login(
    State(app): State<App>,
    Source(source): Source,
    payload: Payload,
) -> Result<Json<LoggedIn>, Problem> {
    let LogIn { email, password } = payload.read()?;
    let facts = app.store.login_facts(&email).await?;
    let now = app.clock.now();
    if !password.is_possible() || !facts.attempts.may_ask(&source, now) {
        return Err(LogInError::InvalidCredentials.into());
    }
    let account = facts.account.filter(|account| matches!(account.stage, Stage::Settled | Stage::Unfinished));
    let user_id = account.as_ref().map(|account| &account.user_id);
    let tokens = app.identity.log_in(user_id, app.random.number(), &password).await?;
    let (Some(tokens), Some(account)) = (tokens, account) else {
        app.store.count_login(&email, &facts.attempts, Attempt::WrongPassword, &source, now).await;
        return Err(LogInError::InvalidCredentials.into());
    };
    let sign_in = facts.settings.sign_in;
    let opening = app.store.open_session(&account, &tokens.session, sign_in, app.clock.now()).await?;
    if opening != Opening::Stale {
        app.store.count_login(&email, &facts.attempts, Attempt::RightPassword, &source, now).await;
    }
    match opening {
        Opening::Opened => Ok(Json(LoggedIn::Tokens(tokens.into()))),
        Opening::PasswordDue => Ok(Json(pose(&app, &account, &password, sign_in, now).await?)),
        Opening::Stale => Err(LogInError::InvalidCredentials.into()),
        Opening::PortalClosed => Err(LogInError::Closed.into()),
        Opening::WrongStatus(status) => Err(wrong_status(status).into()),
    }
}

/// Asks for another password: the answer has to bring the session's token, which is stored as a digest alone.
async fn pose(
    app: &App,
    account: &Sentinel,
    password: &Password,
    sign_in: bool,
    now: Timestamp,
) -> Result<LoggedIn, Problem> {
    let token = PlainToken::new(app.random.bytes());
    let challenge = Challenge::new(&token, password, now);
    match app.store.pose_challenge(account, &challenge, sign_in).await? {
        Posed::Done => {
            let (challenge, session) = ("new_password_required", token.expose().to_owned());
            Ok(LoggedIn::Challenge(ChallengeBody { challenge, session }))
        }
        Posed::Refused(Opening::PortalClosed) => Err(LogInError::Closed.into()),
        Posed::Refused(Opening::WrongStatus(status)) => Err(wrong_status(status).into()),
        Posed::Refused(Opening::Stale | Opening::Opened | Opening::PasswordDue) => {
            Err(LogInError::InvalidCredentials.into())
        }
    }
}

fn wrong_status(status: Status) -> LogInError {
    match status {
        Status::Pending => LogInError::Pending,
        Status::Rejected => LogInError::Rejected,
        Status::Inactive | Status::Active => LogInError::Inactive,
        Status::Unconfirmed | Status::Invited => LogInError::InvalidCredentials,
    }
}

#[cfg(test)]
mod enumeration;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod throttle;

#[cfg(test)]
pub(crate) mod tests {
    use harness::{Bench, Fault, PASSWORD, Reply, Sample, email};
    use serde_json::{Value, json};
    use shared::{
        domain::{
            name::Name,
            organisation::Placement,
            user::{NewUser, Role, Source, Start, User},
        },
        store::{Creation, FirstOwner, Registered},
    };

    use super::*;
    use crate::router;

    pub(crate) fn app(bench: &Bench) -> App {
        let (store, identity, clock) = (bench.store.clone(), bench.identity.clone(), bench.clock.clone());
        App { store, identity, clock, random: bench.random.clone() }
    }

    pub(crate) async fn log_in(bench: &Bench, address: &str, password: &str) -> Reply {
        let body = json!({"email": address, "password": password});
        Sample::of("login-login").body(&body).send(router(app(bench))).await
    }

    pub(crate) async fn log_in_from(bench: &Bench, source: &str, address: &str, password: &str) -> Reply {
        let body = json!({"email": address, "password": password});
        Sample::of("login-login").from_source(source).body(&body).send(router(app(bench))).await
    }

    /// What a new person with `address` starts from.
    pub(crate) fn newcomer(address: &str, start: Start) -> NewUser {
        NewUser {
            email: email(address),
            first_name: Name::parse("Ada").unwrap(),
            last_name: Name::parse("Lovelace").unwrap(),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start,
        }
    }

    /// A person with [`PASSWORD`] whose creation was cut off before its last step.
    async fn unfinished(bench: &Bench, address: &str) -> User {
        let new = newcomer(address, Start::Becoming(Status::Active));
        let Creation::Begun(user) = bench.store.begin_creation(new, &bench.origin()).await.unwrap() else {
            panic!("{address} is taken")
        };
        bench.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
        *user
    }

    /// Puts one address into each stage that has no password: unconfirmed@ and invited@example.com.
    pub(crate) async fn without_password(bench: &Bench) {
        let new = newcomer("unconfirmed@example.com", Start::As(Status::Unconfirmed));
        let registered = bench.store.register(new, &bench.origin()).await.unwrap();
        assert!(matches!(registered, Registered::New(_)));
        let (first_name, last_name) = (Name::parse("Grace").unwrap(), Name::parse("Hopper").unwrap());
        let owner = FirstOwner { email: email("invited@example.com"), first_name, last_name };
        assert!(bench.store.invite_first_owner(owner, &bench.origin()).await.unwrap());
    }

    #[tokio::test]
    async fn the_sample_request_logs_in() {
        let bench = Bench::new().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
        let password = Password::new("correct horse battery staple");
        bench.identity.establish(&ada.id, &ada.email, &password).await.unwrap();

        let reply = Sample::of("login-login").send(router(app(&bench))).await;

        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["cache-control"], "no-store");
    }

    #[tokio::test]
    async fn a_right_password_gives_tokens_of_a_session_that_stands_in_the_persons_row() {
        let bench = Bench::new().await;
        let before = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;

        let reply = log_in(&bench, " Ada@Example.com ", PASSWORD).await;

        assert_eq!(reply.status, 200);
        assert_eq!((&reply.body["token_type"], &reply.body["expires_in"]), (&json!("Bearer"), &json!(3600)));
        let members: Vec<_> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["access_token", "expires_in", "id_token", "refresh_token", "token_type"]);
        let claims = bench.services.verify(reply.body["access_token"].as_str().unwrap()).unwrap();
        assert_eq!((&claims["token_use"], &claims["username"]), (&json!("access"), &json!(before.id)));
        let after = bench.read(&before.id).await;
        let sessions: Vec<_> = after.sessions.iter().map(|(session, since)| (session.as_str(), *since)).collect();
        assert_eq!(sessions, [(claims["origin_jti"].as_str().unwrap(), bench.now().as_millisecond())]);
        assert_eq!(after.last_login_at, Some(bench.now()));
    }

    #[tokio::test]
    async fn logging_in_changes_nothing_that_is_shown_but_the_last_login() {
        let bench = Bench::new().await;
        let before = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
        bench.advance(jiff::SignedDuration::from_hours(1));

        log_in(&bench, "ada@example.com", PASSWORD).await;

        let after = bench.read(&before.id).await;
        assert_eq!((after.version, after.updated_at), (before.version, before.updated_at));
        let (last_login_at, sessions) = (after.last_login_at, after.sessions.clone());
        assert_eq!(after, User { last_login_at, sessions, ..before });
    }

    #[tokio::test]
    async fn logging_in_takes_one_batch_one_question_to_cognito_and_one_unit() {
        let bench = Bench::new().await;
        bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
        log_in(&bench, "ada@example.com", PASSWORD).await;

        let (reply, calls) = bench.calls(log_in(&bench, "ada@example.com", PASSWORD)).await;

        assert_eq!(reply.status, 200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "Cognito.AdminInitiateAuth", "DynamoDB.UpdateItem"]);
        assert_eq!(harness::write_units(&calls), 1);
    }

    #[tokio::test]
    async fn each_wrong_state_has_its_own_problem_and_only_for_the_right_password() {
        let bench = Bench::new().await;
        bench.person("pending@example.com", Role::TeamMember, Status::Pending).await;
        bench.person("rejected@example.com", Role::TeamMember, Status::Rejected).await;
        bench.person("inactive@example.com", Role::TeamMember, Status::Inactive).await;
        unfinished(&bench, "unfinished@example.com").await;
        let expected = [
            ("pending@example.com", "registration-pending"),
            ("rejected@example.com", "registration-rejected"),
            ("inactive@example.com", "account-inactive"),
            ("unfinished@example.com", "account-inactive"),
        ];
        for (address, problem) in expected {
            let right = log_in(&bench, address, PASSWORD).await;
            let wrong = log_in(&bench, address, "violet tractor 43!").await;

            assert_eq!((right.status, right.problem()), (403, problem), "{address}");
            assert_eq!((wrong.status, wrong.problem()), (401, "invalid-credentials"), "{address}");
            let id = bench.store.login_facts(&email(address)).await.unwrap().account.unwrap().user_id;
            assert!(bench.read(&id).await.sessions.is_empty(), "{address}");
        }
    }

    #[tokio::test]
    async fn a_portal_without_sign_in_lets_api_owners_in_and_nobody_else() {
        let bench = Bench::new().await;
        bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
        bench.person("admin@example.com", Role::ConsumerAdmin, Status::Active).await;
        bench.person("member@example.com", Role::TeamMember, Status::Active).await;
        bench.set(|settings| settings.sign_in = false).await;

        for consumer in ["admin@example.com", "member@example.com"] {
            let right = log_in(&bench, consumer, PASSWORD).await;
            let wrong = log_in(&bench, consumer, "violet tractor 43!").await;

            assert_eq!((right.status, right.problem()), (403, "portal-closed"), "{consumer}");
            assert_eq!(right.body["title"], "This portal is disabled");
            assert_eq!((wrong.status, wrong.problem()), (401, "invalid-credentials"), "{consumer}");
        }
        assert_eq!(log_in(&bench, "owner@example.com", PASSWORD).await.status, 200);
    }

    #[tokio::test]
    async fn a_busy_cognito_is_told_and_counts_for_nothing() {
        let bench = Bench::new().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
        bench.services.calls().fail_next("Cognito.AdminInitiateAuth", Fault::throttled().times(3));

        let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
        assert!(bench.read(&ada.id).await.sessions.is_empty());
    }

    #[tokio::test]
    async fn what_breaks_on_our_side_is_told_without_its_cause() {
        let bench = Bench::new().await;
        bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
        let gone = Fault::refused("ResourceNotFoundException", "User pool eu-west-1_Portico00 does not exist.");
        bench.services.calls().fail_next("Cognito.AdminInitiateAuth", gone);

        let reply = log_in(&bench, "ada@example.com", PASSWORD).await;

        assert_eq!((reply.status, reply.problem()), (500, "internal"));
        assert!(!reply.body.to_string().contains("pool"));
    }

    #[tokio::test]
    async fn every_fault_of_a_body_is_named() {
        let bench = Bench::new().await;
        let send = async |body: &Value| Sample::of("login-login").body(body).send(router(app(&bench))).await;

        let (reply, calls) = bench.calls(send(&json!({"email": "ada", "password": 7, "remember": true}))).await;

        let expected = [("/email", "invalid_email"), ("/password", "not_a_string"), ("/remember", "unknown_field")];
        assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
        assert!(calls.is_empty(), "{calls:?}");
        assert_eq!(send(&json!({})).await.faults(), [("/email", "required"), ("/password", "required")]);
        let malformed = Sample::of("login-login").raw_body("{", "application/json").send(router(app(&bench))).await;
        assert_eq!((malformed.status, malformed.problem()), (400, "malformed-json"));
    }
}
