//! Organisations and their teams: creating, finding and listing them.

use super::{
    Listed, Store, StoreError,
    change::Change,
    keys::{self, Key},
    transaction::{Commit, Transaction},
};
use crate::domain::{
    audit::Origin,
    ids::{OrganisationId, TeamId, UserId},
    name::Name,
    organisation::{Organisation, Team},
    user::User,
};

/// What became of creating a team.
#[derive(Debug)]
pub enum TeamCreation {
    /// It is there.
    Created(Team),
    /// There is no such organisation.
    NoSuchOrganisation,
}

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
    /// One transaction: organisation, team, audit.
    pub async fn create_organisation(&self, name: Name, origin: &Origin) -> Result<Organisation, StoreError> {
        let id = OrganisationId::new(origin.now, self.db.random.number());
        let (organisation, team) = Organisation::founded(id, self.new_team_id(origin), name, origin.now);
        let mut transaction = Transaction::default();
        transaction.add(organisation_row(&organisation).when_new());
        transaction.add(team_row(&team).when_new());
        let event = self.event(origin, "organisation.created", Some(organisation.id.as_str()));
        transaction.audit(&event.personal_change("name").change("default_team_id", (), &organisation.default_team_id));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(organisation),
            // The ids are new: another try draws others.
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }

    /// Writes a team of an organisation that is there.
    ///
    /// One transaction: organisation (check), team, audit.
    pub async fn create_team(
        &self,
        organisation: &OrganisationId,
        name: Name,
        origin: &Origin,
    ) -> Result<TeamCreation, StoreError> {
        let team = Team::founded(self.new_team_id(origin), organisation.clone(), name, origin.now);
        let mut transaction = Transaction::default();
        let place = transaction.add(Change::check(Key::organisation(organisation), "attribute_exists(#pk)"));
        transaction.add(team_row(&team).when_new());
        let event = self.event(origin, "team.created", Some(team.id.as_str()));
        transaction.audit(&event.personal_change("name").change("organisation_id", (), organisation));
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(TeamCreation::Created(team)),
            Commit::Lost(lost) if lost.at(place) => Ok(TeamCreation::NoSuchOrganisation),
            Commit::Lost(_) => Err(StoreError::Busy),
        }
    }

    fn new_team_id(&self, origin: &Origin) -> TeamId {
        TeamId::new(origin.now, self.db.random.number())
    }

    /// Reads a caller and an organisation in one batch.
    pub async fn caller_and_organisation(
        &self,
        caller: &UserId,
        id: &OrganisationId,
    ) -> Result<(Option<User>, Option<Organisation>), StoreError> {
        let fetched = self.db.fetch([Key::user(caller), Key::organisation(id)]).await?;
        Ok((fetched.get(&Key::user(caller))?, fetched.get(&Key::organisation(id))?))
    }

    /// A page over the organisations, in the order in which they were created, the Default Organisation first.
    ///
    /// One query and one batch. The index may lag behind, the rows shown do not.
    pub async fn organisations(&self, after: Option<&str>, limit: u16) -> Result<Listed<Organisation>, StoreError> {
        self.db.listed("Lists", "list", keys::ALL_ORGANISATIONS, after, limit).await
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
