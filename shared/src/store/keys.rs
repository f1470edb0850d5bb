//! Every key of both tables, built here and nowhere else. `docs/table.md` lists them with their items.

mod indexes;
mod order;

use jiff::Timestamp;

use crate::{
    domain::{
        email::Email,
        idempotency::Fingerprint,
        ids::{EventId, InvitationId, MailId, OrganisationId, OrganisationRequestId, TeamId, UserId},
        invite_code::FoldedCode,
        link::HashedToken,
        source::SourceAddress,
        throttle::Throttle,
    },
    mail::Event,
};

pub use indexes::*;
pub use order::*;

/// Which of the two tables an item is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// State: people, places, settings, audit.
    Portal,
    /// Mail: outbox, links, and what sending needs.
    Mail,
}

/// Where one item is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// The partition.
    pub pk: String,
    /// The place within the partition.
    pub sk: String,
}

impl Key {
    fn new(table: Table, pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { table, pk: pk.into(), sk: sk.into() }
    }

    /// A person.
    #[must_use]
    pub fn user(id: &UserId) -> Self {
        Self::new(Table::Portal, format!("USER#{id}"), "USER")
    }

    /// The sentinel that makes an address unique.
    #[must_use]
    pub fn email(email: &Email) -> Self {
        Self::new(Table::Portal, format!("EMAIL#{}", email.as_str()), "EMAIL")
    }

    /// What is remembered of the logins to an address, with or without an account.
    #[must_use]
    pub fn logins(email: &Email) -> Self {
        Self::new(Table::Portal, format!("LOGINS#{}", email.as_str()), "LOGINS")
    }

    /// A person's membership in a team.
    #[must_use]
    pub fn membership(team: &TeamId, user: &UserId) -> Self {
        Self::new(Table::Portal, team_partition(team), membership_sort_key(user))
    }

    /// A team.
    #[must_use]
    pub fn team(id: &TeamId) -> Self {
        Self::new(Table::Portal, team_partition(id), "TEAM")
    }

    /// An organisation.
    #[must_use]
    pub fn organisation(id: &OrganisationId) -> Self {
        Self::new(Table::Portal, organisation_partition(id), "ORG")
    }

    /// That a team is this organisation's, and what is left of it once its own row is gone.
    #[must_use]
    pub fn team_of(organisation: &OrganisationId, team: &TeamId) -> Self {
        Self::new(Table::Portal, organisation_partition(organisation), format!("{TEAM_PREFIX}{team}"))
    }

    /// A request for an organisation.
    #[must_use]
    pub fn organisation_request(id: &OrganisationRequestId) -> Self {
        Self::new(Table::Portal, format!("ORGREQUEST#{id}"), "ORGREQUEST")
    }

    /// Whether a request for an organisation stands here.
    pub(super) fn is_organisation_request(&self) -> bool {
        self.sk == "ORGREQUEST"
    }

    /// That a request of this person waits.
    #[must_use]
    pub fn requester(id: &UserId) -> Self {
        Self::new(Table::Portal, format!("REQUESTER#{id}"), "REQUESTER")
    }

    /// An invitation.
    #[must_use]
    pub fn invitation(id: &InvitationId) -> Self {
        Self::new(Table::Portal, format!("INVITATION#{id}"), "INVITATION")
    }

    /// That a Consumer Admin's invitation of this address into `team` waits, although the address has an account
    /// elsewhere: a second one finds it, as it would find the invitation of a new address.
    #[must_use]
    pub fn elsewhere(team: &TeamId, email: &Email) -> Self {
        Self::new(Table::Portal, team_partition(team), format!("ELSEWHERE#{}", email.as_str()))
    }

    /// An invite code, by the form in which codes are compared.
    #[must_use]
    pub fn invite_code(code: &FoldedCode) -> Self {
        Self::new(Table::Portal, format!("{CODE_PREFIX}{}", code.as_str()), "CODE")
    }

    /// What a source did of what is counted.
    #[must_use]
    pub fn throttle(of: Throttle, source: &SourceAddress) -> Self {
        Self::new(Table::Portal, format!("{THROTTLE_PREFIX}{}#{}", of.as_str(), source.as_str()), "THROTTLE")
    }

    /// The record of a creation, by caller, route and `Idempotency-Key`.
    #[must_use]
    pub fn record(of: &Fingerprint) -> Self {
        Self::new(Table::Portal, format!("RECORD#{}", of.as_str()), "RECORD")
    }

