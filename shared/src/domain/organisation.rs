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
