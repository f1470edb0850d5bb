//! `POST /v1/invitations`: invites one person, by mail.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        each_once,
        email::Email,
        ids::{InvitationId, OrganisationId, TeamId},
        name::Name,
        organisation::MAX_TEAMS,
        rights::{self, Action, NotYourTeams, Why, decide},
        user::{Role, User},
    },
    http::{
        Created, FieldFault, Fields, FromFields, IdempotencyKey, Payload, Problem, RequestId, Session, admit, choice,
        items, text,
    },
    store::{Asked, InviteFacts},
};
use utoipa::ToSchema;

use crate::{
    App,
    plan::{self, Made},
    view::{InvitationBody, created, created_before, invitation_pending, or_created_before},
};

/// Who is invited, as what, and where.
#[derive(Debug, ToSchema)]
#[schema(as = CreateInvitation)]
#[expect(dead_code, reason = "written down, not read: what is looked up stands together")]
pub(crate) struct CreateBody {
    /// Their address.
    email: Email,
    /// First name.
    first_name: Name,
    /// Last name.
    last_name: Name,
    /// What they are to be; by default a Consumer Admin where an API Owner invites, else a Team Member.
    role: Option<Role>,
    /// Their teams; without any, the organisation's default team.
    #[schema(max_items = 20)]
    team_ids: Option<Vec<TeamId>>,
    /// Their organisation, by an API Owner; without one, the default one.
    organisation_id: Option<OrganisationId>,
}

/// Who is invited, as what, and where: as it is read.
#[derive(Debug)]
pub struct Create {
    pub(crate) asked: Asked,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) role: Option<Role>,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let role = fields.optional("role", choice(Role::parse));
        let team_ids =
            fields.optional("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(Fault::no_such_team)));
        let organisation_id = fields.optional("organisation_id", choice(OrganisationId::parse));
        let asked = Asked { email: email?, organisation_id, team_ids: each_once(team_ids.unwrap_or_default()) };
        Some(Self { asked, first_name: first_name?, last_name: last_name?, role })
    }
}

/// Why nobody is invited.
#[derive(Debug)]
pub enum CreateError {
    /// Consumer Admins' invitations are switched off.
    Closed,
    /// No sender is set.
    NoSender,
    /// The caller may see that the address has an account.
    EmailTaken,
    /// The caller may see that an invitation waits.
    Pending(InvitationId),
    /// The account behind the address is just being set up.
    Unfinished,
    /// Somebody invited the address at the same moment, where the caller may see it.
    Overtaken,
    /// The caller may not give this role.
    Role,
    /// The caller may not choose the organisation.
    OrganisationNotYours,
    /// API Owners have no organisation and no teams.
    PlaceOfOwner(&'static str),
    /// There is no such organisation.
    NoSuchOrganisation,
    /// The organisation has no such team, or it is not the caller's.
    NoSuchTeam,
    /// The caller is not in the default team, so the teams have to be named.
    TeamsMissing,
    /// Strangers meet in that team: nobody is invited into it by one of them.
    TeamOfStrangers,
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        let fault = |field, code, detail: &str| Self::validation(&[FieldFault::new(field, Fault::new(code, detail))]);
        match error {
            CreateError::Closed => invitations_closed(),
            CreateError::NoSender => Self::mail_not_configured(),
            CreateError::EmailTaken => Self::email_taken(),
            CreateError::Pending(id) => invitation_pending(&id),
            CreateError::Unfinished | CreateError::Overtaken => Self::try_again(1),
            CreateError::Role => fault("role", "not_allowed", "Only an API Owner invites API Owners."),
            CreateError::OrganisationNotYours => {
                fault("organisation_id", "not_allowed", "People are invited to your own organisation; leave this out.")
            }
            CreateError::PlaceOfOwner(field) => {
                fault(field, "not_allowed", "API Owners have no organisation and no teams.")
            }
            CreateError::NoSuchOrganisation => Self::unknown_organisation(),
            CreateError::NoSuchTeam => Self::unknown_team(),
            CreateError::TeamsMissing => fault("team_ids", "required", "Name one or more of your teams."),
            CreateError::TeamOfStrangers => Self::forbidden(Why::TeamOfStrangers),
        }
    }
}

impl From<NotYourTeams> for CreateError {
    fn from(why: NotYourTeams) -> Self {
        match why {
            NotYourTeams::OfStrangers => Self::TeamOfStrangers,
            NotYourTeams::NotYours => Self::NoSuchTeam,
            NotYourTeams::Unnamed => Self::TeamsMissing,
        }
    }
}

/// 403: Consumer Admins' invitations are switched off.
pub(crate) fn invitations_closed() -> Problem {
    let detail = "Inviting is switched off for API Consumer Admins.";
    Problem::refused("invitations-closed", "Invitations are switched off", detail)
}

/// Invites a person: an API Owner anywhere and as anything, a Consumer Admin into their own teams. The invited person
/// is there at once, without a password.
#[utoipa::path(
    post, path = "/v1/invitations",
    params(IdempotencyKey), request_body = CreateBody,
    responses(
        (status = 201, description = "The invitation.", body = InvitationBody),
        (status = 403, description = "`forbidden`: only API Owners and Consumer Admins invite, these not where strangers meet. \
            `invitations-closed`: inviting is switched off for Consumer Admins."),
        (status = 409, description = "`email-taken`: there is an account with this address. \
            `invitation-pending`: an invitation of this address waits, `invitation_id`. \
            `mail-not-configured`: no sender is set."),
        (status = 410, description = "`created-and-deleted`: what an earlier request with this key created is deleted."),
    ),
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<InvitationBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    // What the body names is looked up together with the caller; its faults are told only to those who may invite.
    let body: Result<Create, Problem> = payload.read();
    let asked = body.as_ref().ok().map(|body| &body.asked);
    let mut facts = app.store.invite_facts(&session.user_id, asked, wish.sought()).await?;
    let caller = admit(&session, facts.caller.take())?;
    decide(&caller, Action::Invite)?;
    if !rights::may_invite_now(&caller, &facts.settings) {
        return Err(CreateError::Closed.into());
    }
    let origin = request.origin(Actor::User(caller.id.clone()), now).repeatable(wish.granted()?);
    if let Some(record) = facts.record.take() {
        return created_before(&app, &caller, record, &origin).await;
    }
    let body = body?;
    if facts.settings.sender.is_none() {
        return Err(CreateError::NoSender.into());
    }
    let created = invite(&app, &caller, &facts, body, &origin).await;
    or_created_before(&app, &caller, created, &origin).await
}

async fn invite(
    app: &App,
    caller: &User,
    facts: &InviteFacts,
    body: Create,
    origin: &Origin,
) -> Result<Created<InvitationBody>, Problem> {
    let plan = if rights::invites_without_bounds(caller) {
        let placed = app.store.invited_place(facts, &body.asked).await?;
        plan::by_owner(caller, body, placed, facts.known.as_ref(), origin.now)?
    } else {
        // What needs no look at the surroundings is refused without one.
        plan::may_ask(caller, &body)?;
        let around = app.store.surroundings(caller, facts, &body.asked.email).await?;
        plan::by_admin(caller, body, around, facts.known.as_ref(), origin.now)?
    };
    match plan.carry_out(&app.store, caller, &facts.settings, origin).await? {
        Made::Now(invitation, places) => Ok(created(caller, *invitation, &places)),
        Made::Before(record) => created_before(app, caller, record, origin).await,
    }
}

#[cfg(test)]
mod by_admins;
#[cfg(test)]
mod races;
#[cfg(test)]
mod repeats;

#[cfg(test)]
pub(crate) mod tests;
