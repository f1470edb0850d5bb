//! People who get their password at once: created by hand, or registered where addresses are not confirmed.
//!
//! Cognito cannot join a transaction, so the row comes first (`identity_due`, shown as inactive, no sign-in), then the
//! Cognito user, then the state. A note in the partition of unfinished identities lets the sweep undo what never got
//! there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Listed, Record, Store, StoreError, Told,
    change::Change,
    db::read,
    fetch::Fetched,
    keys::{Key, Table, UNFINISHED_IDENTITIES, instant_and_id},
    query::text,
    rows::{INTO_STATUS, Sentinel, Stage, confirmed, into_status},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::{Actor, Origin},
    email::Email,
    ids::{OrganisationId, TeamId, UserId},
    organisation::{Organisation, Placement, Team},
    user::{Newcomer, Role, Status, User},
};

/// What became of a creation's first step.
#[derive(Debug)]
pub enum Creation {
    /// The row is written, its Cognito user is due.
    Begun(Box<User>),
    /// The address is taken.
    Taken(Sentinel),
    /// A named team is not there any more.
    NoSuchTeam,
    /// A request with the same key was there first.
    Repeated(Record),
}

/// What became of creating a person without a password.
#[derive(Debug)]
pub enum CreatedWithoutPassword {
    /// They are there, and wait to be invited.
    Done(Box<User>),
    /// The address is taken.
    Taken(Sentinel),
    /// A named team is not there any more.
    NoSuchTeam,
    /// A request with the same key was there first.
    Repeated(Record),
}

/// What became of a creation's last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The person is in this status.
    Done(Status),
    /// The sweep undid the creation before it got here.
    Undone,
}

/// Where a person to be created may be placed.
#[derive(Debug)]
pub enum Placing {
    /// There, with every team known to belong to the organisation.
    At(Placement),
    /// No such organisation.
    NoSuchOrganisation,
    /// The organisation has no such team.
    NoSuchTeam,
}

/// A Cognito user that may not fit its row yet, or any more: due to a person being created, or left over from one who
/// is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedIdentity {
    /// Whose Cognito user it is.
    pub user_id: UserId,
    /// Since when it is unfinished.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// Whether what is kept about them elsewhere goes too: who was deleted is erased, who never came in is remembered
    /// in their invitation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erase: bool,
}

impl UnfinishedIdentity {
    pub(super) fn of(user: &User) -> Self {
        Self { user_id: user.id.clone(), since: user.created_at, erase: false }
    }

    /// The Cognito user that somebody who goes now may leave, or one that has to follow a change of now.
    #[must_use]
    pub fn left_by(user: &User, origin: &Origin) -> Self {
        Self { user_id: user.id.clone(), since: origin.now, erase: false }
    }

    /// The same of somebody of whom nothing is to be kept.
    pub(super) fn with_everything(self) -> Self {
        Self { erase: true, ..self }
    }

    fn key(&self) -> Key {
        Key::unfinished_identity(self.since, &self.user_id)
    }
}

impl Store {
    /// Looks up where to place a person: in the Default Organisation and an organisation's default team where nothing
    /// is named. One batch, or none for the default place.
    pub async fn placing(
        &self,
        organisation: Option<OrganisationId>,
        team_ids: Vec<TeamId>,
    ) -> Result<Placing, StoreError> {
        if organisation.is_none() && team_ids.is_empty() {
            return Ok(Placing::At(Placement::default_place()));
        }
        let organisation_id = organisation.unwrap_or_else(OrganisationId::default_organisation);
        let keys = team_ids.iter().map(Key::team).chain([Key::organisation(&organisation_id)]);
        placing_in(&self.db.fetch(keys).await?, organisation_id, &team_ids)
    }

