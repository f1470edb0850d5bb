//! What an invitation comes to: decided from what was read, and only then carried out.
//!
//! One decision for a single invitation, for each row of many, and for rows that are only tried.

use jiff::Timestamp;
use shared::{
    domain::{
        audit::Origin,
        ids::UserId,
        invitation::Invitation,
        organisation::Placement,
        rights,
        settings::Settings,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    http::Problem,
    store::{
        Invited, InvitedElsewhere, Inviting, Places, Placing, Record, Sentinel, Stage, Store, StoreError, Surroundings,
    },
};

use crate::create::{Create, CreateError};

/// An invitation that nothing speaks against.
#[derive(Debug)]
pub(crate) struct Plan {
    new: NewUser,
    places: Places,
    /// Whether whoever invites is told of a known address, or not even that it is known.
    told: bool,
    /// Whose the address is, where whoever invites may not know of the account.
    holder: Option<UserId>,
}

/// The role that `body` asks for, if `caller` may ask for all that it says by itself.
///
/// # Errors
/// [`CreateError`]: a role that is not the caller's to give, or an organisation that is not theirs to choose.
pub(crate) fn may_ask(caller: &User, body: &Create) -> Result<Role, CreateError> {
    let role = body.role.unwrap_or_else(|| rights::role_of_invited(caller));
    if !rights::may_give(caller, role) {
        return Err(CreateError::Role);
    }
    if body.asked.organisation_id.is_some() && !rights::invites_without_bounds(caller) {
        return Err(CreateError::OrganisationNotYours);
    }
    Ok(role)
}

/// An API Owner's invitation to where `placing` says, with the names in `places`; `known` is what the address knows of its account.
pub(crate) fn by_owner(
    caller: &User,
    body: Create,
    (placing, places): (Placing, Places),
    known: Option<&Sentinel>,
    now: Timestamp,
) -> Result<Plan, CreateError> {
    let role = may_ask(caller, &body)?;
    let (placement, places) = if role == Role::ApiOwner {
        let named =
            [("organisation_id", body.asked.organisation_id.is_some()), ("team_ids", !body.asked.team_ids.is_empty())];
        if let Some((field, _)) = named.into_iter().find(|(_, named)| *named) {
            return Err(CreateError::PlaceOfOwner(field));
        }
        (None, Places::default())
    } else {
        match placing {
            Placing::At(placement) => (Some(placement), places),
            Placing::NoSuchOrganisation => return Err(CreateError::NoSuchOrganisation),
            Placing::NoSuchTeam => return Err(CreateError::NoSuchTeam),
        }
    };
    match known {
        Some(known) => Err(taken(known, now)),
        None => Ok(Plan { new: invitee(body, role, placement), places, told: true, holder: None }),
    }
}

/// A Consumer Admin's invitation into teams of their own.
pub(crate) fn by_admin(
    caller: &User,
    body: Create,
    around: Surroundings,
    known: Option<&Sentinel>,
    now: Timestamp,
) -> Result<Plan, CreateError> {
    let role = may_ask(caller, &body)?;
    let team_ids = rights::teams_to_invite_into(caller, &body.asked.team_ids, &around.default_team_id)?;
    // What the caller sees anyway is told; the rest looks like an address that nobody has.
    if let Some(person) = around.person.filter(|person| rights::sees(caller, person)) {
        let waiting = known.map(|known| taken(known, now));
        return Err(waiting.filter(|_| person.status == Status::Invited).unwrap_or(CreateError::EmailTaken));
    }
    if let Some(standing) = around.elsewhere {
        let waits = now < standing.expires_at;
        return Err(if waits { CreateError::Pending(standing.invitation_id) } else { CreateError::EmailTaken });
    }
    let placement = caller.organisation_id.clone().map(|organisation_id| Placement { organisation_id, team_ids });
    let new = invitee(body, role, placement);
    Ok(Plan { new, places: around.places, told: false, holder: known.map(|known| known.user_id.clone()) })
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

/// What is told of a known address, to whoever may know of it.
fn taken(known: &Sentinel, now: Timestamp) -> CreateError {
    match (known.stage, &known.invitation) {
        (Stage::Unfinished, _) => CreateError::Unfinished,
        (Stage::Invited, Some(copy)) if now < copy.expires_at => CreateError::Pending(copy.id.clone()),
        (Stage::Invited | Stage::Unconfirmed | Stage::Settled, _) => CreateError::EmailTaken,
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Made {
    /// The invitation, with the names of its places.
    Now(Box<Invitation>, Places),
    /// An earlier request with the same key made one.
    Before(Record),
}

/// What keeps an invitation that nothing spoke against from being made.
#[derive(Debug)]
pub(crate) enum Kept {
    /// Something speaks against it now.
    Refused(CreateError),
    /// The table could not be written.
    Failed(StoreError),
}

impl From<StoreError> for Kept {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Kept> for Problem {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Refused(error) => error.into(),
            Kept::Failed(error) => error.into(),
        }
    }
}

impl Plan {
    /// Invites. The write holds to all that was read: what changed meanwhile is told as if it had stood there before.
    ///
    /// # Errors
    /// [`Kept`].
    pub(crate) async fn carry_out(
        self,
        store: &Store,
        caller: &User,
        settings: &Settings,
        origin: &Origin,
    ) -> Result<Made, Kept> {
        let Self { new, places, told, holder } = self;
        let inviting = Inviting { by: Some(caller), places: &places, life: settings.invitation_life() };
        let holder = if let Some(holder) = holder {
            holder
        } else {
            match store.invite(new.clone(), &inviting, origin).await? {
                Invited::Done(invitation) => return Ok(Made::Now(invitation, places)),
                Invited::Repeated(record) => return Ok(Made::Before(record)),
                Invited::NoSuchTeam => return Err(Kept::Refused(CreateError::NoSuchTeam)),
                Invited::Taken(known) if told => return Err(Kept::Refused(taken(&known, origin.now))),
                // Somebody took the address a moment ago: whether the caller may see who, the same request finds out
                // anew.
                Invited::Taken(known) if known.stage == Stage::Invited => {
                    return Err(Kept::Refused(CreateError::Overtaken));
                }
                Invited::Taken(known) => known.user_id,
            }
        };
        match store.invite_elsewhere(new, &holder, &inviting, origin).await? {
            InvitedElsewhere::Done(invitation) => Ok(Made::Now(invitation, places)),
            InvitedElsewhere::Repeated(record) => Ok(Made::Before(record)),
            InvitedElsewhere::Overtaken => Err(Kept::Refused(CreateError::Overtaken)),
            InvitedElsewhere::NoSuchTeam => Err(Kept::Refused(CreateError::NoSuchTeam)),
        }
    }
}
