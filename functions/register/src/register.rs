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
pub(crate) mod tests;