    /// Writes a person without a password, who has to be invited to get one. Mails nothing.
    ///
    /// One transaction: e-mail sentinel, person, memberships (each with a check of its team), audit, record.
    pub async fn create_without_password(
        &self,
        new: impl Into<Newcomer>,
        origin: &Origin,
    ) -> Result<CreatedWithoutPassword, StoreError> {
        let user = new.into().at(origin.now, self.db.random.number());
        let mut transaction = Transaction::default();
        let address = transaction.create_sentinel(&user, Stage::Invited, None);
        transaction.create_user(&user);
        transaction.create_memberships(&user);
        transaction.check_teams(&user.team_ids);
        transaction.audit(&self.created(origin, &user));
        let record = transaction.record_personal(origin, &user, Key::user(&user.id));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(CreatedWithoutPassword::Done(Box::new(user))),
            Commit::Lost(lost) => Ok(match (lost.record(record)?, lost.row(address)?) {
                (Some(record), _) => CreatedWithoutPassword::Repeated(record),
                (None, Some(known)) => CreatedWithoutPassword::Taken(known),
                (None, None) => CreatedWithoutPassword::NoSuchTeam,
            }),
        }
    }

    /// Writes a person whose Cognito user is to follow.
    ///
    /// One transaction: person, e-mail sentinel, memberships (each with a check of its team), note, audit, record.
    pub async fn begin_creation(&self, new: impl Into<Newcomer>, origin: &Origin) -> Result<Creation, StoreError> {
        let user = new.into().at(origin.now, self.db.random.number()).begun_by(origin);
        let mut transaction = Transaction::default();
        let address = transaction.create_sentinel(&user, Stage::Unfinished, None);
        transaction.create_user(&user);
        transaction.create_memberships(&user);
        transaction.check_teams(&user.team_ids);
        transaction.note_identity(&UnfinishedIdentity::of(&user));
        transaction.audit(&self.created(origin, &user));
        let record = match origin.actor {
            Actor::Visitor => transaction.record(origin, &Told::of(&user)),
            Actor::User(_) | Actor::System => transaction.record_personal(origin, &user, Key::user(&user.id)),
        };
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Creation::Begun(Box::new(user))),
            Commit::Lost(lost) => Ok(match (lost.record(record)?, lost.row(address)?) {
                (Some(record), _) => Creation::Repeated(record),
                (None, Some(known)) => Creation::Taken(known),
                (None, None) => Creation::NoSuchTeam,
            }),
        }
    }

    /// Puts a person whose Cognito user is made into the state that they were created for; `owners` hear of it where
    /// it is to wait for approval.
    ///
    /// One transaction: person, e-mail sentinel, note, audit, outbox; for an active API Owner the owners' item.
    pub async fn finish_creation(&self, user: &User, owners: &[Email], origin: &Origin) -> Result<Finish, StoreError> {
        let Some(status) = user.identity_due else { return Ok(Finish::Done(user.status)) };
        let mut transaction = Transaction::default();
        let confirmed = confirmed(user);
        let expression = format!("SET {INTO_STATUS}{confirmed} REMOVE #identity_due, #begun_by");
        let change = Change::update(Key::user(&user.id), &expression).when("attribute_exists(#identity_due)");
        transaction.add(into_status(change, &user.id, status, origin.now));
        let sentinel = Change::update(Key::email(&user.email), "SET #stage = :settled")
            .when("#user_id = :user_id")
            .with("settled", Stage::Settled)
            .with("user_id", &user.id);
        transaction.add(sentinel);
        transaction.add(Change::delete(UnfinishedIdentity::of(user).key()));
        if user.role == Role::ApiOwner && status == Status::Active {
            transaction.add_owner(user);
        }
        let event = self.event(origin, "user.password_set", Some(user.id.as_str()));
        transaction.audit(&event.change("status", user.status, status));
        self.mail_arrival(&mut transaction, user, status, owners, origin);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Finish::Done(status)),
            Commit::Lost(_) => Ok(Finish::Undone),
        }
    }

    /// Undoes a creation that stopped half-way: the address is free again, and so is the slot of an invite code. The
    /// note stays until Cognito's user, which may be there, is deleted too. `false` where it was finished or undone
    /// meanwhile.
    ///
    /// One transaction: person, e-mail sentinel, memberships, invite code, audit, record: what was undone may be created
    /// by the same request.
    pub async fn undo_creation(&self, user: &User, origin: &Origin) -> Result<bool, StoreError> {
        let build = |transaction: &mut Transaction| {
            transaction.add(Change::delete(Key::user(&user.id)).when("attribute_exists(#identity_due)"));
            transaction.delete_traces(user);
            if let Some(record) = &user.begun_by {
                transaction.add(Change::delete(Key::record(record)));
            }
            transaction.audit(&self.event(origin, "user.creation_undone", Some(user.id.as_str())));
        };
        let ((), commit) = self.delete_with_slot(user, build).await?;
        Ok(matches!(commit, Commit::Done))
    }

    /// A page of the notes of Cognito users that have been unfinished since before `since`, each with its person where
    /// there is one, the oldest first, at most `most`. A row that cannot be read stands for itself alone.
    pub async fn unfinished_identities(
        &self,
        since: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<(UnfinishedIdentity, Option<User>), StoreError>>, StoreError> {
        // A range has both its ends in it: the first is moved behind the position, and no row stands at the last.
        let query = self
            .db
            .partition(Table::Portal, UNFINISHED_IDENTITIES)
            .key_condition_expression("pk = :pk AND sk BETWEEN :after AND :since")
            .expression_attribute_values(":after", text(&format!("{} ", after.unwrap_or_default())))
            .expression_attribute_values(":since", text(&instant_and_id(since, "")));
        let output = self.db.query(query.limit(i32::from(most))).await?;
        let last = output.last_evaluated_key.as_ref().and_then(|last| last.get("sk"));
        let next = last.and_then(|sk| sk.as_s().ok()).cloned();
        let notes: Vec<Result<UnfinishedIdentity, StoreError>> =
            output.items.unwrap_or_default().into_iter().map(read).collect();
        let fetched = self.db.fetch(notes.iter().flatten().map(|note| Key::user(&note.user_id))).await?;
        let with_person = |note: UnfinishedIdentity| {
            let person = fetched.get(&Key::user(&note.user_id))?;
            Ok((note, person))
        };
        Ok(Listed { rows: notes.into_iter().map(|note| note.and_then(with_person)).collect(), next })
    }

    /// Removes the note of a Cognito user that is as it should be: its person's, or gone.
    pub async fn finish_identity(&self, note: &UnfinishedIdentity) -> Result<(), StoreError> {
        let mut transaction = Transaction::default();
        transaction.end_note(note);
        self.db.commit(transaction).await.map(drop)
    }
}

