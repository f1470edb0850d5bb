//! A mail in the outbox: everything that it will say, but the token of its link.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::{
    email::Email,
    ids::{MailId, UserId},
    link::Purpose,
    name::Name,
    suppression::Trouble,
};

/// What a mail is about; names its templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailEvent)]
pub enum Event {
    /// Asks an applicant to confirm the address.
    ConfirmRegistration,
    /// Tells the holder of an address that it has an account.
    AlreadyRegistered,
    /// Tells the owners that a registration waits.
    RegistrationPending,
    /// Greets a person who is in at once, or was created with a password.
    Welcome,
    /// Registration approved.
    Approved,
    /// Registration refused.
    Rejected,
    /// Account switched on.
    Activated,
    /// Account switched off.
    Deactivated,
    /// Invites to the portal.
    Invitation,
    /// Lets a person choose another password.
    ResetPassword,
    /// Tells a person that their password was changed.
    PasswordChanged,
    /// Tells both addresses of a person that another one counts now.
    EmailChanged,
    /// Reminds the owners of registrations that have waited for long.
    PendingDigest,
    /// Tells the creator of an invite code that few of its slots are left.
    InviteCodeLow,
    /// Tells the creator of an invite code that it ends soon.
    InviteCodeExpiring,
    /// Tells the owners that somebody asks for an organisation.
    OrganisationRequested,
    /// Tells a person that they got the organisation that they asked for.
    OrganisationApproved,
    /// Tells a person that they do not get it.
    OrganisationRejected,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 18] = [
        Self::ConfirmRegistration,
        Self::AlreadyRegistered,
        Self::RegistrationPending,
        Self::Welcome,
        Self::Approved,
        Self::Rejected,
        Self::Activated,
        Self::Deactivated,
        Self::Invitation,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::PendingDigest,
        Self::InviteCodeLow,
        Self::InviteCodeExpiring,
        Self::OrganisationRequested,
        Self::OrganisationApproved,
        Self::OrganisationRejected,
    ];

    /// Reads an event's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// Its name: the folder of its templates and the tag of its mails.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmRegistration => "confirm_registration",
            Self::AlreadyRegistered => "already_registered",
            Self::RegistrationPending => "registration_pending",
            Self::Welcome => "welcome",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Activated => "activated",
            Self::Deactivated => "deactivated",
            Self::Invitation => "invitation",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::PendingDigest => "pending_digest",
            Self::InviteCodeLow => "invite_code_low",
            Self::InviteCodeExpiring => "invite_code_expiring",
            Self::OrganisationRequested => "organisation_requested",
            Self::OrganisationApproved => "organisation_approved",
            Self::OrganisationRejected => "organisation_rejected",
        }
    }
}

/// How far one recipient's copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Delivery)]
pub enum Delivery {
    /// Not sent yet.
    Queued,
    /// SES accepted it.
    Sent,
    /// SES refused it for good.
    Refused,
    /// Its link had expired before it could be sent.
    Expired,
    /// Nothing is sent to the address any more.
    Suppressed,
    /// It came back for good.
    Bounced,
    /// Its reader called it spam.
    Complained,
}

impl Delivery {
    /// Whether it is known of the copy that it met `trouble`, or graver.
    #[must_use]
    pub fn has_met(self, trouble: Trouble) -> bool {
        match self {
            Self::Complained => true,
            Self::Bounced => trouble == Trouble::Bounced,
            Self::Queued | Self::Sent | Self::Refused | Self::Expired | Self::Suppressed => false,
        }
    }
}

impl From<Trouble> for Delivery {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Bounced => Self::Bounced,
            Trouble::Complained => Self::Complained,
        }
    }
}

/// One who gets the mail, in a copy of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address.
    pub email: Email,
    /// How far it has come.
    pub delivery: Delivery,
}

/// A link to be minted when the mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOrder {
    /// Whose link it will be.
    pub user_id: UserId,
    /// What it will be for.
    pub purpose: Purpose,
    /// The person's `link_version`.
    pub link_version: u64,
    /// Until when it will work, however late the mail goes out: a link must not outlive the registration or invitation
    /// that it is for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

/// A mail to be sent. Prints only which and what about: names and addresses stand in its variables.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its id.
    pub id: MailId,
    /// What it is about.
    pub event: Event,
    /// Who gets it.
    pub to: Vec<Recipient>,
    /// What its templates say; nothing any more once nothing is left to send.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// The link that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkOrder>,
    /// Who is named in it, or gets it; it goes when they do. Nobody where the mail is about none of the portal's people.
    #[serde(default, rename = "about_pk", skip_serializing_if = "Option::is_none")]
    pub about: Option<UserId>,
    /// When it was queued.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

impl fmt::Debug for OutboxEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEntry").field("id", &self.id).field("event", &self.event).finish_non_exhaustive()
    }
}

/// How long an entry is kept: after it was sent, and as long as nothing could send it.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

impl OutboxEntry {
    /// Whether the mail carries a link that works no longer at `now`.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.link.as_ref().is_some_and(|order| order.expires_at <= now)
    }

    /// The recipients who have not had their copy, with their places in the entry.
    pub(crate) fn queued(&self) -> impl Iterator<Item = (usize, &Recipient)> + Clone {
        self.to.iter().enumerate().filter(|(_, recipient)| recipient.delivery == Delivery::Queued)
    }

    /// When the table may collect the entry.
    #[must_use]
    pub fn collect_at(&self) -> Timestamp {
        self.created_at + KEPT_FOR
    }
}

/// What the mailer has to know of the settings, kept in its own table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSettings {
    /// The address that mails come from; without one nothing is sent.
    pub sender: Option<Email>,
    /// The portal's name.
    pub portal_name: Name,
}
