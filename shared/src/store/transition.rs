//! Approving, rejecting, reopening, switching on and off: one transaction each, over the state that it starts from.

use super::{
    Places, Placing, Store, StoreError,
    change::Change,
    creation::placing_in,
    fetch::Fetched,
    keys::Key,
    person_change::standing,
    rows::{INTO_STATUS, into_status},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    ids::{OrganisationId, TeamId, UserId},
    organisation::Placement,
    transition::Transition,
    user::{Role, Status, User},
};

/// What an approval says of the person beside that they are in; what it leaves out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The organisation, where one is named.
    pub organisation_id: Option<OrganisationId>,
    /// The teams that are named.
    pub team_ids: Vec<TeamId>,
    /// The role, where one is named.
    pub role: Option<Role>,
}

impl Terms {
    /// Whether a place is named at all.
    #[must_use]
    pub fn place(&self) -> bool {
        self.organisation_id.is_some() || !self.team_ids.is_empty()
    }
}

/// What a decision about a person is made from.
#[derive(Debug)]
pub struct DecisionFacts {
    /// Who decides.
    pub caller: Option<User>,
    /// About whom, if there is one of this id.
    pub person: Option<User>,
    /// The names of the default place and of those that the terms name.
    pub places: Places,
    fetched: Fetched,
}

/// Where an approved person goes, and as what; `None` leaves either as it is.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// The place, every team of it known to belong to the organisation.
    pub placement: Option<Placement>,
    /// The role.
    pub role: Option<Role>,
}

/// What became of a transition.
#[derive(Debug)]
pub enum Transitioned {
    /// The person is in the new state.
    Done(Box<User>),
    /// They are in another state than the transition starts from.
    WrongStatus(Status),
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// A team into which they were to go is not there any more.
    NoSuchTeam,
    /// They were deleted a moment ago.
    Gone,
}

impl Store {
    /// Reads caller and person in one batch, with the names of the default place, where most who wait are, and what
    /// attributes there are.
    pub async fn caller_and_person(
        &self,
        caller: &UserId,
        person: &UserId,
    ) -> Result<(Option<User>, Option<User>, Places), StoreError> {
        let (organisation, team) = (OrganisationId::default_organisation(), TeamId::default_team());
        let keys = [Key::user(caller), Key::user(person), Key::organisation(&organisation), Key::team(&team)];
        let keys = keys.into_iter().chain([Key::attributes()]);
        let fetched = self.db.fetch(keys).await?;
        let places = Places::of(&fetched, [&organisation], [&team])?;
        Ok((fetched.get(&Key::user(caller))?, fetched.get(&Key::user(person))?, places))
    }

    /// Reads caller and person with the places that an approval's terms name, in one batch, with the names of the default
    /// place, where most who wait are, and what attributes there are.
    pub async fn decision_facts(
        &self,
        caller: &UserId,
        person: &UserId,
        terms: &Terms,
    ) -> Result<DecisionFacts, StoreError> {
        let organisations = [OrganisationId::default_organisation()].into_iter().chain(terms.organisation_id.clone());
        let organisations: Vec<_> = organisations.collect();
        let named: Vec<_> = [TeamId::default_team()].into_iter().chain(terms.team_ids.iter().cloned()).collect();
        let (caller, person) = (Key::user(caller), Key::user(person));
        let places = organisations.iter().map(Key::organisation).chain(named.iter().map(Key::team));
        let others = [caller.clone(), person.clone(), Key::attributes()];
        let fetched = self.db.fetch(others.into_iter().chain(places)).await?;
        let places = Places::of(&fetched, &organisations, &named)?;
        Ok(DecisionFacts { caller: fetched.get(&caller)?, person: fetched.get(&person)?, places, fetched })
    }

    /// Where `terms` put `person`: teams alone are those of the organisation in which they are. No call, and one batch
    /// where that organisation is neither named nor the default one.
    pub async fn admitted_place(
        &self,
        facts: &DecisionFacts,
        person: &User,
        terms: &Terms,
    ) -> Result<Placing, StoreError> {
        let organisation = terms.organisation_id.clone().or_else(|| person.organisation_id.clone());
        let organisation = organisation.unwrap_or_else(OrganisationId::default_organisation);
        if facts.places.knows_organisation(&organisation) {
            return placing_in(&facts.fetched, organisation, &terms.team_ids);
        }
        self.placing(Some(organisation), terms.team_ids.clone()).await
    }

    /// Makes the transition, with the reason of a rejection.
    ///
    /// One transaction: person (in the state it starts from), audit, outbox; for an API Owner the owners' item, whose
    /// last one cannot be switched off. Deactivating clears every session.
    pub async fn transition(
        &self,
        user: &User,
        transition: Transition,
        reason: Option<&str>,
        origin: &Origin,
    ) -> Result<Transitioned, StoreError> {
        self.decided(user, transition, reason, &Admission::default(), origin).await
    }

