//! Invitations: a way in for one person, by a mailed link.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    email::Email,
    ids::{InvitationId, MailId, OrganisationId, TeamId, UserId},
    name::Name,
    user::{Role, User},
};

/// How long an invitation is still shown after it ended with nobody let in by it: revoked, or expired and its person gone.
pub const SHOWN_AFTER_END: SignedDuration = SignedDuration::from_hours(180 * 24);

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// Sent, not accepted.
    Pending,
    /// Its person chose a password.
    Accepted,
    /// Taken back, for good.
    Revoked,
    /// Its time has passed.
    Expired,
}

impl InvitationStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Accepted, Self::Revoked, Self::Expired];

    /// The word in which it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the invitation can be sent again: its time starts anew. Who accepted needs none, and what was revoked
    /// stays so.
    #[must_use]
    pub fn can_be_sent_again(self) -> bool {
        matches!(self, Self::Pending | Self::Expired)
    }
}

/// An invitation. Address, names, role and place are the invited person's when it was last sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited. Where [`Invitation::elsewhere`] says so, an id that nobody has.
    pub user_id: UserId,
    /// Whether the address has an account that the inviter may not know of: then nobody was created, the mail said that
    /// the account exists, and the invitation is there for its inviter's eyes alone (`docs/architecture.md`, section 5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// Whose account that is. Nobody is shown it: it lets the invitation go when they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_id: Option<UserId>,
    /// The address.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// What they will be.
    pub role: Role,
    /// Where they will be; `None` for API Owners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<OrganisationId>,
    /// Their teams.
    #[serde(default)]
    pub team_ids: Vec<TeamId>,
    /// Who invited, or sent it again last; `None` for the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<UserId>,
    /// Where it stands as it is stored: [`Invitation::status_at`] tells whether its time has passed.
    pub status: InvitationStatus,
    /// When it was last sent.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub sent_at: Timestamp,
    /// It works before this instant.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// Its newest mail.
    pub mail_id: MailId,
    /// Counts the changes.
    pub version: u64,
}

impl Invitation {
    /// Where it stands at `now`: a pending one has expired from the instant of its expiry on, whether it is marked so or
    /// not.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> InvitationStatus {
        match self.status {
            InvitationStatus::Pending if self.expires_at <= now => InvitationStatus::Expired,
            status => status,
        }
    }

    /// Whether this is the invitation by which `person` may still come in.
    #[must_use]
    pub fn is_of(&self, person: &User) -> bool {
        !self.elsewhere && person.id == self.user_id && person.invitation_id.as_ref() == Some(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending_until(expires_at: Timestamp) -> Invitation {
        Invitation {
            id: InvitationId::new(Timestamp::UNIX_EPOCH, 1),
            user_id: UserId::new(Timestamp::UNIX_EPOCH, 1),
            elsewhere: false,
            holder_id: None,
            email: Email::parse("ada@example.com").unwrap(),
            first_name: Name::given("Ada"),
            last_name: Name::given("Lovelace"),
            role: Role::TeamMember,
            organisation_id: None,
            team_ids: Vec::new(),
            invited_by: None,
            status: InvitationStatus::Pending,
            sent_at: Timestamp::UNIX_EPOCH,
            expires_at,
            mail_id: MailId::new(Timestamp::UNIX_EPOCH, 1),
            version: 1,
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        let all = InvitationStatus::ALL;
        assert!(all.into_iter().all(|status| InvitationStatus::parse(status.as_str()) == Some(status)));
        assert_eq!(InvitationStatus::parse("Pending"), None);
    }

    #[test]
    fn a_pending_invitation_has_expired_at_the_instant_of_its_expiry_and_not_before() {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);

        assert_eq!(pending_until(at).status_at(at - SignedDuration::from_millis(1)), InvitationStatus::Pending);
        assert_eq!(pending_until(at).status_at(at), InvitationStatus::Expired);
    }

    #[test]
    fn what_was_accepted_or_revoked_stays_so_after_its_time() {
        for status in [InvitationStatus::Accepted, InvitationStatus::Revoked] {
            let invitation = Invitation { status, ..pending_until(Timestamp::UNIX_EPOCH) };
            assert_eq!(invitation.status_at(Timestamp::MAX), status);
            assert!(!status.can_be_sent_again());
        }
    }
}