/// Where a person may be placed, from the rows of the organisation and of the teams that are named.
pub(super) fn placing_in(
    fetched: &Fetched,
    organisation_id: OrganisationId,
    team_ids: &[TeamId],
) -> Result<Placing, StoreError> {
    let organisation = fetched.get::<Organisation>(&Key::organisation(&organisation_id))?;
    // One that is being deleted takes nobody. Who comes in between is held to the team's being there by the write.
    let Some(organisation) = organisation.filter(|organisation| !organisation.is_being_deleted()) else {
        return Ok(Placing::NoSuchOrganisation);
    };
    let mut placement = Placement { organisation_id, team_ids: Vec::new() };
    for id in team_ids {
        match fetched.get::<Team>(&Key::team(id))? {
            Some(team) if team.organisation_id == placement.organisation_id => {
                if !placement.team_ids.contains(id) {
                    placement.team_ids.push(id.clone());
                }
            }
            _ => return Ok(Placing::NoSuchTeam),
        }
    }
    if placement.team_ids.is_empty() {
        placement.team_ids.push(organisation.default_team_id);
    }
    Ok(Placing::At(placement))
}

impl User {
    /// The person, who remembers the record of the request that creates them until that has all its steps behind it.
    pub(super) fn begun_by(self, origin: &Origin) -> Self {
        Self { begun_by: origin.repeatable.as_ref().map(|repeatable| repeatable.record.clone()), ..self }
    }
}

impl Transaction {
    /// Adds the note that a Cognito user is unfinished.
    pub(super) fn note_identity(&mut self, note: &UnfinishedIdentity) {
        self.create(note.key(), note, &[]);
    }

    /// Adds the removal of such a note.
    pub(super) fn end_note(&mut self, note: &UnfinishedIdentity) {
        self.add(Change::delete(note.key()));
    }
}
