//! A person of the portal: role, state, and how one state becomes another.
//!
//! Source of the rules: `docs/architecture.md`, section 4.

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

/// How long a claim on a person keeps others from confirming, accepting or resetting at the same time.
pub const CLAIM_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How many sessions a person has at most; the login after that ends the oldest.
pub const MAX_SESSIONS: usize = 20;

/// Where a person stands on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A session's name: Cognito's `origin_jti`, which every token of one login carries and refreshing keeps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// Takes the claim as Cognito issued it.
    #[must_use]
    pub fn new(origin_jti: impl Into<String>) -> Self {
        Self(origin_jti.into())
    }

    /// The claim's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId(…)")
    }
}

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
    use super::*;

    fn user(start: Start) -> User {
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
    fn words_are_read_as_they_are_written() {
        assert!(Status::ALL.into_iter().all(|status| Status::parse(status.as_str()) == Some(status)));
        assert!(Role::ALL.into_iter().all(|role| Role::parse(role.as_str()) == Some(role)));
        assert_eq!(Status::parse("Active"), None);
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
