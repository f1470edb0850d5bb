//! Deleting organisations and teams, step by step: each step is one write, and what remains to be done can always be
//! found (`docs/architecture.md`, section 3.14).
//!
//! An organisation is marked first: from then on it gets no team and nobody is placed in it. A team's row goes in its
//! first write: everything that puts somebody or something into a team checks that it is there. What is left behind in
//! the team's place says that people still have to leave it.

mod leaving;

pub use leaving::{Left, LeftPage};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Db, Listed, Renaming, Store, StoreError,
    change::Change,
    db::read,
    keys::{self, Key, Table},
    organisations::{NOT_DELETING, unchanged},
    query::text,
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    ids::{OrganisationId, TeamId, UserId},
    organisation::{Organisation, Team},
    user::User,
};

/// How many teams are dealt with before they are looked up again.
const TEAMS_AT_ONCE: u16 = 100;

/// That a team is an organisation's, beside the team's own row: the way from the organisation to its teams that no
/// index's lag can hide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TeamOf {
    pub team_id: TeamId,
    pub organisation_id: OrganisationId,
    /// Since when the team's row is gone.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub deleted_since: Option<Timestamp>,
}

/// A team whose row is gone and that people may still have to leave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DeletedTeam {
    /// The team.
    pub team_id: TeamId,
    /// Whose team it was.
    pub organisation_id: OrganisationId,
}

/// What a deletion of a team is decided from.
#[derive(Debug)]
pub struct TeamDeletionFacts {
    /// Who calls.
    pub caller: Option<User>,
    /// The organisation.
    pub organisation: Option<Organisation>,
    /// The team, as long as it stands.
    pub team: Option<Team>,
    /// What is left of it, once its row is gone and until everybody has left.
    pub deleted: Option<DeletedTeam>,
}

/// What became of the first write of a deletion.
pub type Marking<T> = Renaming<T>;

impl Store {
    /// Reads a caller, an organisation, and a team of it or what is left of one, in one batch.
    pub async fn team_deletion_facts(
        &self,
        caller: &UserId,
        organisation: &OrganisationId,
        team: &TeamId,
    ) -> Result<TeamDeletionFacts, StoreError> {
        let (caller, left) = (Key::user(caller), Key::team_of(organisation, team));
        let (organisation, team) = (Key::organisation(organisation), Key::team(team));
        let keys = [caller.clone(), left.clone(), organisation.clone(), team.clone()];
        let fetched = self.db.fetch(keys).await?;
        let left: Option<TeamOf> = fetched.get(&left)?;
        let deleted = left.filter(|left| left.deleted_since.is_some());
        Ok(TeamDeletionFacts {
            caller: fetched.get(&caller)?,
            organisation: fetched.get(&organisation)?,
            team: fetched.get(&team)?,
            deleted: deleted.map(|left| DeletedTeam { team_id: left.team_id, organisation_id: left.organisation_id }),
        })
    }

