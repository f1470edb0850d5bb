//! `POST /v1/registrations`: registers a person, or mails the holder of a known address.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{
        audit::{Actor, Origin},
        organisation::Placement,
        source::SourceAddress,
        user::{Newcomer, Source, Start, Status},
    },
    enrolment::{Left, left},
    http::{
        Applicant, FromFields, IdempotencyKey, Next, NotRegistrable, Payload, Problem, Replayed, RequestId,
        Source as CameFrom, recall,
    },
    store::{Attempt, Record, Registered, RegistrationFacts, Sentinel, Told},
};

use crate::{App, with_password};

/// Why a registration is refused.
#[derive(Debug)]
pub enum RegisterError {
    /// Self-registration is switched off.
    Closed,
    /// Too many sign-ups came from this source; they are let through again after so many seconds.
    TooMany(u32),
    /// Nobody can register with what was sent.
    NotRegistrable(NotRegistrable),
    /// The account is just being set up, or that took too long and was undone.
    Unfinished,
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Closed => {
                Self::refused("registration-closed", "Registration is not allowed", "Registration is not allowed")
            }
            RegisterError::TooMany(seconds) => Self::rate_limited(seconds),
            RegisterError::NotRegistrable(reason) => reason.into(),
            RegisterError::Unfinished => Self::try_again(1),
        }
    }
}

/// What became of a registration.
pub(crate) enum Outcome {
    /// It is written, or the holder of the known address mailed.
    Done(Next),
    /// A request with the same key was there first.
    Repeated(Record),
}

