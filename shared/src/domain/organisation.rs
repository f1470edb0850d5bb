//! Organisations and teams: where people are placed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{OrganisationId, TeamId},
    name::Name,
};

/// The most teams that a person is in: joining and leaving that many at once, with what belongs to it, fits into one
/// transaction.
pub const MAX_TEAMS: usize = 20;

/// The version of a row that was written before changes were counted, and of every new one.
fn first_version() -> u64 {
    1
}

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
    /// Since when it is being deleted: from then on it gets no team and nobody is placed in it.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub deleting_since: Option<Timestamp>,
    /// Counts the changes.
    #[serde(default = "first_version")]
    pub version: u64,
}

impl Organisation {
    /// A new organisation and its default team, which is there from the first moment on.
    #[must_use]
    pub fn founded(id: OrganisationId, team_id: TeamId, name: Name, now: Timestamp) -> (Self, Team) {
        let team = Team::founded(team_id.clone(), id.clone(), Name::given("Default team"), now);
        let (created_at, updated_at, version) = (now, now, first_version());
        let founded =
            Self { id, name, default_team_id: team_id, created_at, updated_at, deleting_since: None, version };
        (founded, team)
    }

    /// Whether it is the Default Organisation, which is never deleted.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.id == OrganisationId::default_organisation()
    }

    /// The organisation under another name from `now` on; unchanged where that is its name already.
    #[must_use]
    pub fn renamed(&self, name: Name, now: Timestamp) -> Self {
        if name == self.name {
            return self.clone();
        }
        Self { name, updated_at: now, version: self.version + 1, ..self.clone() }
    }

    /// Whether it is being deleted: for everybody but those who still have to be moved out of it, it is gone.
    #[must_use]
    pub fn is_being_deleted(&self) -> bool {
        self.deleting_since.is_some()
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
    /// Counts the changes.
    #[serde(default = "first_version")]
    pub version: u64,
}

impl Team {
    /// A new team.
    #[must_use]
    pub fn founded(id: TeamId, organisation_id: OrganisationId, name: Name, now: Timestamp) -> Self {
        Self { id, organisation_id, name, created_at: now, updated_at: now, version: first_version() }
    }

    /// The team under another name from `now` on; unchanged where that is its name already.
    #[must_use]
    pub fn renamed(&self, name: Name, now: Timestamp) -> Self {
        if name == self.name {
            return self.clone();
        }
        Self { name, updated_at: now, version: self.version + 1, ..self.clone() }
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
