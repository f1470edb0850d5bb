//! `POST /v1/invite-codes/redeem`: registers a person with a slot of an invite code, or mails the holder of a known
//! address.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{
        Fault,
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
    let body: Redeem = payload.read()?;
    let origin = request.origin(Actor::Visitor, app.clock.now());
    let facts = app.store.redemption_facts(body.code.as_ref(), &body.applicant.email, &source).await?;
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
            Redeemed::Mailed => return Ok(next_of_known(&code, &facts.settings)),
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
        app.store.begin_redemption(code, new(Start::Becoming(code.redemption().leads_to())), origin).await?
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
fn next_of_known(code: &InviteCode, settings: &Settings) -> Next {
    Next::after(if settings.email_confirmation { Status::Unconfirmed } else { code.redemption().leads_to() })
}

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
pub(crate) mod tests {
    use harness::{Bench, CODE, Reply, Sample, email};
    use serde_json::{Value, json};
    use shared::domain::{organisation::Placement, user::Role};

    use super::*;
    use crate::router;

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
    }

    pub(crate) fn body(code: &str, address: &str) -> Value {
        json!({"code": code, "email": address, "first_name": "Ada", "last_name": "Lovelace"})
    }

    pub(crate) async fn send(bench: &Bench, body: &Value) -> Reply {
        Sample::of("redeem-code-redeem").body(body).send(router(app(bench))).await
    }

    pub(crate) async fn redeem(bench: &Bench, code: &str, address: &str) -> Reply {
        send(bench, &body(code, address)).await
    }

    /// The account behind an address.
    pub(crate) async fn known(bench: &Bench, address: &str) -> Option<Sentinel> {
        bench.store.registration_facts(&email(address)).await.unwrap().known
    }

    pub(crate) async fn person(bench: &Bench, address: &str) -> User {
        bench.read(&known(bench, address).await.unwrap().user_id).await
    }

    #[tokio::test]
    async fn who_redeems_a_code_takes_a_slot_and_waits_for_confirmation_in_its_team() {
        let bench = Bench::new().await;
        let (acme, teams) = bench.organisation("Acme", 2).await;
        let (organisation_id, team_id) = (acme.clone(), teams[2].clone());
        let code = bench
            .invite_code(CODE, |code| {
                (code.organisation_id, code.team_id, code.quota) = (organisation_id, team_id, Some(3));
            })
            .await;

        let reply = redeem(&bench, CODE, "Ada@Example.com").await;

        assert_eq!((reply.status, &reply.body), (202, &json!({"next": "confirm_email"})));
        let user = person(&bench, "ada@example.com").await;
        assert_eq!((user.status, user.role, user.source), (Status::Unconfirmed, Role::TeamMember, CameBy::InviteCode));
        let place = Placement { organisation_id: acme, team_ids: vec![teams[2].clone()] };
        assert_eq!((user.organisation_id, user.team_ids), (Some(place.organisation_id), place.team_ids));
        assert_eq!(user.redemption, Some(code.redemption()));
        assert_eq!(bench.used(CODE).await, 1);
        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
    }

    #[tokio::test]
    async fn a_code_is_read_however_it_is_typed() {
        let bench = Bench::new().await;
        bench.invite_code("OIL-RIG-2026", |_| {}).await;

        for (number, typed) in ["oil-rig-2026", " 0IL RIG 2026 ", "o1l-r1g-2o26"].into_iter().enumerate() {
            let reply = redeem(&bench, typed, &format!("person-{number}@example.com")).await;
            assert_eq!(reply.status, 202, "{typed}: {reply:?}");
        }
        assert_eq!(bench.used("OIL-RIG-2026").await, 3);
    }

    #[tokio::test]
    async fn redeeming_takes_one_batch_and_one_transaction_of_sixteen_units() {
        let bench = Bench::new().await;
        let (acme, teams) = bench.organisation("Acme", 0).await;
        let team_id = teams[0].clone();
        bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme, team_id)).await;
        bench.invite_code("DEFAULT-TEAM", |_| {}).await;

        let (reply, calls) = bench.calls(redeem(&bench, CODE, "ada@example.com")).await;
        let (of_default, default_calls) = bench.calls(redeem(&bench, "DEFAULT-TEAM", "grace@example.com")).await;

        assert_eq!((reply.status, of_default.status), (202, 202));
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!((harness::write_units(&calls), harness::write_units(&default_calls)), (16, 14));
    }

    #[tokio::test]
    async fn a_code_works_while_registration_is_closed() {
        let bench = Bench::new().await;
        bench.invite_code(CODE, |_| {}).await;
        bench.set(|settings| settings.self_registration = false).await;

        assert_eq!(redeem(&bench, CODE, "ada@example.com").await.status, 202);
    }

    #[tokio::test]
    async fn the_audit_tells_of_code_and_person_by_their_ids_alone() {
        let bench = Bench::new().await;
        let code = bench.invite_code(CODE, |_| {}).await;

        let reply = redeem(&bench, CODE, "ada@example.com").await;

        let user = person(&bench, "ada@example.com").await;
        let mut events = bench.rows_in("AUDIT#").await;
        events.retain(|event| event["request_id"] == reply.headers["x-request-id"]);
        events.sort_by_key(|event| event["action"].as_str().map(str::to_owned));
        let told: Vec<_> = events.iter().map(|event| (&event["action"], &event["target"])).collect();
        let (redeemed, created) = (json!("invite_code.redeemed"), json!("registration.created"));
        assert_eq!(told, [(&redeemed, &json!(code.id)), (&created, &json!(user.id))]);
        let events = json!(events).to_string().to_lowercase();
        assert!(["spring", "ada", "lovelace", "example.com"].into_iter().all(|word| !events.contains(word)));
    }

    #[tokio::test]
    async fn a_lost_answer_takes_no_second_slot() {
        let bench = Bench::new().await;
        bench.invite_code(CODE, |_| {}).await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", harness::Fault::dropped().after());

        let reply = redeem(&bench, CODE, "ada@example.com").await;

        assert_eq!((reply.status, bench.used(CODE).await), (202, 1));
        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration"]);
    }

    #[tokio::test]
    async fn who_repeats_after_a_crash_has_one_account_and_one_slot() {
        let bench = Bench::new().await;
        bench.invite_code(CODE, |_| {}).await;
        let lost = harness::Fault::refused("AccessDeniedException", "instead of the answer").after();
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);

        let first = redeem(&bench, CODE, "ada@example.com").await;
        let again = redeem(&bench, CODE, "ada@example.com").await;

        assert_eq!((first.status, again.status), (500, 202));
        assert_eq!((bench.used(CODE).await, bench.rows_in("USER#").await.len()), (1, 1));
    }

    #[tokio::test]
    async fn contention_is_waited_out_and_in_the_end_told() {
        let bench = Bench::new().await;
        bench.invite_code(CODE, |_| {}).await;
        let conflict = harness::Fault::conflict;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", conflict().times(3));
        assert_eq!(redeem(&bench, CODE, "ada@example.com").await.status, 202);

        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", conflict().times(9));
        let reply = redeem(&bench, CODE, "grace@example.com").await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert_eq!(bench.used(CODE).await, 1);
    }
}
