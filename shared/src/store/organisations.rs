//! Organisations and their teams: creating, finding and listing them.

use super::{
    Listed, Record, Store, StoreError,
    change::Change,
    dissolution::TeamOf,
    keys::{self, Key},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    idempotency::Repeatable,
    ids::{OrganisationId, TeamId, UserId},
    name::Name,
    organisation::{Organisation, Team},
    user::User,
};

/// What became of creating an organisation.
#[derive(Debug)]
pub enum OrganisationCreation {
    /// It is there.
    Created(Organisation),
    /// A request with the same key was there first.
    Repeated(Record),
}

/// What became of creating a team.
#[derive(Debug)]
pub enum TeamCreation {
    /// It is there.
    Created(Team),
    /// There is no such organisation, or not for long.
    NoSuchOrganisation,
    /// A request with the same key was there first.
    Repeated(Record),
}

/// What became of another name.
#[derive(Debug)]
pub enum Renaming<T> {
    /// Written.
    Done,
    /// Somebody else changed it since it was read: this is what stands there now.
    Overtaken(Box<T>),
    /// It was deleted.
    Gone,
}

/// The condition of a row that it is of the version that was read. A row from before versions were counted has none.
pub(super) fn unchanged(change: Change, version: u64, further: &str) -> Change {
    let first = if version == 1 { "attribute_not_exists(#version) OR " } else { "" };
    let condition = format!("attribute_exists(#pk) AND ({first}#version = :version){further}");
    change.when(&condition).with("version", version)
}

/// Another name, one version on.
fn renaming(key: Key, name: &Name, version: u64, origin: &Origin) -> Change {
    Change::update(key, "SET #name = :name, #updated_at = :now, #version = :next")
        .with("name", name)
        .with("now", origin.now.as_millisecond())
        .with("next", version)
}

/// That an organisation is not being deleted.
pub(super) const NOT_DELETING: &str = "attribute_not_exists(#deleting_since)";
/// That an organisation is there and stays.
const STANDS: &str = "attribute_exists(#pk) AND attribute_not_exists(#deleting_since)";

/// An organisation's row with its index keys.
pub(super) fn organisation_row(organisation: &Organisation) -> Change {
    Change::put(Key::organisation(&organisation.id), organisation)
        .and("list_pk", keys::ALL_ORGANISATIONS)
        .and("list_sk", &organisation.id)
}

/// A team's row with its index keys.
pub(super) fn team_row(team: &Team) -> Change {
    Change::put(Key::team(&team.id), team)
        .and("group_pk", keys::teams_of(&team.organisation_id))
        .and("group_sk", &team.id)
}