    /// Approves a waiting registration and puts the person where `admission` says, as what it says.
    ///
    /// One transaction: person (waiting; as they were read where they are placed or get a role), memberships with a
    /// check of each team that they join, audit, outbox.
    pub async fn admit(&self, user: &User, admission: &Admission, origin: &Origin) -> Result<Transitioned, StoreError> {
        self.decided(user, Transition::Approve, None, admission, origin).await
    }

    async fn decided(
        &self,
        user: &User,
        transition: Transition,
        reason: Option<&str>,
        admission: &Admission,
        origin: &Origin,
    ) -> Result<Transitioned, StoreError> {
        if user.status != transition.from() || user.identity_due.is_some() {
            return Ok(Transitioned::WrongStatus(user.status));
        }
        let changed = decided_person(user, transition, admission, origin);
        let mut transaction = Transaction::default();
        let person = transaction.add(deciding(user, &changed, transition, admission, origin));
        let last_owner = match (user.role, transition) {
            (Role::ApiOwner, Transition::Approve | Transition::Activate) => {
                transaction.add_owner(user);
                None
            }
            (Role::ApiOwner, Transition::Deactivate) => Some(transaction.remove_owner(&user.id)),
            _ => None,
        };
        let teams = match &admission.placement {
            Some(placement) => transaction.move_memberships(user, placement),
            None => Vec::new(),
        };
        let event = self.event(origin, transition.action(), Some(user.id.as_str()));
        transaction.audit(&standing(event.change("status", user.status, changed.status), user, &changed));
        let compose = self.compose(origin);
        match transition {
            Transition::Approve => transaction.mail(&compose.approved(user)),
            Transition::Reject => transaction.mail(&compose.rejected(user, reason)),
            Transition::Activate => transaction.mail(&compose.activated(user)),
            Transition::Deactivate => transaction.mail(&compose.deactivated(user)),
            Transition::Reopen => {}
        }
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Transitioned::Done(Box::new(changed))),
            Commit::Lost(lost) if lost.at(person) => Ok(match lost.row::<User>(person)? {
                Some(now) if now.status != transition.from() => Transitioned::WrongStatus(now.status),
                // Only role, place or address changed, and with it what has to be written: the same request decides anew.
                Some(_) => return Err(StoreError::Busy),
                None => Transitioned::Gone,
            }),
            Commit::Lost(lost) if last_owner.is_some_and(|position| lost.at(position)) => Ok(Transitioned::LastOwner),
            Commit::Lost(lost) if teams.iter().any(|team| lost.at(*team)) => Ok(Transitioned::NoSuchTeam),
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }
}

/// The person as the decision leaves them.
fn decided_person(user: &User, transition: Transition, admission: &Admission, origin: &Origin) -> User {
    let mut changed = user.clone();
    changed.status = transition.to();
    changed.status_since = origin.now;
    changed.updated_at = origin.now;
    changed.version += 1;
    if transition == Transition::Deactivate {
        changed.sessions.clear();
    }
    if let Some(placement) = &admission.placement {
        changed.organisation_id = Some(placement.organisation_id.clone());
        changed.team_ids.clone_from(&placement.team_ids);
    }
    changed.role = admission.role.unwrap_or(user.role);
    changed
}

/// The update of the person's row. Memberships follow the teams that were read, and what is said of place and role is said
/// of whom was read: such an approval is held to the version of that reading, also where it changes neither.
fn deciding(before: &User, after: &User, transition: Transition, admission: &Admission, origin: &Origin) -> Change {
    let named = admission.placement.is_some() || admission.role.is_some();
    let moved = (&before.organisation_id, &before.team_ids) != (&after.organisation_id, &after.team_ids);
    let regraded = before.role != after.role;
    let cleared = transition == Transition::Deactivate;
    let mut expression = format!("SET {INTO_STATUS}");
    if cleared {
        expression.push_str(", #sessions = :none");
    }
    if moved {
        expression.push_str(", #organisation_id = :organisation_id, #team_ids = :team_ids");
    }
    if regraded {
        expression.push_str(", #role = :granted");
    }
    let mut condition =
        "#status = :from AND #role = :role AND #email = :email AND attribute_not_exists(#identity_due)".to_owned();
    if named {
        condition.push_str(" AND #version = :read");
    }
    let mut change = Change::update(Key::user(&before.id), &expression)
        .when(&condition)
        .with("role", before.role)
        .with("email", &before.email)
        .with("from", transition.from());
    if cleared {
        change = change.with("none", serde_json::json!({}));
    }
    if moved {
        change = change.with("organisation_id", &after.organisation_id).with("team_ids", &after.team_ids);
    }
    if named {
        change = change.with("read", before.version);
    }
    if regraded {
        change = change.with("granted", after.role);
    }
    into_status(change, &before.id, after.status, origin.now)
}
