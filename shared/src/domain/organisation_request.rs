//! Requests for an organisation of one's own. Source of the rules: `docs/api.md`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ids::{OrganisationId, OrganisationRequestId, UserId},
    name::Name,
    user::{Status, User},
};

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// It waits for an API Owner.
    Pending,
    /// The organisation was created.
    Approved,
    /// There will be none.
    Rejected,
}

impl RequestStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Approved, Self::Rejected];

    /// The word in which it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A request for an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationRequest {
    /// Its id.
    pub id: OrganisationRequestId,
    /// The organisation's name: as it was asked for, or as it was approved.
    pub name: Name,
    /// Who asks. What else is shown of them is read from their row.
    pub requester: UserId,
    /// Where it stands.
    pub status: RequestStatus,
    /// The organisation that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<OrganisationId>,
    /// When it was made.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

/// What stands in the way of giving a requester an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// They were deleted, or are in another organisation by now: nothing will ever come of the request.
    ForGood,
    /// They are in a status in which nobody runs an organisation.
    ForNow(Status),
}

/// Whether `requester`, as they are now, can get an organisation of their own: an active consumer of the Default
/// Organisation.
///
/// # Errors
/// What stands in the way.
pub fn fits(requester: Option<&User>) -> Result<&User, Unfit> {
    let default = OrganisationId::default_organisation();
    let here = requester.filter(|requester| requester.organisation_id.as_ref() == Some(&default));
    let requester = here.ok_or(Unfit::ForGood)?;
    let status = requester.identity_due.map_or(requester.status, |_| Status::Inactive);
    if status == Status::Active { Ok(requester) } else { Err(Unfit::ForNow(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ids::TeamId,
        rights::tests::{person, team},
        user::Role,
    };

    #[test]
    fn words_are_read_as_they_are_written() {
        let all = RequestStatus::ALL;
        assert!(all.into_iter().all(|status| RequestStatus::parse(status.as_str()) == Some(status)));
        assert_eq!(RequestStatus::parse("Pending"), None);
    }

    #[test]
    fn only_an_active_consumer_of_the_default_organisation_gets_one() {
        let mut requester = person(1, Role::TeamMember, vec![TeamId::default_team()]);
        requester.organisation_id = Some(OrganisationId::default_organisation());
        assert_eq!(fits(Some(&requester)), Ok(&requester));

        assert_eq!(fits(None), Err(Unfit::ForGood));
        assert_eq!(fits(Some(&person(2, Role::ApiOwner, vec![]))), Err(Unfit::ForGood));
        assert_eq!(fits(Some(&person(2, Role::TeamMember, vec![team(1)]))), Err(Unfit::ForGood));
        let inactive = User { status: Status::Inactive, ..requester };
        assert_eq!(fits(Some(&inactive)), Err(Unfit::ForNow(Status::Inactive)));
    }
}