    /// Marks an organisation as being deleted, if it is as it was read: it leaves the lists, gets no team any more, and
    /// nobody is placed in it. The queue in which it then stands lets the sweep finish what is cut off.
    ///
    /// One transaction: organisation, audit.
    pub async fn mark_organisation_deleting(
        &self,
        organisation: &Organisation,
        origin: &Origin,
    ) -> Result<Marking<Organisation>, StoreError> {
        let mut transaction = Transaction::default();
        let change = Change::update(
            Key::organisation(&organisation.id),
            "SET #deleting_since = :now, #updated_at = :now, #version = :next, #queue_pk = :queue_pk, #queue_sk = \
             :queue_sk REMOVE #list_pk, #list_sk",
        )
        .with("now", origin.now.as_millisecond())
        .with("next", organisation.version + 1)
        .with("queue_pk", keys::DELETING_ORGANISATIONS)
        .with("queue_sk", keys::instant_and_id(origin.now, organisation.id.as_str()));
        let position = transaction.add(unchanged(change, organisation.version, &format!(" AND {NOT_DELETING}")));
        transaction
            .audit(&self.event(origin, "organisation.deleted", Some(organisation.id.as_str())).personal_change("name"));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Marking::Done),
            Commit::Lost(lost) => {
                Ok(lost.row(position)?.map_or(Marking::Gone, |now| Marking::Overtaken(Box::new(now))))
            }
        }
    }

    /// Deletes a team's row, if it is as it was read. Its codes and invitations stop with it, and nobody can join it any
    /// more. Only the caller knows that it is not the default team of an organisation that stays: that never changes.
    ///
    /// One transaction: team, what is left of it, audit.
    pub async fn delete_team(&self, team: &Team, origin: &Origin) -> Result<Marking<Team>, StoreError> {
        let mut transaction = Transaction::default();
        let position = transaction.add(unchanged(Change::delete(Key::team(&team.id)), team.version, ""));
        let (team_id, organisation_id) = (team.id.clone(), team.organisation_id.clone());
        let left = TeamOf { team_id, organisation_id, deleted_since: Some(origin.now) };
        let left = Change::put(Key::team_of(&team.organisation_id, &team.id), &left)
            .and("queue_pk", keys::DELETED_TEAMS)
            .and("queue_sk", keys::instant_and_id(origin.now, team.id.as_str()));
        transaction.add(left);
        let event = self.event(origin, "team.deleted", Some(team.id.as_str()));
        transaction.audit(&event.personal_change("name").change("organisation_id", &team.organisation_id, ()));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Marking::Done),
            Commit::Lost(lost) => {
                Ok(lost.row(position)?.map_or(Marking::Gone, |now| Marking::Overtaken(Box::new(now))))
            }
        }
    }

    /// Some of the teams that an organisation still has; none once all are gone. Of an organisation that is being
    /// deleted nothing is missed: its default team is known by id, the others by the items beside it. The index knows
    /// those that are older than such items.
    ///
    /// Two queries and up to two batches, and a query more per hundred teams that the index lists although they are gone.
    pub async fn standing_teams(&self, organisation: &Organisation) -> Result<Vec<Team>, StoreError> {
        let partition = keys::organisation_partition(&organisation.id);
        let query = self
            .db
            .partition(Table::Portal, &partition)
            .key_condition_expression("pk = :pk AND begins_with(sk, :teams)")
            .filter_expression("attribute_not_exists(deleted_since)")
            .expression_attribute_values(":teams", text(keys::TEAM_PREFIX));
        let beside: Vec<TeamOf> = self.db.first_rows(query, TEAMS_AT_ONCE).await?;
        let ids = beside.into_iter().map(|beside| beside.team_id).chain([organisation.default_team_id.clone()]);
        let ids: Vec<TeamId> = ids.collect();
        let fetched = self.db.fetch(ids.iter().map(Key::team)).await?;
        let teams = ids.iter().filter_map(|id| fetched.get::<Team>(&Key::team(id)).transpose());
        let teams: Vec<Team> = teams.collect::<Result<_, _>>()?;
        if !teams.is_empty() {
            return Ok(teams);
        }
        let mut after = None;
        loop {
            let listed = self.teams_of(&organisation.id, after.as_deref(), TEAMS_AT_ONCE).await?;
            if !listed.rows.is_empty() || listed.next.is_none() {
                return Ok(listed.rows);
            }
            after = listed.next;
        }
    }

    /// Some of an organisation's deleted teams that people may still have to leave.
    pub async fn deleted_teams_of(&self, organisation: &OrganisationId) -> Result<Vec<DeletedTeam>, StoreError> {
        let partition = keys::organisation_partition(organisation);
        let query = self
            .db
            .partition(Table::Portal, &partition)
            .key_condition_expression("pk = :pk AND begins_with(sk, :teams)")
            .filter_expression("attribute_exists(deleted_since)")
            .expression_attribute_values(":teams", text(keys::TEAM_PREFIX));
        self.db.first_rows(query, TEAMS_AT_ONCE).await
    }

    /// Takes away what is left of a team that everybody has left. Nobody can have joined it since its row is gone.
    pub async fn forget_team(&self, team: &DeletedTeam) -> Result<(), StoreError> {
        let mut transaction = Transaction::default();
        transaction.add(Change::delete(Key::team_of(&team.organisation_id, &team.team_id)));
        self.db.commit(transaction).await.map(drop)
    }

    /// Takes away the row of an organisation that is being deleted and has no team left.
    pub async fn remove_organisation(&self, organisation: &OrganisationId) -> Result<(), StoreError> {
        let mut transaction = Transaction::default();
        let row = Change::delete(Key::organisation(organisation)).when("attribute_exists(#deleting_since)");
        transaction.add(row);
        // Who loses has been overtaken by another request for the same.
        self.db.commit(transaction).await.map(drop)
    }

    /// A page of the organisations that have been deleted half-way since before `since`, the longest first, at most `most`.
    pub async fn organisations_to_delete(
        &self,
        since: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<Organisation, StoreError>>, StoreError> {
        self.db.due(keys::DELETING_ORGANISATIONS, after, &keys::before(since), most).await
    }

    /// A page of the teams that were deleted before `since` and that people may still have to leave, the longest first, at most `most`.
    pub async fn teams_to_leave(
        &self,
        since: Timestamp,
        after: Option<&str>,
        most: u16,
    ) -> Result<Listed<Result<DeletedTeam, StoreError>>, StoreError> {
        self.db.due(keys::DELETED_TEAMS, after, &keys::before(since), most).await
    }
}

impl Db {
    /// The first rows that `query` finds, at most `most`, following it over pages that hold none.
    async fn first_rows<T: serde::de::DeserializeOwned>(
        &self,
        query: aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder,
        most: u16,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = query;
        loop {
            let output = self.query(query.clone()).await?;
            let items = output.items.unwrap_or_default();
            if !items.is_empty() || output.last_evaluated_key.is_none() {
                return items.into_iter().take(usize::from(most)).map(read).collect();
            }
            query = query.set_exclusive_start_key(output.last_evaluated_key);
        }
    }
}
