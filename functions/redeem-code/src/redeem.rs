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
        organisation::Placement,
        settings::Settings,
        source::SourceAddress,
        user::{Source as CameBy, Start, Status, User},
    },
    enrolment::{Enrolment, complete},
    http::{Applicant, FieldFault, Fields, FromFields, Next, Payload, Problem, RequestId, Source, secret},
    store::{Attempt, Redeemed, RedemptionFacts, Sentinel, Stage},
};

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

/// Why nobody is registered.
#[derive(Debug)]
pub enum RedeemError {
    /// There is no such code.
    Unknown,
    /// Too many unknown codes came from this source; something is let through again after so many seconds.
    TooManyUnknown(u32),
    /// The code is switched off, or its team is gone.
    Inactive,
    /// The code's time is over.
    Expired,
    /// The code's quota is used up.
    Exhausted,
    /// The code lets in addresses of other domains alone.
    DomainNotAllowed,
    /// The confirmation cannot be mailed: no sender is set.
    NoSender,
    /// The password is chosen at the confirmation, not here.
    PasswordNotYet,
    /// Without a confirmation the password is chosen here.
    PasswordMissing,
    /// The password cannot be used.
    Password(Vec<Fault>),
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
            RedeemError::TooManyUnknown(seconds) => Self::rate_limited(seconds),
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
            RedeemError::NoSender => Self::mail_not_configured(),
            RedeemError::PasswordNotYet => Self::password_not_yet(),
            RedeemError::PasswordMissing => Self::password_missing(),
            RedeemError::Password(faults) => Self::password("password", faults),
            RedeemError::Unfinished => Self::try_again(1),
        }
    }
}

/// Registers a person as a Team Member in the code's team, or mails the holder of a known address. The answer does not
/// tell which. Whether the registration form is open does not matter: who has a code was let in by an API Owner.
pub async fn redeem(
    State(app): State<App>,
    Source(source): Source,
    request: RequestId,
    payload: Payload,
) -> Result<(StatusCode, Json<Next>), Problem> {
    let mut fields = payload.fields()?;
    let read = Redeem::read(&mut fields);
    let (code, email) = read.as_ref().map(|read| (read.code.as_ref(), &read.applicant.email)).unzip();
    let facts = app.store.redemption_facts(code.flatten(), email, &source).await?;
    let origin = request.origin(Actor::Visitor, app.clock.now());
    let (mut body, attributes) = fields.sign_up(read, &facts.attributes)?;
    body.applicant.attributes = attributes;
    let next = match &facts.code {
        Some(code) => with_code(&app, &body.applicant, code.clone(), &facts, &origin).await?,
        None => return Err(unknown(&app, &source, &facts, &origin).await?.into()),
    };
    Ok((StatusCode::ACCEPTED, Json(next)))
}

/// Counts an unknown code. A known one is served however many unknown ones came before it.
async fn unknown(
    app: &App,
    source: &SourceAddress,
    facts: &RedemptionFacts,
    origin: &Origin,
) -> Result<RedeemError, Problem> {
    let most = facts.settings.throttles.unknown_codes;
    Ok(match app.store.count_unknown_code(source, facts.unknown_codes, most, origin.now).await? {
        Attempt::Counted => RedeemError::Unknown,
        Attempt::Refused(window) => RedeemError::TooManyUnknown(window.seconds_left(origin.now)),
    })
}

/// Decides by the code as it was read and writes under that condition; where somebody changed it meanwhile, by what
/// stands there now.
async fn with_code(
    app: &App,
    applicant: &Applicant,
    code: InviteCode,
    facts: &RedemptionFacts,
    origin: &Origin,
) -> Result<Next, Problem> {
    let (mut code, mut known) = (code, facts.known.clone());
    for _ in 0..MAX_TRIES {
        admit(app, &code, &applicant.email, origin).await?;
        check_password(applicant, &facts.settings)?;
        match write(app, applicant, &code, known.as_ref(), &facts.settings, origin).await? {
            Redeemed::New(user) => return finish(app, applicant, user, &facts.settings, origin).await,
            Redeemed::Mailed => return Ok(next_of_known(&code, &applicant.email, &facts.settings)),
            Redeemed::Taken(taken) => known = Some(taken),
            Redeemed::CodeChanged(Some(now)) => code = *now,
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

/// Holds the password to where it is chosen: here, or at the confirmation.
fn check_password(applicant: &Applicant, settings: &Settings) -> Result<(), RedeemError> {
    match (&applicant.password, settings.email_confirmation) {
        (Some(_), true) => Err(RedeemError::PasswordNotYet),
        (None, true) if settings.sender.is_none() => Err(RedeemError::NoSender),
        (None, true) => Ok(()),
        (None, false) => Err(RedeemError::PasswordMissing),
        (Some(password), false) => {
            let faults = settings.password_policy.check(password, applicant.holder());
            if faults.is_empty() { Ok(()) } else { Err(RedeemError::Password(faults)) }
        }
    }
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
        return Ok(app.store.redeem_known(code, &applicant.email, known, origin).await?);
    }
    let place = Placement { organisation_id: code.organisation_id.clone(), team_ids: vec![code.team_id.clone()] };
    let new = |start| applicant.clone().team_member(place, CameBy::InviteCode, start);
    Ok(if settings.email_confirmation {
        app.store.redeem(code, new(Start::As(Status::Unconfirmed)), origin).await?
    } else {
        let status = status_on_arrival(settings, &applicant.email, Some(&code.redemption()));
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
    match complete(&app.store, &app.identity, user, password, &owners, origin).await? {
        Enrolment::Done(user) => Ok(Next::after(user.status)),
        Enrolment::PasswordRefused => Err(RedeemError::Password(vec![Fault::refused_password()]).into()),
        Enrolment::Undone | Enrolment::Taken(_) | Enrolment::NoSuchTeam => Err(RedeemError::Unfinished.into()),
    }
}

/// The answer to a known address: that of an unknown one.
fn next_of_known(code: &InviteCode, email: &Email, settings: &Settings) -> Next {
    Next::after(if settings.email_confirmation {
        Status::Unconfirmed
    } else {
        status_on_arrival(settings, email, Some(&code.redemption()))
    })
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
mod unknown_codes;
#[cfg(test)]
mod with_password;

#[cfg(test)]
pub(crate) mod tests;
