//! How codes are shown, and how the code of a path is found.

use jiff::Timestamp;
use serde::Serialize;
use shared::{
    domain::{
        email::MailDomain,
        ids::UserId,
        invite_code::{Code, CodeState, FoldedCode, InviteCode, Note},
        rights::{Action, decide},
        user::User,
    },
    http::{Instant, PlaceBody, Problem, Session, admit},
    store::Places,
};
use utoipa::ToSchema;

use crate::App;

/// A code, as API Owners see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InviteCode)]
pub struct CodeBody {
    code: Code,
    team: Option<PlaceBody>,
    organisation: Option<PlaceBody>,
    /// How many may redeem it; `null` is any number.
    quota: Option<u32>,
    /// How many have, those included who have still to confirm.
    used: u64,
    /// How many more may; `null` is any number.
    remaining: Option<u64>,
    expires_at: Option<Instant>,
    /// Whether it is switched on. `state` says whether it lets people in.
    active: bool,
    /// Whether it lets people in without a decision.
    auto_approve: bool,
    state: CodeState,
    note: Option<Note>,
    /// Whose addresses may redeem it; none means everybody.
    allowed_email_domains: Vec<MailDomain>,
    created_by: UserId,
    created_at: Instant,
}

impl CodeBody {
    /// `code` as it stands at `now`. Without its team it lets nobody in, whatever else it says.
    pub(crate) fn new(code: InviteCode, places: &Places, now: Timestamp) -> Self {
        let team = PlaceBody::team(&code.team_id, places);
        let state = if team.is_some() { code.state(now) } else { CodeState::Inactive };
        Self {
            organisation: PlaceBody::organisation(&code.organisation_id, places),
            remaining: code.remaining(),
            state,
            team,
            quota: code.quota,
            used: code.used,
            expires_at: code.expires_at.map(Instant),
            active: code.active,
            auto_approve: code.auto_approve,
            note: code.note,
            allowed_email_domains: code.allowed_email_domains,
            created_by: code.created_by,
            created_at: Instant(code.created_at),
            code: code.code,
        }
    }

    /// Whether the code lets people in, and why not.
    pub(crate) fn state(&self) -> CodeState {
        self.state
    }
}

/// Looks up the names that one code is shown with and shows it.
pub(crate) async fn shown(app: &App, code: InviteCode, now: Timestamp) -> Result<CodeBody, Problem> {
    let mut places = Places::default();
    app.store.complete_places_of_codes(&mut places, std::slice::from_ref(&code)).await?;
    Ok(CodeBody::new(code, &places, now))
}

/// Lets the caller in and finds the code that a path names. Who may not manage codes does not learn which there are.
pub(crate) async fn find(app: &App, session: &Session, path: &str) -> Result<(User, Option<InviteCode>), Problem> {
    let (caller, code) = app.store.caller_and_code(&session.user_id, FoldedCode::of(path).as_ref()).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::ManageInviteCodes)?;
    Ok((caller, code))
}