/// Registers a person as a Team Member of the Default Organisation, or mails the holder of a known address. The answer
/// does not tell which.
#[utoipa::path(
    post, path = "/v1/registrations",
    params(IdempotencyKey), request_body = Applicant,
    responses(
        (status = 202, description = "What comes next, the same for every address.", body = Next),
        (status = 403, description = "`registration-closed`: self-registration is switched off."),
        (status = 409, description = "`mail-not-configured`: the confirmation cannot be sent."),
        (status = 429, description = "`rate-limited`: too many signed up from this source."),
    ),
)]
pub async fn register(
    State(app): State<App>,
    CameFrom(source): CameFrom,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<(StatusCode, Replayed, Json<Next>), Problem> {
    let now = app.clock.now();
    let repeatable = key.of_source(&source, &payload, now).granted()?;
    let origin = request.origin(Actor::Visitor, now).repeatable(repeatable);
    let mut fields = payload.fields()?;
    let read = Applicant::read(&mut fields);
    let (email, sought) = (read.as_ref().map(|applicant| &applicant.email), origin.repeatable.as_ref());
    let mut facts = app.store.sign_up_facts(email, &source, sought).await?;
    let body = fields.sign_up(read, &facts.attributes).map(|(body, attributes)| Applicant { attributes, ..body });
    let outcome = match facts.record.take() {
        Some(record) => Outcome::Repeated(record),
        None => write(&app, body.as_ref().map_err(Problem::clone)?, &source, &facts, &origin).await?,
    };
    let (next, replayed) = match outcome {
        Outcome::Done(next) => (next, false),
        Outcome::Repeated(record) => {
            let told: Told = recall(&app.store, record.clone(), &origin).await?;
            if let Some(person) = &told.begun {
                match left(&app.store, person, &record, &origin).await? {
                    Left::Nothing => {}
                    // Only here is the body judged: by rules that are newer than the first request, perhaps.
                    Left::Password(person) => {
                        with_password::resumed(&app, person, &body?, &facts.settings, &origin).await?;
                    }
                    Left::Everything => return Err(RegisterError::Unfinished.into()),
                }
            }
            (Next::after(told.status), true)
        }
    };
    Ok((StatusCode::ACCEPTED, Replayed(replayed), Json(next)))
}

async fn write(
    app: &App,
    body: &Applicant,
    source: &SourceAddress,
    facts: &RegistrationFacts,
    origin: &Origin,
) -> Result<Outcome, Problem> {
    let (settings, known) = (&facts.settings, facts.known.clone());
    if !settings.self_registration {
        return Err(RegisterError::Closed.into());
    }
    body.check_password(settings).map_err(RegisterError::NotRegistrable)?;
    match app.store.count_sign_up(source, facts.sign_ups, &settings.throttles, origin.now).await? {
        Attempt::LetThrough => {}
        Attempt::Refused(window) => {
            // An equal request may have filled the window after this one had looked for its record.
            let earlier = app.store.record_of(origin).await?.map(Outcome::Repeated);
            return earlier.ok_or_else(|| RegisterError::TooMany(window.seconds_left(origin.now)).into());
        }
    }
    match &body.password {
        Some(password) => with_password::register(app, body, password, settings, known, origin).await,
        None => register_unconfirmed(app, body, known, origin).await,
    }
}

/// The way by default: a mailed link confirms the address, the password is chosen there.
async fn register_unconfirmed(
    app: &App,
    body: &Applicant,
    known: Option<Sentinel>,
    origin: &Origin,
) -> Result<Outcome, Problem> {
    let known = match known {
        Some(known) => known,
        None => match app.store.register(newcomer(body.clone(), Start::As(Status::Unconfirmed)), origin).await? {
            Registered::New(user) => return Ok(Outcome::Done(Next::after(user.status))),
            Registered::Repeated(record) => return Ok(Outcome::Repeated(record)),
            Registered::Taken(known) => known,
        },
    };
    mail_holder(app, body, &known, Status::Unconfirmed, origin).await
}

/// Mails the holder of a known address; the visitor is told what somebody new in `status` is told.
pub(crate) async fn mail_holder(
    app: &App,
    body: &Applicant,
    known: &Sentinel,
    status: Status,
    origin: &Origin,
) -> Result<Outcome, Problem> {
    let earlier = app.store.register_known(&body.email, known, status, origin).await?;
    Ok(earlier.map_or(Outcome::Done(Next::after(status)), Outcome::Repeated))
}

/// The Team Member of the Default Organisation that a registration without a code makes.
pub(crate) fn newcomer(applicant: Applicant, start: Start) -> Newcomer {
    applicant.team_member(Placement::default_place(), Source::SelfRegistration, start)
}

#[cfg(test)]
mod attributes;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod sign_ups;

#[cfg(test)]
pub(crate) mod tests {
    use harness::{Bench, Fault, PASSWORD, Reply, Sample, email};
    use serde_json::json;
    use shared::{domain::user::Role, store::Stage};

    use super::*;
    use crate::router;

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
    }

    pub(crate) async fn register(bench: &Bench, body: &serde_json::Value) -> Reply {
        Sample::of("register-register").body(body).send(router(app(bench))).await
    }

    pub(crate) fn ada() -> serde_json::Value {
        json!({"email": "Ada@Example.com", "first_name": "Ada", "last_name": "Lovelace"})
    }

    #[tokio::test]
    async fn a_registration_waits_for_its_confirmation_and_gets_a_mail() {
        let bench = Bench::new().await;

        let reply = register(&bench, &ada()).await;

        assert_eq!((reply.status, &reply.body), (202, &json!({"next": "confirm_email"})));
        let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
        assert_eq!(known.stage, Stage::Unconfirmed);
        let user = bench.read(&known.user_id).await;
        assert_eq!(
            (user.status, user.role, user.source),
            (Status::Unconfirmed, Role::TeamMember, Source::SelfRegistration)
        );
        assert_eq!(user.team_ids, Placement::default_place().team_ids);
        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
    }

    #[tokio::test]
    async fn registering_takes_one_batch_and_one_transaction_of_ten_units() {
        let bench = Bench::new().await;

        let (reply, calls) = bench.calls(register(&bench, &ada())).await;

        assert_eq!(reply.status, 202);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!(harness::write_units(&calls), 10);
    }

    #[tokio::test]
    async fn known_and_unknown_addresses_get_the_same_answer_by_the_same_calls() {
        let bench = Bench::new().await;
        bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
        register(&bench, &json!({"email": "waiting@example.com", "first_name": "W", "last_name": "W"})).await;
        let ask = async |address: &str| {
            let body = json!({"email": address, "first_name": "Eve", "last_name": "Eavesdrop"});
            let (reply, calls) = bench.calls(register(&bench, &body)).await;
            (reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
        };

        let unknown = ask("new@example.com").await;

        assert_eq!(ask("settled@example.com").await, unknown);
        assert_eq!(ask("waiting@example.com").await, unknown);
        assert_eq!(bench.mail_events("settled@example.com").await, ["welcome", "already_registered"]);
        assert_eq!(bench.mail_events("waiting@example.com").await, ["confirm_registration", "confirm_registration"]);
    }

    #[tokio::test]
    async fn a_repeated_registration_changes_nothing_that_is_stored_of_the_person() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        let facts = bench.store.registration_facts(&email("ada@example.com")).await.unwrap();
        let before = bench.read(&facts.known.clone().unwrap().user_id).await;

        register(&bench, &json!({"email": "ada@example.com", "first_name": "Eve", "last_name": "Else"})).await;

        assert_eq!(bench.read(&before.id).await, before);
        let known = bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap();
        assert_eq!(known.mails.map(|mails| mails.count), Some(1));
        assert_eq!(Some(Sentinel { mails: None, ..known }), facts.known);
    }

    #[tokio::test]
    async fn a_known_address_gets_five_mails_an_hour_and_the_answer_and_calls_stay_the_same() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        let mut answers = Vec::new();
        for _ in 0..7 {
            let (reply, calls) = bench.calls(register(&bench, &ada())).await;
            answers.push((reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()));
        }

        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(
            bench.mail_events("ada@example.com").await.len(),
            1 + 5,
            "the first registration's is no repetition"
        );
        bench.advance(jiff::SignedDuration::from_hours(1));
        register(&bench, &ada()).await;
        assert_eq!(bench.mail_events("ada@example.com").await.len(), 1 + 5 + 1);
    }

    #[tokio::test]
    async fn two_repetitions_at_once_send_one_mail_and_are_told_the_same() {
        let bench = Bench::new().await;
        let first = register(&bench, &ada()).await;
        let (rival, body) = (app(&bench), ada());
        let meanwhile = async move { drop(Sample::of("register-register").body(&body).send(router(rival)).await) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        assert_eq!(register(&bench, &ada()).await, first);

        assert_eq!(bench.mail_events("ada@example.com").await.len(), 2);
    }

    #[tokio::test]
    async fn two_registrations_of_one_address_at_once_make_one_person() {
        let bench = Bench::new().await;
        let rival = app(&bench);
        let body = ada();
        let meanwhile = async move {
            let reply = Sample::of("register-register").body(&body).send(router(rival)).await;
            assert_eq!(reply.status, 202);
        };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = register(&bench, &ada()).await;

        assert_eq!(reply.status, 202);
        let people = bench.store.everybody(&shared::store::Filter::default(), None, 10).await.unwrap().people;
        assert_eq!(people.len(), 1);
        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration", "confirm_registration"]);
    }

    #[tokio::test]
    async fn contention_is_waited_out_and_in_the_end_told() {
        let bench = Bench::new().await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(3));
        assert_eq!(register(&bench, &ada()).await.status, 202);

        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9));
        let reply = register(&bench, &json!({"email": "b@example.com", "first_name": "B", "last_name": "B"})).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
    }

    #[tokio::test]
    async fn a_lost_answer_does_not_register_twice() {
        let bench = Bench::new().await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

        let reply = register(&bench, &ada()).await;

        assert_eq!(reply.status, 202);
        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
    }

    #[tokio::test]
    async fn every_fault_of_a_body_is_named() {
        let bench = Bench::new().await;

        let reply =
            register(&bench, &json!({"email": "ada", "first_name": "\n", "attributes": {"x": 1}, "role": "o"})).await;

        assert_eq!(reply.status, 422);
        let expected = [
            ("/email", "invalid_email"),
            ("/first_name", "invalid_name"),
            ("/last_name", "required"),
            ("/attributes/x", "unknown_field"),
            ("/role", "unknown_field"),
        ];
        assert_eq!(reply.faults(), expected);
    }

    #[tokio::test]
    async fn a_password_is_not_chosen_before_the_address_is_confirmed() {
        let bench = Bench::new().await;
        let mut body = ada();
        body["password"] = json!(PASSWORD);

        let reply = register(&bench, &body).await;

        assert_eq!(reply.faults(), [("/password", "not_allowed")]);
    }

    #[tokio::test]
    async fn bodies_that_are_no_json_are_refused_each_in_its_way() {
        let bench = Bench::new().await;
        let send = async |body: &str, media_type: &str| {
            Sample::of("register-register").raw_body(body, media_type).send(router(app(&bench))).await
        };

        let malformed = send("{", "application/json").await;
        let form = send("email=a", "application/x-www-form-urlencoded").await;
        let large = send(&format!("\"{}\"", "x".repeat(64 * 1024)), "application/json").await;

        assert_eq!((malformed.status, malformed.problem()), (400, "malformed-json"));
        assert_eq!((form.status, form.problem()), (415, "unsupported-media-type"));
        assert_eq!((large.status, large.problem()), (413, "body-too-large"));
    }

    #[tokio::test]
    async fn registration_can_be_closed() {
        let bench = Bench::new().await;
        bench.set(|settings| settings.self_registration = false).await;

        let reply = register(&bench, &ada()).await;

        assert_eq!((reply.status, reply.problem()), (403, "registration-closed"));
    }

    #[tokio::test]
    async fn without_a_sender_nothing_that_needs_mail_works() {
        let bench = Bench::new().await;
        bench.set(|settings| settings.sender = None).await;

        let reply = register(&bench, &ada()).await;

        assert_eq!((reply.status, reply.problem()), (409, "mail-not-configured"));
    }
}
