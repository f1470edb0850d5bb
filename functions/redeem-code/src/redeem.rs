//! `POST /v1/invite-codes/redeem`: registers a person with a slot of an invite code, or mails the holder of a known
//! address.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{
        Fault,
        approval::status_on_arrival,
        audit::{Actor, Origin},
        email::Email,
        invite_code::{FoldedCode, InviteCode, NotAdmitted},
        name::Name,
        organisation::Placement,
        password::Password,
        settings::Settings,
        source::SourceAddress,
        user::{Role, Source as CameBy, Start, Status, User},
    },
    enrolment::{Enrolment, Left, complete, left, resume},
    http::{
        Applicant, AttributeValues, FieldFault, Fields, FromFields, IdempotencyKey, Next, NotRegistrable, Payload,
        Problem, Replayed, RequestId, Source, recall, secret,
    },
    store::{Attempt, Record, Redeemed, RedemptionFacts, Sentinel, Stage, Told},
};
use utoipa::ToSchema;

use crate::App;

/// How often a redemption is decided anew because its code was changed meanwhile, before the visitor is told to try
/// later.
const MAX_TRIES: usize = 5;

/// Who registers, and with which code.
#[derive(Clone, Debug)]
pub struct Redeem {
    /// `None` for what cannot be a code: it is as unknown as any other.
    code: Option<FoldedCode>,
    applicant: Applicant,
}

impl FromFields for Redeem {
    fn read(fields: &mut Fields) -> Option<Self> {
        let code = fields.required("code", secret).map(|typed| FoldedCode::of(&typed));
        let applicant = Applicant::read(fields);
        Some(Self { code: code?, applicant: applicant? })
    }
}

/// Who registers, and with which code.
#[derive(Debug, ToSchema)]
#[schema(as = RedeemInviteCode)]
#[expect(dead_code, reason = "written down, not read: the person is read as at any other registration")]
struct RedeemBody {
    /// The code, however it is typed.
    code: FoldedCode,
    /// The person's address.
    email: Email,
    /// First name.
    first_name: Name,
    /// Last name.
    last_name: Name,
    /// The password, where addresses are not confirmed.
    password: Option<Password>,
    /// What the form asks for.
    attributes: Option<AttributeValues>,
}

/// Why nobody is registered.
#[derive(Debug)]
pub enum RedeemError {
    /// There is no such code.
    Unknown,
    /// Too many unknown codes or sign-ups came from this source; they are let through again after so many seconds.
    TooMany(u32),
    /// The code is switched off, or its team is gone.
    Inactive,
    /// The code's time is over.
    Expired,
    /// The code's quota is used up.
    Exhausted,
    /// The code lets in addresses of other domains alone.
    DomainNotAllowed,
    /// Nobody can register with what was sent.
    NotRegistrable(NotRegistrable),
    /// The code kept changing, the account is just being set up, or that took too long and was undone.
    Unfinished,
}

impl From<NotAdmitted> for RedeemError {
    fn from(refusal: NotAdmitted) -> Self {
        match refusal {
            NotAdmitted::Inactive => Self::Inactive,
            NotAdmitted::Expired => Self::Expired,
            NotAdmitted::Exhausted => Self::Exhausted,
            NotAdmitted::DomainNotAllowed => Self::DomainNotAllowed,
        }
    }
}

impl From<RedeemError> for Problem {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::Unknown => {
                let detail = "There is no such invite code. Check how it is spelled.";
                Self::new(StatusCode::NOT_FOUND, "invite-code-unknown", "Unknown invite code", detail)
            }
            RedeemError::TooMany(seconds) => Self::rate_limited(seconds),
            RedeemError::Inactive => {
                Self::conflict("invite-code-inactive", "Invite code not active", "This invite code is not active.")
            }
            RedeemError::Expired => {
                Self::conflict("invite-code-expired", "Invite code expired", "This invite code has expired.")
            }
            RedeemError::Exhausted => {
                let detail = "This invite code has let in as many people as it was made for.";
                Self::conflict("invite-code-exhausted", "Invite code used up", detail)
            }
            RedeemError::DomainNotAllowed => {
                let fault = Fault::new("domain_not_allowed", "This invite code is for addresses of other domains.");
                Self::validation(&[FieldFault::new("email", fault)])
            }
            RedeemError::NotRegistrable(reason) => reason.into(),
            RedeemError::Unfinished => Self::try_again(1),
        }
    }
}

/// What became of a redemption.
enum Outcome {
    /// It is written, or the holder of the known address mailed.
    Done(Next),
    /// A request with the same key was there first.
    Repeated(Record),
}