    /// The portal's settings.
    #[must_use]
    pub fn settings() -> Self {
        Self::new(Table::Portal, "SETTINGS", "SETTINGS")
    }

    /// The custom sign-up attributes, all in one item.
    #[must_use]
    pub fn attributes() -> Self {
        Self::new(Table::Portal, "SETTINGS", "ATTRIBUTES")
    }

    /// The active API Owners: how many and at which addresses.
    #[must_use]
    pub fn owners() -> Self {
        Self::new(Table::Portal, "OWNERS", "OWNERS")
    }

    /// An audit event, in the partition of its month: its id tells when it happened.
    #[must_use]
    pub fn audit_event(id: &EventId) -> Self {
        Self::new(Table::Portal, events_in(id.made_at()), id.as_str())
    }

    /// A note that a person's Cognito user is still to be made, in the order of `since`.
    #[must_use]
    pub fn unfinished_identity(since: Timestamp, user: &UserId) -> Self {
        Self::new(Table::Portal, UNFINISHED_IDENTITIES, instant_and_id(since, user.as_str()))
    }

    /// How far the walk over the user pool has come.
    #[must_use]
    pub fn pool_walk() -> Self {
        Self::new(Table::Portal, "SWEEP#orphans", "SWEEP")
    }

    /// When the owners were last reminded of who waits.
    #[must_use]
    pub fn digest() -> Self {
        Self::new(Table::Portal, "SWEEP#digest", "SWEEP")
    }

    /// A mail to be sent.
    #[must_use]
    pub fn outbox(id: &MailId) -> Self {
        Self::new(Table::Mail, format!("{OUTBOX_PREFIX}{id}"), "OUTBOX")
    }

    /// A link that was sent.
    #[must_use]
    pub fn link(token: &HashedToken) -> Self {
        Self::new(Table::Mail, format!("LINK#{}", token.as_str()), "LINK")
    }

    /// The changed templates of an event's mails.
    #[must_use]
    pub fn mail_template(event: Event) -> Self {
        Self::new(Table::Mail, format!("TEMPLATE#{}", event.as_str()), "TEMPLATE")
    }

    /// That nothing is sent to an address.
    #[must_use]
    pub fn suppression(email: &Email) -> Self {
        Self::new(Table::Mail, format!("SUPPRESSED#{}", email.as_str()), "SUPPRESSED")
    }

    /// What the mailer has to know of the settings.
    #[must_use]
    pub fn mail_settings() -> Self {
        Self::new(Table::Mail, "SETTINGS", "SETTINGS")
    }
}

/// How outbox partitions start: what the stream's filter in `template.yaml` lets through.
pub const OUTBOX_PREFIX: &str = "OUTBOX#";
/// The partition of the notes on unfinished identities.
pub const UNFINISHED_IDENTITIES: &str = "UNFINISHED#identity";
/// How the partitions of invite codes start. What follows is a secret.
pub(super) const CODE_PREFIX: &str = "CODE#";
/// How the partitions of limits per source start. What follows is personal.
pub(super) const THROTTLE_PREFIX: &str = "THROTTLE#";

/// The partition of the audit events of the month, in UTC, in which `instant` lies.
#[must_use]
pub fn events_in(instant: Timestamp) -> String {
    format!("AUDIT#{}", instant.strftime("%Y-%m"))
}

/// An organisation's partition: the organisation, and an item beside it for each of its teams.
#[must_use]
pub fn organisation_partition(organisation: &OrganisationId) -> String {
    format!("ORG#{organisation}")
}

/// How the sort keys of an organisation's teams start, beside it.
pub const TEAM_PREFIX: &str = "TEAM#";

/// A team's partition: the team and its memberships.
#[must_use]
pub fn team_partition(team: &TeamId) -> String {
    format!("{TEAM_PREFIX}{team}")
}

/// How the sort keys of memberships start.
pub const MEMBERSHIP_PREFIX: &str = "USER#";

/// The sort key of a membership; sorts by user id, hence by when people came in.
#[must_use]
pub fn membership_sort_key(user: &UserId) -> String {
    format!("{MEMBERSHIP_PREFIX}{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_stand_in_their_teams_partition() {
        let (team, user) = (TeamId::default_team(), UserId::new(Timestamp::UNIX_EPOCH, 1));

        assert_eq!(Key::membership(&team, &user).pk, Key::team(&team).pk);
        assert_ne!(Key::membership(&team, &user).sk, Key::team(&team).sk);
    }
}
