//! What showing people takes beside their rows: names of organisations and teams, and what attributes there are.

use std::collections::HashMap;

use super::{Store, StoreError, fetch::Fetched, keys::Key};
use crate::domain::{
    attribute::Definitions,
    ids::{OrganisationId, TeamId},
    name::Name,
    organisation::{Organisation, Team},
    user::User,
};

/// The names that were looked up so far (`None` for a place that is gone), and the attributes that people have.
#[derive(Clone, Debug, Default)]
pub struct Places {
    organisations: HashMap<OrganisationId, Option<Name>>,
    teams: HashMap<TeamId, Option<Name>>,
    attributes: Definitions,
}

impl Places {
    /// No names yet, and the attributes that people have.
    #[must_use]
    pub fn with_attributes(attributes: Definitions) -> Self {
        Self { attributes, ..Self::default() }
    }

    /// The attributes that people have, where they were read: whatever shows people whole has read them.
    #[must_use]
    pub fn attributes(&self) -> &Definitions {
        &self.attributes
    }

    pub(super) fn of<'a>(
        fetched: &Fetched,
        organisations: impl IntoIterator<Item = &'a OrganisationId>,
        teams: impl IntoIterator<Item = &'a TeamId>,
    ) -> Result<Self, StoreError> {
        let mut places = Self::with_attributes(fetched.attributes()?);
        for id in organisations {
            let organisation: Option<Organisation> = fetched.get(&Key::organisation(id))?;
            places.organisations.insert(id.clone(), organisation.map(|organisation| organisation.name));
        }
        for id in teams {
            let team: Option<Team> = fetched.get(&Key::team(id))?;
            places.teams.insert(id.clone(), team.map(|team| team.name));
        }
        Ok(places)
    }

    /// An organisation's name, if it was found.
    #[must_use]
    pub fn organisation(&self, id: &OrganisationId) -> Option<&Name> {
        self.organisations.get(id)?.as_ref()
    }

    /// Whether this organisation was looked up, found or not.
    pub(super) fn knows_organisation(&self, id: &OrganisationId) -> bool {
        self.organisations.contains_key(id)
    }

    /// A team's name, if it was found.
    #[must_use]
    pub fn team(&self, id: &TeamId) -> Option<&Name> {
        self.teams.get(id)?.as_ref()
    }
}

impl Store {
    /// Looks up the names that `places` lacks to show `people`: one batch, or none where all are there.
    pub async fn complete_places(&self, places: &mut Places, people: &[User]) -> Result<(), StoreError> {
        let organisations = people.iter().filter_map(|user| user.organisation_id.as_ref());
        self.look_up_places(places, organisations, people.iter().flat_map(|user| &user.team_ids)).await
    }

    /// Looks up those of these names that `places` lacks: one batch, or none where all are there.
    pub async fn look_up_places(
        &self,
        places: &mut Places,
        organisations: impl IntoIterator<Item = &OrganisationId>,
        teams: impl IntoIterator<Item = &TeamId>,
    ) -> Result<(), StoreError> {
        let lacking = organisations.into_iter().filter(|id| !places.organisations.contains_key(*id));
        let organisations: Vec<_> = lacking.collect();
        let teams: Vec<_> = teams.into_iter().filter(|id| !places.teams.contains_key(*id)).collect();
        if organisations.is_empty() && teams.is_empty() {
            return Ok(());
        }
        let keys = organisations.iter().map(|id| Key::organisation(id)).chain(teams.iter().map(|id| Key::team(id)));
        let fetched = self.db.fetch(keys).await?;
        let found = Places::of(&fetched, organisations, teams)?;
        places.organisations.extend(found.organisations);
        places.teams.extend(found.teams);
        Ok(())
    }
}