/// Registers a person as a Team Member in the code's team, or mails the holder of a known address. The answer does not
/// tell which. Whether the registration form is open does not matter: who has a code was let in by an API Owner.
#[utoipa::path(
    post, path = "/v1/invite-codes/redeem",
    params(IdempotencyKey), request_body = RedeemBody,
    responses(
        (status = 202, description = "What comes next, the same for every address.", body = Next),
        (status = 404, description = "`invite-code-unknown`: there is no such code."),
        (status = 409, description = "`invite-code-inactive`, `invite-code-expired`, `invite-code-exhausted`: the code lets nobody in. \
            `mail-not-configured`: the confirmation cannot be sent."),
        (status = 429, description = "`rate-limited`: too many unknown codes, or too many who signed up, came from this source."),
    ),
)]
pub async fn redeem(
    State(app): State<App>,
    Source(source): Source,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<(StatusCode, Replayed, Json<Next>), Problem> {
    let now = app.clock.now();
    let repeatable = key.of_source(&source, &payload, now).granted()?;
    let origin = request.origin(Actor::Visitor, now).repeatable(repeatable);
    let mut fields = payload.fields()?;
    let read = Redeem::read(&mut fields);
    let (code, email) = read.as_ref().map(|read| (read.code.as_ref(), &read.applicant.email)).unzip();
    let sought = origin.repeatable.as_ref();
    let mut facts = app.store.redemption_facts(code.flatten(), email, &source, sought).await?;
    let applicant =
        fields.sign_up(read, &facts.attributes).map(|(body, attributes)| Applicant { attributes, ..body.applicant });
    let outcome = match (facts.record.take(), &facts.code) {
        (Some(record), _) => Outcome::Repeated(record),
        (None, Some(code)) => {
            let applicant = applicant.as_ref().map_err(Problem::clone)?;
            let redeemed = with_code(&app, applicant, code.clone(), &source, &facts, &origin).await;
            or_redeemed_before(&app, redeemed, &origin).await?
        }
        (None, None) => {
            applicant?;
            return Err(unknown(&app, &source, &facts, &origin).await?.into());
        }
    };
    let (next, replayed) = match outcome {
        Outcome::Done(next) => (next, false),
        Outcome::Repeated(record) => (again(&app, record, applicant, &facts.settings, &origin).await?, true),
    };
    Ok((StatusCode::ACCEPTED, Replayed(replayed), Json(next)))
}

/// `redeemed`, or what an earlier request with the same key did where that is the reason of a refusal: it may have taken
/// the last slot after this one had looked.
async fn or_redeemed_before(
    app: &App,
    redeemed: Result<Outcome, Problem>,
    origin: &Origin,
) -> Result<Outcome, Problem> {
    match redeemed {
        Err(refusal) if refusal.is_refusal() => {
            app.store.record_of(origin).await?.map(Outcome::Repeated).ok_or(refusal)
        }
        redeemed => redeemed,
    }
}

/// What an earlier request with the same key was told, after the steps that it did not come to.
async fn again(
    app: &App,
    record: Record,
    applicant: Result<Applicant, Problem>,
    settings: &Settings,
    origin: &Origin,
) -> Result<Next, Problem> {
    let told: Told = recall(&app.store, record.clone(), origin).await?;
    let Some(person) = &told.begun else { return Ok(Next::after(told.status)) };
    match left(&app.store, person, &record, origin).await? {
        Left::Nothing => {}
        // Only here is the body judged: by rules that are newer than the first request, perhaps.
        Left::Password(person) => {
            let applicant = applicant?;
            if let Some(password) = &applicant.password {
                applicant.check_policy(password, settings).map_err(RedeemError::NotRegistrable)?;
                enrolled(resume(&app.store, &app.identity, person, password, settings, origin).await?)?;
            }
        }
        Left::Everything => return Err(RedeemError::Unfinished.into()),
    }
    Ok(Next::after(told.status))
}

/// Counts an unknown code. A known one is served however many unknown ones came before it.
async fn unknown(
    app: &App,
    source: &SourceAddress,
    facts: &RedemptionFacts,
    origin: &Origin,
) -> Result<RedeemError, Problem> {
    let limits = &facts.settings.throttles;
    Ok(match app.store.count_unknown_code(source, facts.unknown_codes, limits, origin.now).await? {
        Attempt::LetThrough => RedeemError::Unknown,
        Attempt::Refused(window) => RedeemError::TooMany(window.seconds_left(origin.now)),
    })
}

/// Counts a sign-up that nothing else refuses, before it is written.
async fn count(app: &App, source: &SourceAddress, facts: &RedemptionFacts, origin: &Origin) -> Result<(), Problem> {
    let limits = &facts.settings.throttles;
    match app.store.count_sign_up(source, facts.sign_ups, limits, origin.now).await? {
        Attempt::LetThrough => Ok(()),
        Attempt::Refused(window) => Err(RedeemError::TooMany(window.seconds_left(origin.now)).into()),
    }
}

/// Decides by the code as it was read and writes under that condition; where somebody changed it meanwhile, by what
/// stands there now.
async fn with_code(
    app: &App,
    applicant: &Applicant,
    code: InviteCode,
    source: &SourceAddress,
    facts: &RedemptionFacts,
    origin: &Origin,
) -> Result<Outcome, Problem> {
    let (mut code, mut known) = (code, facts.known.clone());
    admit(app, &code, &applicant.email, origin).await?;
    applicant.check_password(&facts.settings).map_err(RedeemError::NotRegistrable)?;
    count(app, source, facts, origin).await?;
    for _ in 0..MAX_TRIES {
        match write(app, applicant, &code, known.as_ref(), &facts.settings, origin).await? {
            Redeemed::New(user) => {
                return finish(app, applicant, user, &facts.settings, origin).await.map(Outcome::Done);
            }
            Redeemed::Mailed => {
                let told = told_of_known(&code, &applicant.email, &facts.settings);
                return Ok(Outcome::Done(Next::after(told)));
            }
            Redeemed::Repeated(record) => return Ok(Outcome::Repeated(record)),
            Redeemed::Taken(taken) => known = Some(taken),
            Redeemed::CodeChanged(Some(now)) => {
                code = *now;
                admit(app, &code, &applicant.email, origin).await?;
            }
            Redeemed::CodeChanged(None) => return Err(RedeemError::Unknown.into()),
            Redeemed::TeamGone => return Err(RedeemError::Inactive.into()),
        }
    }
    Err(RedeemError::Unfinished.into())
}

/// Refuses what the code does not admit. Only the write knows whether the team is still there, so a refusal looks: a code
/// without a team is inactive before anything else.
async fn admit(app: &App, code: &InviteCode, email: &Email, origin: &Origin) -> Result<(), Problem> {
    let Err(refusal) = code.admits(email, origin.now) else { return Ok(()) };
    if refusal != NotAdmitted::Inactive && !app.store.has_team(&code.team_id).await? {
        return Err(RedeemError::Inactive.into());
    }
    Err(RedeemError::from(refusal).into())
}

/// The one transaction: a slot with a person, or a mail to the holder of a known address.
async fn write(
    app: &App,
    applicant: &Applicant,
    code: &InviteCode,
    known: Option<&Sentinel>,
    settings: &Settings,
    origin: &Origin,
) -> Result<Redeemed, Problem> {
    if let Some(known) = known {
        if !settings.email_confirmation && known.stage == Stage::Unfinished {
            return Err(RedeemError::Unfinished.into());
        }
        let told = told_of_known(code, &applicant.email, settings);
        return Ok(app.store.redeem_known(code, &applicant.email, known, told, origin).await?);
    }
    let place = Placement { organisation_id: code.organisation_id.clone(), team_ids: vec![code.team_id.clone()] };
    let new = |start| applicant.clone().team_member(place, CameBy::InviteCode, start);
    Ok(if settings.email_confirmation {
        app.store.redeem(code, new(Start::As(Status::Unconfirmed)), origin).await?
    } else {
        let status = status_on_arrival(settings, &applicant.email, Role::TeamMember, Some(&code.redemption()));
        app.store.begin_redemption(code, new(Start::Becoming(status)), origin).await?
    })
}

/// What follows the transaction: nothing where the address is to be confirmed, otherwise Cognito and the state.
async fn finish(
    app: &App,
    applicant: &Applicant,
    user: Box<User>,
    settings: &Settings,
    origin: &Origin,
) -> Result<Next, Problem> {
    let Some(password) = applicant.password.as_ref().filter(|_| !settings.email_confirmation) else {
        return Ok(Next::after(user.status));
    };
    let owners = match user.identity_due {
        Some(Status::Pending) => app.store.owners_to_notify(settings).await?,
        _ => Vec::new(),
    };
    Ok(enrolled(complete(&app.store, &app.identity, user, password, &owners, origin).await?)?)
}

fn enrolled(enrolment: Enrolment) -> Result<Next, RedeemError> {
    match enrolment {
        Enrolment::Done(user) => Ok(Next::after(user.status)),
        Enrolment::PasswordRefused => {
            Err(RedeemError::NotRegistrable(NotRegistrable::Password(vec![Fault::refused_password()])))
        }
        Enrolment::Undone | Enrolment::Taken(_) | Enrolment::NoSuchTeam | Enrolment::Repeated(_) => {
            Err(RedeemError::Unfinished)
        }
    }
}

/// The status of which a known address is told: that of an unknown one.
fn told_of_known(code: &InviteCode, email: &Email, settings: &Settings) -> Status {
    if settings.email_confirmation {
        Status::Unconfirmed
    } else {
        status_on_arrival(settings, email, Role::TeamMember, Some(&code.redemption()))
    }
}

#[cfg(test)]
mod attributes;
#[cfg(test)]
mod known;
#[cfg(test)]
mod model;
#[cfg(test)]
mod races;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod sign_ups;
#[cfg(test)]
mod unknown_codes;
#[cfg(test)]
mod with_password;

#[cfg(test)]
pub(crate) mod tests;
