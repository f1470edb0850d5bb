//! A person of the portal, as their row holds them.
//!
//! Source of the rules: `docs/architecture.md`, section 4.

mod new;
mod session;
mod words;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    challenge::Challenge,
    email::Email,
    idempotency::Fingerprint,
    ids::{InvitationId, OrganisationId, TeamId, UserId},
    invite_code::Redemption,
    name::Name,
    organisation::Placement,
    password::Holder,
    suppression::MailStatus,
};

pub use new::{NewUser, Newcomer, Start};
pub use session::SessionId;
pub use words::{Role, Source, Status};

/// How long a claim on a person keeps others from confirming, accepting or resetting at the same time.
pub const CLAIM_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How many sessions a person has at most; the login after that ends the oldest.
pub const MAX_SESSIONS: usize = 20;

/// A person, as the table holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id, and the name of their Cognito user.
    pub id: UserId,
    /// Their address.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// Where they stand.
    pub status: Status,
    /// What they may do.
    pub role: Role,
    /// Their organisation; API Owners have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<OrganisationId>,
    /// Their teams, each once; API Owners have none.
    #[serde(default)]
    pub team_ids: Vec<TeamId>,
    /// Whether the next login has to choose another password.
    #[serde(default)]
    pub must_change_password: bool,
    /// The login that waits for another password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// How they came in.
    pub source: Source,
    /// Values of the custom sign-up fields.
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// When the row was written.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When something that is shown last changed. Logging in changes nothing.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
    /// The last login.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_login_at: Option<Timestamp>,
    /// Since when they are in their status; an unconfirmed registration counts from the last mail asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub status_since: Timestamp,
    /// Voids every earlier link when raised.
    pub link_version: u64,
    /// Until when a request that confirms or accepts has this person for itself.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub claimed_until: Option<Timestamp>,
    /// Whether they began to change their password and it is not known how far that came: Cognito may have the new one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub password_change_begun: bool,
    /// Which request that is: one whose answer was lost finds its own claim again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// The sessions that count, with the instant of their login in milliseconds.
    #[serde(default)]
    pub sessions: BTreeMap<SessionId, i64>,
    /// The state to reach once Cognito has the password. Until then: shown as inactive, no sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_due: Option<Status>,
    /// The record of the request that created them, until Cognito has the password: what undoes the creation removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<Fingerprint>,
    /// The invitation by which they come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<InvitationId>,
    /// The invite code by which they came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption: Option<Redemption>,
    /// What became of mail to their address while it was theirs.
    #[serde(default, skip_serializing_if = "MailStatus::is_ok")]
    pub mail_status: MailStatus,
    /// Counts the changes of what is shown.
    pub version: u64,
}

impl User {
    /// Whose password it is to be.
    #[must_use]
    pub fn holder(&self) -> Holder<'_> {
        Holder { email: &self.email, first_name: &self.first_name, last_name: &self.last_name }
    }

    /// Where they are; `None` for API Owners.
    #[must_use]
    pub fn placement(&self) -> Option<Placement> {
        let organisation_id = self.organisation_id.clone()?;
        Some(Placement { organisation_id, team_ids: self.team_ids.clone() })
    }

    /// The person somewhere else; `None` is the place of API Owners.
    #[must_use]
    pub fn placed(self, place: Option<Placement>) -> Self {
        let (organisation_id, team_ids) =
            place.map_or((None, Vec::new()), |place| (Some(place.organisation_id), place.team_ids));
        Self { organisation_id, team_ids, ..self }
    }

    /// Whether they are one of the API Owners without whom nobody runs the portal.
    #[must_use]
    pub fn is_active_owner(&self) -> bool {
        self.role == Role::ApiOwner && self.status == Status::Active && self.identity_due.is_none()
    }

    /// Whether a token of `session` still counts: the person is active and the session was not ended.
    #[must_use]
    pub fn has_session(&self, session: &SessionId) -> bool {
        self.status == Status::Active && self.identity_due.is_none() && self.sessions.contains_key(session)
    }

    /// Whether they are in `status`, and have been since before `before`.
    #[must_use]
    pub fn has_been(&self, status: Status, before: Timestamp) -> bool {
        self.status == status && self.status_since < before
    }

    /// The person once Cognito has the password, in the state that they were created for.
    #[must_use]
    pub fn finished(self) -> Self {
        let status = self.identity_due.unwrap_or(self.status);
        Self { status, identity_due: None, begun_by: None, ..self }
    }

    /// The session to end when a further one starts.
    #[must_use]
    pub fn oldest_session(&self) -> Option<&SessionId> {
        self.sessions.iter().min_by_key(|(_, since)| **since).map(|(session, _)| session)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Ada, as `start` writes her.
    pub fn user(start: Start) -> User {
        let new = NewUser {
            email: Email::parse("ada@example.com").unwrap(),
            first_name: Name::parse("Ada").unwrap(),
            last_name: Name::parse("Lovelace").unwrap(),
            role: Role::TeamMember,
            placement: Some(Placement::default_place()),
            source: Source::SelfRegistration,
            start,
        };
        new.at(Timestamp::UNIX_EPOCH, 1)
    }

    #[test]
    fn a_session_counts_only_while_the_person_is_active_and_cognito_is_done() {
        let session = SessionId::new("s");
        let with_session = |mut user: User| {
            user.sessions.insert(session.clone(), 0);
            user.has_session(&session)
        };

        assert!(with_session(user(Start::As(Status::Active))));
        assert!(!with_session(user(Start::As(Status::Inactive))));
        assert!(!with_session(user(Start::Becoming(Status::Active))));
        assert!(!user(Start::As(Status::Active)).has_session(&session));
    }

    #[test]
    fn the_oldest_session_is_the_one_to_end() {
        let mut user = user(Start::As(Status::Active));
        user.sessions = BTreeMap::from([(SessionId::new("a"), 3), (SessionId::new("b"), 1), (SessionId::new("c"), 2)]);

        assert_eq!(user.oldest_session(), Some(&SessionId::new("b")));
    }
}
