//! `POST /v1/invitations`: invites one person, by mail.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        audit::{Actor, Origin},
        email::Email,
        ids::{InvitationId, OrganisationId, TeamId},
        name::Name,
        organisation::Placement,
        rights::{self, Action, NotYourTeams, Why, decide},
        user::{NewUser, Role, Source, Start, Status, User},
    },
    http::{
        Created, FieldFault, Fields, FromFields, IdempotencyKey, Payload, Problem, RequestId, Session, admit, choice,
        items, text,
    },
    store::{Asked, InviteFacts, Invited, InvitedElsewhere, Inviting, Places, Placing, Sentinel, Stage},
};

use crate::{
    App,
    view::{InvitationBody, created, created_before, invitation_pending, or_created_before, unknown_team},
};

/// The most teams that a person is put into at once.
const MAX_TEAMS: usize = 20;

/// Who is invited, as what, and where.
#[derive(Debug)]
pub struct Create {
    asked: Asked,
    first_name: Name,
    last_name: Name,
    role: Option<Role>,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", text(Email::parse));
        let first_name = fields.required("first_name", text(Name::parse));
        let last_name = fields.required("last_name", text(Name::parse));
        let role = fields.optional("role", choice(Role::parse));
        let no_team = || Fault::new("unknown_team", "The organisation has no such team.");
        let team_ids = fields.optional("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(no_team)));
        let organisation_id = fields.optional("organisation_id", choice(OrganisationId::parse));
        let mut each_once = Vec::new();
        for team in team_ids.unwrap_or_default() {
            if !each_once.contains(&team) {
                each_once.push(team);
            }
        }
        let asked = Asked { email: email?, organisation_id, team_ids: each_once };
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
            CreateError::NoSuchOrganisation => {
                fault("organisation_id", "unknown_organisation", "There is no such organisation.")
            }
            CreateError::NoSuchTeam => unknown_team(),
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
    let role = body.role.unwrap_or_else(|| rights::role_of_invited(&caller));
    if !rights::may_give(&caller, role) {
        return Err(CreateError::Role.into());
    }
    let created = if rights::invites_without_bounds(&caller) {
        by_owner(&app, &caller, &facts, body, role, &origin).await
    } else {
        by_admin(&app, &caller, &facts, body, role, &origin).await
    };
    or_created_before(&app, &caller, created, &origin).await
}

fn invitee(body: Create, role: Role, placement: Option<Placement>) -> NewUser {
    NewUser {
        email: body.asked.email,
        first_name: body.first_name,
        last_name: body.last_name,
        role,
        placement,
        source: Source::Invitation,
        start: Start::As(Status::Invited),
    }
}

async fn by_owner(
    app: &App,
    caller: &User,
    facts: &InviteFacts,
    body: Create,
    role: Role,
    origin: &Origin,
) -> Result<Created<InvitationBody>, Problem> {
    let (placement, places) = if role == Role::ApiOwner {
        let named =
            [("organisation_id", body.asked.organisation_id.is_some()), ("team_ids", !body.asked.team_ids.is_empty())];
        if let Some((field, _)) = named.into_iter().find(|(_, named)| *named) {
            return Err(CreateError::PlaceOfOwner(field).into());
        }
        (None, Places::default())
    } else {
        match app.store.invited_place(facts, &body.asked).await? {
            (Placing::At(placement), places) => (Some(placement), places),
            (Placing::NoSuchOrganisation, _) => return Err(CreateError::NoSuchOrganisation.into()),
            (Placing::NoSuchTeam, _) => return Err(CreateError::NoSuchTeam.into()),
        }
    };
    if let Some(known) = &facts.known {
        return Err(taken(known, origin).into());
    }
    let inviting = Inviting { by: Some(caller), places: &places, life: facts.settings.invitation_life() };
    match app.store.invite(invitee(body, role, placement), &inviting, origin).await? {
        Invited::Done(invitation) => Ok(created(caller, *invitation, &places)),
        Invited::Repeated(record) => created_before(app, caller, record, origin).await,
        Invited::Taken(known) => Err(taken(&known, origin).into()),
        Invited::NoSuchTeam => Err(CreateError::NoSuchTeam.into()),
    }
}

/// What an API Owner is told of a known address.
fn taken(known: &Sentinel, origin: &Origin) -> CreateError {
    match (known.stage, &known.invitation) {
        (Stage::Unfinished, _) => CreateError::Unfinished,
        (Stage::Invited, Some(copy)) if origin.now < copy.expires_at => CreateError::Pending(copy.id.clone()),
        (Stage::Invited | Stage::Unconfirmed | Stage::Settled, _) => CreateError::EmailTaken,
    }
}

async fn by_admin(
    app: &App,
    caller: &User,
    facts: &InviteFacts,
    body: Create,
    role: Role,
    origin: &Origin,
) -> Result<Created<InvitationBody>, Problem> {
    if body.asked.organisation_id.is_some() {
        return Err(CreateError::OrganisationNotYours.into());
    }
    let around = app.store.surroundings(caller, facts, &body.asked.email).await?;
    let team_ids = rights::teams_to_invite_into(caller, &body.asked.team_ids, &around.default_team_id);
    let team_ids = team_ids.map_err(CreateError::from)?;
    // What the caller sees anyway is told; the rest looks like an address that nobody has.
    if let Some(person) = around.person.filter(|person| rights::sees(caller, person)) {
        let waiting = facts.known.as_ref().map(|known| taken(known, origin));
        return Err(waiting.filter(|_| person.status == Status::Invited).unwrap_or(CreateError::EmailTaken).into());
    }
    if let Some(standing) = around.elsewhere {
        let waits = origin.now < standing.expires_at;
        return Err(if waits { CreateError::Pending(standing.invitation_id) } else { CreateError::EmailTaken }.into());
    }
    let placement = caller.organisation_id.clone().map(|organisation_id| Placement { organisation_id, team_ids });
    let new = invitee(body, role, placement);
    let inviting = Inviting { by: Some(caller), places: &around.places, life: facts.settings.invitation_life() };
    let holder = if let Some(known) = &facts.known {
        known.user_id.clone()
    } else {
        match app.store.invite(new.clone(), &inviting, origin).await? {
            Invited::Done(invitation) => return Ok(created(caller, *invitation, &around.places)),
            Invited::Repeated(record) => return created_before(app, caller, record, origin).await,
            Invited::NoSuchTeam => return Err(CreateError::NoSuchTeam.into()),
            // Somebody took the address a moment ago: whether the caller may see who, the same request finds out anew.
            Invited::Taken(known) if known.stage == Stage::Invited => return Err(CreateError::Overtaken.into()),
            Invited::Taken(known) => known.user_id,
        }
    };
    match app.store.invite_elsewhere(new, &holder, &inviting, origin).await? {
        InvitedElsewhere::Done(invitation) => Ok(created(caller, *invitation, &around.places)),
        InvitedElsewhere::Repeated(record) => created_before(app, caller, record, origin).await,
        InvitedElsewhere::Overtaken => Err(CreateError::Overtaken.into()),
        InvitedElsewhere::NoSuchTeam => Err(CreateError::NoSuchTeam.into()),
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
