//! Invitations: a way in for one person, by a mailed link.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{InvitationId, UserId};

/// Where an invitation stands. Whether it has expired is decided against the clock, never stored alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// Sent, not accepted.
    Pending,
}

/// An invitation. Names, role and teams are the invited person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited.
    pub user_id: UserId,
    /// Who invited; `None` for the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<UserId>,
    /// Where it stands.
    pub status: InvitationStatus,
    /// When it was last sent.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub sent_at: Timestamp,
    /// It works before this instant.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}
