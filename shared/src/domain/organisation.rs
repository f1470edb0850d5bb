//! Organisations and teams: where people are placed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{OrganisationId, TeamId},
    name::Name,
};

/// An organisation. It always has a default team; both can be renamed, the Default Organisation never deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: Name,
    /// The team in which people are who were given none.
    pub default_team_id: TeamId,
    /// When it was created.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

impl Organisation {
    /// A new organisation and its default team, which is there from the first moment on.
    #[must_use]
    pub fn founded(id: OrganisationId, team_id: TeamId, name: Name, now: Timestamp) -> (Self, Team) {
        let team = Team::founded(team_id.clone(), id.clone(), Name::given("Default team"), now);
        (Self { id, name, default_team_id: team_id, created_at: now, updated_at: now }, team)
    }

    /// Whether it is the Default Organisation, which is never deleted.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.id == OrganisationId::default_organisation()
    }

    /// Whether `team` is the one in which people are who were given none.
    #[must_use]
    pub fn has_as_default(&self, team: &Team) -> bool {
        self.default_team_id == team.id
    }
}

/// A team of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Whose team it is.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub name: Name,
    /// When it was created.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
}

impl Team {
    /// A new team.
    #[must_use]
    pub fn founded(id: TeamId, organisation_id: OrganisationId, name: Name, now: Timestamp) -> Self {
        Self { id, organisation_id, name, created_at: now, updated_at: now }
    }
}

/// Where a consumer is: exactly one organisation and one or more of its teams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The teams, each once, at least one.
    pub team_ids: Vec<TeamId>,
}

impl Placement {
    /// The Default Organisation's default team: where people are whom nobody placed. It is never deleted, so no write
    /// has to check that it exists.
    #[must_use]
    pub fn default_place() -> Self {
        Self { organisation_id: OrganisationId::default_organisation(), team_ids: vec![TeamId::default_team()] }
    }
}
