//! State in DynamoDB: the only code that names its SDK.
//!
//! Two parts: [`Store`] writes both tables, [`Outbox`] only `Mail`. Each method is one read or one conditional write and
//! is named for what it means; its outcome tells who lost and why. The rule of a change stands in its condition, never
//! only in a read before it (`docs/architecture.md`, section 3.1).

mod change;
mod db;
mod fetch;
pub mod keys;
mod outbox;
mod places;
mod query;
mod record;
mod retry;
mod rows;
mod transaction;

mod about;
mod attributes;
mod audit;
mod bootstrap;
mod claim;
mod code_notices;
mod confirmation;
mod creation;
mod deletion;
mod digest;
mod dissolution;
mod feedback;
mod invitations;
mod invite_codes;
mod login_attempts;
mod mail_limit;
mod mail_templates;
mod organisation_requests;
mod organisations;
mod orphans;
mod password;
mod people;
mod person_address;
mod person_change;
mod redemption;
mod registration;
mod search;
mod session;
mod settings;
mod sweep;
mod throttle;
mod transition;

use std::fmt;

pub use about::KeptAbout;
pub use attributes::{AttributeDefinition, AttributesChange};
pub use audit::{EventFilter, EventPage};
pub use bootstrap::FirstOwner;
pub(crate) use claim::log_failed_release;
pub use claim::{Claim, LinkClaim};
pub use code_notices::NoticeFacts;
pub use confirmation::{Confirmation, LinkFacts};
pub use creation::{CreatedWithoutPassword, Creation, Finish, Placing, UnfinishedIdentity};
pub use db::{Db, Tables};
pub use deletion::Deleted;
pub use digest::DigestFacts;
pub use dissolution::{DeletedTeam, Left, LeftPage, Marking, TeamDeletionFacts};
pub use feedback::{FeedbackFacts, Noted};
pub use invitations::{
    Acceptance, Asked, BulkFacts, Earlier, Elsewhere, InvitationPage, InviteFacts, Invited, InvitedElsewhere, Invitee,
    Inviting, OpenedInvitation, ResendFacts, Resent, Revoked, SendFacts, Sent, Surroundings,
};
pub use invite_codes::{CodeChange, CodeCreation, CodeDeletion, CodePage};
pub use mail_templates::{AllTemplates, ChangedTemplate, TemplateChange, TemplateFacts};
pub use organisation_requests::{DecidedRequest, RequestFacts, RequestPage, Requested};
pub use organisations::{OrganisationCreation, Renaming, TeamCreation};
pub use orphans::PoolWalk;
pub use outbox::{Outbox, Taken};
pub use password::{PasswordChanged, Posed};
pub use people::{Filter, Page, Waiting};
pub use person_address::AddressFacts;
pub use person_change::PersonChanged;
pub use places::Places;
pub use query::Listed;
pub use record::{Recalled, Record, Told};
pub use redemption::{Redeemed, RedemptionFacts};
pub use registration::{Registered, RegistrationFacts};
pub use rows::{InvitationCopy, Sentinel, Stage};
pub use session::{LoginFacts, Opening};
pub use settings::SettingsChange;
pub use throttle::Attempt;
pub use transition::{Admission, DecisionFacts, Terms, Transitioned};

use keys::Key;

/// Everything that is kept, but the sending of mail.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
}

impl Store {
    /// The store over both tables.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// What keeps a read or write from being answered. Losing a race is no error, it is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Contention or throttling outlasted the retries: nothing was changed, the same request may be sent again.
    #[error("the table stayed busy")]
    Busy,
    /// An item is not what this code wrote.
    #[error("the item at {key} cannot be read: {reason}")]
    Corrupt {
        /// Where it is.
        key: String,
        /// What is wrong, in words without values.
        reason: String,
    },
    /// An item that the deployment creates is not there.
    #[error("the item at {0} is missing: was the deployment's bootstrap run?")]
    Missing(&'static str),
    /// DynamoDB refused the call or could not be reached.
    #[error("{call} failed: {cause}")]
    Aws {
        /// The call.
        call: &'static str,
        /// What the SDK says, with the code of the answer.
        cause: String,
    },
}

impl StoreError {
    fn corrupt(key: &Key, reason: impl fmt::Display) -> Self {
        Self::Corrupt { key: key_label(key), reason: reason.to_string() }
    }
}

/// A key for the log: an address, invite code or source in it is left out.
fn key_label(key: &Key) -> String {
    let label = |part: &str| match part.split_once('#') {
        Some((kind @ ("CODE" | "ELSEWHERE" | "EMAIL" | "LOGINS" | "SUPPRESSED" | "THROTTLE"), _)) => {
            format!("{kind}#…")
        }
        _ => part.to_owned(),
    };
    format!("{} / {}", label(&key.pk), label(&key.sk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        email::Email, ids::TeamId, invite_code::FoldedCode, source::SourceAddress, throttle::Throttle,
    };

    #[test]
    fn no_address_code_or_source_stands_in_the_label_of_a_key() {
        let email = Email::parse("ada@example.com").unwrap();
        let keys = [
            Key::email(&email),
            Key::logins(&email),
            Key::elsewhere(&TeamId::default_team(), &email),
            Key::invite_code(&FoldedCode::of("spring-2026").unwrap()),
            Key::suppression(&email),
            Key::throttle(Throttle::SignUps, &SourceAddress::of("203.0.113.7".parse().unwrap())),
        ];

        let labels = keys.each_ref().map(key_label);

        let team = format!("TEAM#{} / ELSEWHERE#…", TeamId::default_team());
        let others = ["CODE#… / CODE", "SUPPRESSED#… / SUPPRESSED", "THROTTLE#… / THROTTLE"];
        assert_eq!(labels, ["EMAIL#… / EMAIL", "LOGINS#… / LOGINS", &team, others[0], others[1], others[2]]);
        assert_eq!(key_label(&Key::settings()), "SETTINGS / SETTINGS");
    }
}
