//! Approving, rejecting, reopening, switching on and off: one transaction each, over the state that it starts from.

use super::{
    Places, Store, StoreError,
    change::Change,
    keys::Key,
    rows::{INTO_STATUS, into_status},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    ids::{OrganisationId, TeamId, UserId},
    transition::Transition,
    user::{Role, Status, User},
};

/// What became of a transition.
#[derive(Debug)]
pub enum Transitioned {
    /// The person is in the new state.
    Done(Box<User>),
    /// They are in another state than the transition starts from.
    WrongStatus(Status),
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// They were deleted a moment ago.
    Gone,
}

impl Store {
    /// Reads caller and person in one batch, with the names of the default place, where most who wait are.
    pub async fn caller_and_person(
        &self,
        caller: &UserId,
        person: &UserId,
    ) -> Result<(Option<User>, Option<User>, Places), StoreError> {
        let (organisation, team) = (OrganisationId::default_organisation(), TeamId::default_team());
        let keys = [Key::user(caller), Key::user(person), Key::organisation(&organisation), Key::team(&team)];
        let fetched = self.db.fetch(keys).await?;
        let places = Places::of(&fetched, [&organisation], [&team])?;
        Ok((fetched.get(&Key::user(caller))?, fetched.get(&Key::user(person))?, places))
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
        if user.status != transition.from() || user.identity_due.is_some() {
            return Ok(Transitioned::WrongStatus(user.status));
        }
        let status = transition.to();
        let mut transaction = Transaction::default();
        let sessions = if transition == Transition::Deactivate { ", #sessions = :none" } else { "" };
        let change = Change::update(Key::user(&user.id), &format!("SET {INTO_STATUS}{sessions}"))
            .when("#status = :from AND #role = :role AND attribute_not_exists(#identity_due)")
            .with("role", user.role)
            .with("from", transition.from());
        let change = if sessions.is_empty() { change } else { change.with("none", serde_json::json!({})) };
        let person = transaction.add(into_status(change, &user.id, status, origin.now));
        let last_owner = match (user.role, transition) {
            (Role::ApiOwner, Transition::Approve | Transition::Activate) => {
                transaction.add_owner(user);
                None
            }
            (Role::ApiOwner, Transition::Deactivate) => Some(transaction.remove_owner(&user.id)),
            _ => None,
        };
        let event = self.event(origin, transition.action(), Some(user.id.as_str()));
        transaction.audit(&event.change("status", transition.from(), status));
        let compose = self.compose(origin);
        match transition {
            Transition::Approve => transaction.mail(&compose.approved(user)),
            Transition::Reject => transaction.mail(&compose.rejected(user, reason)),
            Transition::Activate => transaction.mail(&compose.activated(user)),
            Transition::Deactivate => transaction.mail(&compose.deactivated(user)),
            Transition::Reopen => {}
        }
        match self.db.commit(transaction).await? {
            Commit::Done => {
                let mut changed = user.clone();
                changed.status = status;
                changed.status_since = origin.now;
                changed.updated_at = origin.now;
                changed.version += 1;
                if transition == Transition::Deactivate {
                    changed.sessions.clear();
                }
                Ok(Transitioned::Done(Box::new(changed)))
            }
            Commit::Lost(lost) if lost.at(person) => Ok(match lost.row::<User>(person)? {
                Some(now) if now.status != transition.from() => Transitioned::WrongStatus(now.status),
                // Only the role changed, and with it what has to be written: the same request decides anew.
                Some(_) => return Err(StoreError::Busy),
                None => Transitioned::Gone,
            }),
            Commit::Lost(lost) if last_owner.is_some_and(|position| lost.at(position)) => Ok(Transitioned::LastOwner),
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }
}
