//! The portal's settings: what API Owners can switch and set.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    email::{Email, MailDomain},
    name::Name,
    password::PasswordPolicy,
};

/// Everything that can be set. The defaults are those of `docs/api.md` (`Default`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in docs/api.md")]
pub struct Settings {
    /// Whether people may register without a code or an invitation.
    pub self_registration: bool,
    /// Whether registrations are approved as they are confirmed.
    pub auto_approve: bool,
    /// Domains whose addresses are approved as they are confirmed; not those below them.
    pub auto_approve_domains: Vec<MailDomain>,
    /// Whether an address is confirmed by a mailed link, at which the password is chosen.
    pub email_confirmation: bool,
    /// Whether consumers can log in. API Owners always can.
    pub sign_in: bool,
    /// Whether Consumer Admins may invite.
    pub consumer_admin_invitations: bool,
    /// Whether consumers may ask for an organisation of their own.
    pub organisation_requests: bool,
    /// Whether such requests are approved as they are made.
    pub organisation_requests_auto_approve: bool,
    /// How many days an invitation works, 1 to 90.
    pub invitation_days: u16,
    /// What passwords must be.
    pub password_policy: PasswordPolicy,
    /// The portal's name, as mails and pages show it.
    pub portal_name: Name,
    /// From which address mails are sent. Without one, nothing that needs mail works.
    pub sender: Option<Email>,
    /// Who is told that a registration waits; empty means every active API Owner.
    pub owner_notification_addresses: Vec<Email>,
    /// What a source may try how often.
    pub throttles: Throttles,
    /// Counts the changes; a change is written only over the version that it was made from.
    pub version: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            self_registration: true,
            auto_approve: false,
            auto_approve_domains: Vec::new(),
            email_confirmation: true,
            sign_in: true,
            consumer_admin_invitations: true,
            organisation_requests: false,
            organisation_requests_auto_approve: false,
            invitation_days: 7,
            password_policy: PasswordPolicy::default(),
            portal_name: Name::given("Developer portal"),
            sender: None,
            owner_notification_addresses: Vec::new(),
            throttles: Throttles::default(),
            version: 0,
        }
    }
}

/// The most that a limit per source can let through in its window.
pub const MAX_THROTTLE: u32 = 1000;

/// The limits per source. A window and what it counts are rules of the domain, how much is let through is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Throttles {
    /// How many unknown invite codes a source may try in ten minutes, 1 to 1,000.
    #[schema(required = true)]
    pub unknown_codes: u32,
    /// How many people may sign up from a source in an hour, 1 to 1,000; `null` is any number.
    pub sign_ups: Option<u32>,
}

impl Default for Throttles {
    fn default() -> Self {
        Self { unknown_codes: 10, sign_ups: None }
    }
}

impl Settings {
    /// How long an invitation works, counted from its sending.
    #[must_use]
    pub fn invitation_life(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.invitation_days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_portal_is_open_and_asks_for_confirmation_and_approval() {
        let settings = Settings::default();

        assert!(settings.self_registration && settings.email_confirmation && settings.sign_in);
        assert!(!settings.auto_approve);
        assert_eq!(settings.invitation_life(), SignedDuration::from_hours(168));
    }
}
