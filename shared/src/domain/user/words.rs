//! The words for what a person is: where they stand, what they may do, how they came in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a person stands on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Registered, address not confirmed.
    Unconfirmed,
    /// Waits for approval.
    Pending,
    /// Invited, or created without a password; has none yet.
    Invited,
    /// May log in.
    Active,
    /// Switched off, or created and not switched on yet.
    Inactive,
    /// Registration refused.
    Rejected,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Unconfirmed, Self::Pending, Self::Invited, Self::Active, Self::Inactive, Self::Rejected];

    /// The word in which it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Pending => "pending",
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the portal; belongs to no organisation.
    ApiOwner,
    /// Manages the people of the own teams.
    ConsumerAdmin,
    /// Uses APIs.
    TeamMember,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::ApiOwner, Self::ConsumerAdmin, Self::TeamMember];

    /// The word in which it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiOwner => "api_owner",
            Self::ConsumerAdmin => "consumer_admin",
            Self::TeamMember => "team_member",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// How a person came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The open registration form.
    SelfRegistration,
    /// The form, with an invite code.
    InviteCode,
    /// An invitation.
    Invitation,
    /// Created by an API Owner, or at deployment.
    ApiOwner,
    /// Single sign-on.
    Sso,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(Status::ALL.into_iter().all(|status| Status::parse(status.as_str()) == Some(status)));
        assert!(Role::ALL.into_iter().all(|role| Role::parse(role.as_str()) == Some(role)));
        assert_eq!(Status::parse("Active"), None);
    }
}