impl Store {
    /// Writes an organisation and its default team.
    ///
    /// One transaction: organisation, team, audit, record.
    pub async fn create_organisation(&self, name: Name, origin: &Origin) -> Result<OrganisationCreation, StoreError> {
        let id = OrganisationId::new(origin.now, self.db.random.number());
        let (organisation, team) = Organisation::founded(id, self.new_team_id(origin), name, origin.now);
        let mut transaction = Transaction::default();
        transaction.add(organisation_row(&organisation).when_new());
        transaction.add(team_row(&team).when_new());
        let event = self.event(origin, "organisation.created", Some(organisation.id.as_str()));
        transaction.audit(&event.personal_change("name").change("default_team_id", (), &organisation.default_team_id));
        let record = transaction.record(origin, &organisation);
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(OrganisationCreation::Created(organisation)),
            // The ids are new: another try draws others.
            Commit::Lost(lost) => lost.record(record)?.map(OrganisationCreation::Repeated).ok_or(StoreError::Busy),
        }
    }

    /// Writes the name of `after` over `before`, if nobody else changed the organisation and it is not being deleted.
    ///
    /// One transaction: organisation, audit.
    pub async fn rename_organisation(
        &self,
        before: &Organisation,
        after: &Organisation,
        origin: &Origin,
    ) -> Result<Renaming<Organisation>, StoreError> {
        let mut transaction = Transaction::default();
        let change = renaming(Key::organisation(&before.id), &after.name, after.version, origin);
        let change = unchanged(change, before.version, &format!(" AND {NOT_DELETING}"));
        let position = transaction.add(change);
        let event = self.event(origin, "organisation.renamed", Some(before.id.as_str()));
        transaction.audit(&event.personal_change("name"));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Renaming::Done),
            Commit::Lost(lost) => Ok(match lost.row::<Organisation>(position)? {
                Some(now) if !now.is_being_deleted() => Renaming::Overtaken(Box::new(now)),
                _ => Renaming::Gone,
            }),
        }
    }

    /// Writes the name of `after` over `before`, if nobody else changed the team.
    ///
    /// One transaction: team, audit.
    pub async fn rename_team(
        &self,
        before: &Team,
        after: &Team,
        origin: &Origin,
    ) -> Result<Renaming<Team>, StoreError> {
        let mut transaction = Transaction::default();
        let change = renaming(Key::team(&before.id), &after.name, after.version, origin);
        let position = transaction.add(unchanged(change, before.version, ""));
        let event = self.event(origin, "team.renamed", Some(before.id.as_str()));
        transaction.audit(&event.personal_change("name"));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Renaming::Done),
            Commit::Lost(lost) => {
                Ok(lost.row(position)?.map_or(Renaming::Gone, |now| Renaming::Overtaken(Box::new(now))))
            }
        }
    }

    /// Writes a team of an organisation that is there and stays.
    ///
    /// One transaction: organisation (check), team with its item beside the organisation, audit, record.
    pub async fn create_team(
        &self,
        organisation: &OrganisationId,
        name: Name,
        origin: &Origin,
    ) -> Result<TeamCreation, StoreError> {
        let team = Team::founded(self.new_team_id(origin), organisation.clone(), name, origin.now);
        let mut transaction = Transaction::default();
        let place = transaction.add(Change::check(Key::organisation(organisation), STANDS));
        transaction.add(team_row(&team).when_new());
        let beside = TeamOf { team_id: team.id.clone(), organisation_id: organisation.clone(), deleted_since: None };
        transaction.create(Key::team_of(organisation, &team.id), &beside, &[]);
        let event = self.event(origin, "team.created", Some(team.id.as_str()));
        transaction.audit(&event.personal_change("name").change("organisation_id", (), organisation));
        let record = transaction.record(origin, &team);
        let lost = match self.db.commit(transaction).await? {
            Commit::Done => return Ok(TeamCreation::Created(team)),
            Commit::Lost(lost) => lost,
        };
        match lost.record(record)? {
            Some(record) => Ok(TeamCreation::Repeated(record)),
            None if lost.at(place) => Ok(TeamCreation::NoSuchOrganisation),
            None => Err(StoreError::Busy),
        }
    }

    pub(super) fn new_team_id(&self, origin: &Origin) -> TeamId {
        TeamId::new(origin.now, self.db.random.number())
    }

    /// Reads a caller and an organisation in one batch.
    pub async fn caller_and_organisation(
        &self,
        caller: &UserId,
        id: &OrganisationId,
    ) -> Result<(Option<User>, Option<Organisation>), StoreError> {
        let (caller, organisation, _) = self.caller_organisation_and_record(caller, id, None).await?;
        Ok((caller, organisation))
    }

    /// Reads a caller, an organisation and, where the request may be a repeat, the record of its first, in one batch.
    pub async fn caller_organisation_and_record(
        &self,
        caller: &UserId,
        id: &OrganisationId,
        sought: Option<&Repeatable>,
    ) -> Result<(Option<User>, Option<Organisation>, Option<Record>), StoreError> {
        let keys = [Key::user(caller), Key::organisation(id)];
        let fetched = self.db.fetch(keys.into_iter().chain(sought.map(Repeatable::key))).await?;
        let (caller, organisation) = (fetched.get(&Key::user(caller))?, fetched.get(&Key::organisation(id))?);
        Ok((caller, organisation, fetched.record(sought)?))
    }

    /// Reads a caller, an organisation and a team, whichever organisation that is of, in one batch.
    pub async fn caller_and_team(
        &self,
        caller: &UserId,
        id: &OrganisationId,
        team: &TeamId,
    ) -> Result<(Option<User>, Option<Organisation>, Option<Team>), StoreError> {
        let fetched = self.db.fetch([Key::user(caller), Key::organisation(id), Key::team(team)]).await?;
        let organisation = fetched.get(&Key::organisation(id))?;
        Ok((fetched.get(&Key::user(caller))?, organisation, fetched.get(&Key::team(team))?))
    }

    /// A page over the organisations, in the order in which they were created, the Default Organisation first.
    ///
    /// One query and one batch. The index may lag behind, the rows shown do not.
    pub async fn organisations(&self, after: Option<&str>, limit: u16) -> Result<Listed<Organisation>, StoreError> {
        let mut listed: Listed<Organisation> =
            self.db.listed("Lists", "list", keys::ALL_ORGANISATIONS, after, limit).await?;
        // The index may still have one that is being deleted.
        listed.rows.retain(|organisation| !organisation.is_being_deleted());
        Ok(listed)
    }

    /// A page over the teams of an organisation, in the order in which they were created.
    ///
    /// One query and one batch. The index may lag behind, the rows shown do not.
    pub async fn teams_of(
        &self,
        organisation: &OrganisationId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Listed<Team>, StoreError> {
        self.db.listed("Groups", "group", &keys::teams_of(organisation), after, limit).await
    }
}
