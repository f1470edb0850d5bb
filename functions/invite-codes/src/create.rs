//! `POST /v1/invite-codes`: creates a code, a chosen one or one that is drawn.

use axum::extract::State;
use jiff::Timestamp;
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        email::MailDomain,
        ids::{InviteCodeId, TeamId},
        invite_code::{Code, HIGHEST_QUOTA, InviteCode, MAX_DOMAINS, Note},
        organisation::Team,
        rights::{Action, decide},
        user::User,
    },
    http::{
        Created, FieldFault, Fields, IdempotencyKey, Instant, Payload, Problem, RequestId, Session, admit, boolean,
        instant, integer, items, recall, text,
    },
    store::CodeCreation,
};
use utoipa::ToSchema;

use crate::{
    App,
    view::{CodeBody, shown},
};

/// How often another code is drawn because there is one that reads the same: with 80 random bits hardly ever once.
const MAX_DRAWS: usize = 5;

/// The code to be.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = CreateInviteCode)]
pub struct Create {
    /// The team that people get into.
    team_id: TeamId,
    /// How many may redeem it; without a quota, anybody who has it.
    #[schema(minimum = 1, maximum = 1_000_000)]
    quota: Option<u32>,
    /// When it ends, later than now; without an expiry, never.
    #[schema(value_type = Option<Instant>)]
    expires_at: Option<Timestamp>,
    /// Whether it lets people in.
    #[schema(required = false, default = true)]
    active: bool,
    /// Whether it stands for the approval of whoever redeems it.
    #[schema(required = false, default = true)]
    auto_approve: bool,
    /// The code itself; without one, one is drawn.
    code: Option<Code>,
    /// What API Owners want to know of it.
    note: Option<Note>,
    /// The domains of addresses that may redeem it; empty, any.
    #[schema(required = false, max_items = 50)]
    allowed_email_domains: Vec<MailDomain>,
}

impl Create {
    /// Reads the body; an expiry lies after `now`.
    fn read(fields: &mut Fields, now: Timestamp) -> Option<Self> {
        let team_id = fields.required("team_id", text(|id| TeamId::parse(id).ok_or_else(no_such_team)));
        let quota = fields.optional("quota", integer(1, HIGHEST_QUOTA));
        let expires_at = fields.optional("expires_at", |value| match instant(value)? {
            at if at <= now => Err(Fault::new("in_the_past", "This instant is over already.")),
            at => Ok(at),
        });
        let active = fields.optional("active", boolean).unwrap_or(true);
        let auto_approve = fields.optional("auto_approve", boolean).unwrap_or(true);
        let code = fields.optional("code", text(Code::parse));
        let note = fields.optional("note", text(Note::parse));
        let domains = fields.optional("allowed_email_domains", items(MAX_DOMAINS, MailDomain::parse));
        let mut allowed_email_domains: Vec<MailDomain> = Vec::new();
        for domain in domains.unwrap_or_default() {
            if !allowed_email_domains.contains(&domain) {
                allowed_email_domains.push(domain);
            }
        }
        Some(Self { team_id: team_id?, quota, expires_at, active, auto_approve, code, note, allowed_email_domains })
    }

    /// The row of it, with `code` as its text.
    fn row(&self, id: InviteCodeId, code: Code, team: &Team, caller: &User, now: Timestamp) -> InviteCode {
        InviteCode {
            id,
            code,
            team_id: team.id.clone(),
            organisation_id: team.organisation_id.clone(),
            quota: self.quota,
            used: 0,
            expires_at: self.expires_at,
            active: self.active,
            auto_approve: self.auto_approve,
            note: self.note.clone(),
            allowed_email_domains: self.allowed_email_domains.clone(),
            created_by: caller.id.clone(),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

fn no_such_team() -> Fault {
    Fault::new("unknown_team", "There is no such team.")
}

/// Why no code is created.
#[derive(Debug)]
pub enum CreateError {
    /// There is no such team.
    NoSuchTeam,
    /// There is a code that reads the same.
    Taken,
    /// Every code that was drawn is there already.
    NoneFree,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::NoSuchTeam => Self::validation(&[FieldFault::new("team_id", no_such_team())]),
            CreateError::Taken => {
                let detail = "There is a code that reads the same, but for case, hyphens and look-alikes.";
                Self::conflict("invite-code-taken", "Invite code taken", detail)
            }
            CreateError::NoneFree => Self::try_again(1),
        }
    }
}

/// Creates a code into a team.
#[utoipa::path(
    post, path = "/v1/invite-codes",
    params(IdempotencyKey), request_body = Create,
    responses(
        (status = 201, description = "The code.", body = CodeBody,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage codes."),
        (status = 409, description = "`invite-code-taken`: there is a code that reads the same."),
    ),
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<CodeBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let (caller, record) = app.store.caller_and_record(&session.user_id, wish.sought()).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::ManageInviteCodes)?;
    let origin = request.origin(Actor::User(caller.id.clone()), now).repeatable(wish.granted()?);
    let (code, replayed) = if let Some(record) = record {
        (recall(&app.store, record, &origin).await?, true)
    } else {
        let body = payload.read_with(|fields| Create::read(fields, now))?;
        let team = app.store.team_of_code(&body.team_id).await?.ok_or(CreateError::NoSuchTeam)?;
        write(&app, &body, &team, &caller, &origin).await?
    };
    let (location, version) = (format!("/v1/invite-codes/{}", code.code.as_str()), code.version);
    // Shown as it stood when it was created, also where that is a while ago.
    let created_at = code.created_at;
    Ok(Created::at(location, shown(&app, code, created_at).await?).version(version).replayed(replayed))
}

/// Writes the chosen code, or draws one until it is free. Also tells whether another request was there first.
async fn write(
    app: &App,
    body: &Create,
    team: &Team,
    caller: &User,
    origin: &Origin,
) -> Result<(InviteCode, bool), Problem> {
    for _ in 0..MAX_DRAWS {
        let id = InviteCodeId::new(origin.now, app.random.number());
        let text = body.code.clone().unwrap_or_else(|| Code::generated(app.random.number()));
        let code = body.row(id, text, team, caller, origin.now);
        match app.store.create_invite_code(&code, origin).await? {
            CodeCreation::Done => return Ok((code, false)),
            CodeCreation::Repeated(record) => return Ok((recall(&app.store, record, origin).await?, true)),
            CodeCreation::NoSuchTeam => return Err(CreateError::NoSuchTeam.into()),
            CodeCreation::Taken if body.code.is_some() => return Err(CreateError::Taken.into()),
            CodeCreation::Taken => {}
        }
    }
    Err(CreateError::NoneFree.into())
}

#[cfg(test)]
pub(crate) mod tests;
