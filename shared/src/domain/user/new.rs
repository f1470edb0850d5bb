//! A person before their row is written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{MailStatus, Placement, Role, Source, Status, User};
use crate::domain::{email::Email, ids::UserId, name::Name};

/// A person to be written: what is known before anything is stored.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their address.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// What they may do.
    pub role: Role,
    /// Where they are; `None` for API Owners alone.
    pub placement: Option<Placement>,
    /// How they come in.
    pub source: Source,
    /// What they start as.
    pub start: Start,
}

/// The state in which a person is first written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// In this status, without a Cognito user.
    As(Status),
    /// Inactive until Cognito has the password, then in this status.
    Becoming(Status),
    /// The same, with a password that the first login has to change.
    BecomingWithFirstPassword(Status),
}

/// A person to be written, with the values that they have of custom attributes.
#[derive(Clone, Debug)]
pub struct Newcomer {
    new: NewUser,
    attributes: Map<String, Value>,
}

impl From<NewUser> for Newcomer {
    fn from(new: NewUser) -> Self {
        new.with_attributes(Map::new())
    }
}

impl Newcomer {
    /// The row, at `now`, with `random` for the id.
    #[must_use]
    pub fn at(self, now: Timestamp, random: u128) -> User {
        User { attributes: self.attributes, ..self.new.at(now, random) }
    }
}

impl NewUser {
    /// Gives them values, as a row keeps them.
    #[must_use]
    pub fn with_attributes(self, attributes: Map<String, Value>) -> Newcomer {
        Newcomer { new: self, attributes }
    }

    /// The row, at `now`, with `random` for the id.
    #[must_use]
    pub fn at(self, now: Timestamp, random: u128) -> User {
        let (status, identity_due) = match self.start {
            Start::As(status) => (status, None),
            Start::Becoming(status) | Start::BecomingWithFirstPassword(status) => (Status::Inactive, Some(status)),
        };
        let must_change_password = matches!(self.start, Start::BecomingWithFirstPassword(_));
        let (organisation_id, team_ids) =
            self.placement.map_or((None, Vec::new()), |place| (Some(place.organisation_id), place.team_ids));
        User {
            id: UserId::new(now, random),
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            status,
            role: self.role,
            organisation_id,
            team_ids,
            must_change_password,
            challenge: None,
            source: self.source,
            attributes: Map::new(),
            created_at: now,
            updated_at: now,
            last_login_at: None,
            status_since: now,
            link_version: 1,
            claimed_until: None,
            claimed_by: None,
            password_change_begun: false,
            sessions: BTreeMap::new(),
            identity_due,
            begun_by: None,
            invitation_id: None,
            redemption: None,
            mail_status: MailStatus::Ok,
            version: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::user, *};

    #[test]
    fn who_waits_for_cognito_starts_inactive() {
        let user = user(Start::Becoming(Status::Pending));

        assert_eq!((user.status, user.identity_due), (Status::Inactive, Some(Status::Pending)));
    }

    #[test]
    fn only_a_first_password_has_to_be_changed() {
        assert!(user(Start::BecomingWithFirstPassword(Status::Active)).must_change_password);
        assert!(!user(Start::Becoming(Status::Active)).must_change_password);
    }
}
