//! Every key of both tables, built here and nowhere else. `docs/table.md` lists them with their items.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        audit::Actor,
        email::Email,
        idempotency::Fingerprint,
        ids::{EventId, InvitationId, InviteCodeId, MailId, OrganisationId, OrganisationRequestId, TeamId, UserId},
        invite_code::FoldedCode,
        link::HashedToken,
        organisation_request::RequestStatus,
        source::SourceAddress,
        throttle::Throttle,
        user::Status,
    },
    mail::Event,
};

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
/// The partition of all invite codes in the index `Lists`.
pub const ALL_CODES: &str = "CODES";
/// The partition in the index `Queues` of invite codes that end soon, and whose expiry was not noted yet.
pub const EXPIRING_CODES: &str = "CODES#expiring";
/// The partition in the index `Queues` of invite codes that end, and of whose end nobody was told yet.
pub const LASTING_CODES: &str = "CODES#lasting";
/// The partition in the index `Groups` of invite codes that were redeemed since their slots were last looked at.
pub const WATCHED_CODES: &str = "CODES#watched";
/// The partition in the index `Groups` of invite codes whose creator was told that few slots are left.
pub const TOLD_CODES: &str = "CODES#told";
/// The partition of all people in the index `Lists`.
pub const ALL_PEOPLE: &str = "USERS";
/// The partition of all invitations in the index `Lists`.
pub const ALL_INVITATIONS: &str = "INVITATIONS";
/// The partition of invitations that wait, by their expiry, in the index `Queues`.
pub const PENDING_INVITATIONS: &str = "INVITATIONS#pending";
/// The partition of invitations whose person still stands there after their expiry, by it, in the index `Queues`.
pub const EXPIRED_INVITATIONS: &str = "INVITATIONS#expired";
/// The partition of all organisations in the index `Lists`.
pub const ALL_ORGANISATIONS: &str = "ORGANISATIONS";
/// The partition of organisations that are being deleted, by since when, in the index `Queues`.
pub const DELETING_ORGANISATIONS: &str = "ORGANISATIONS#deleting";
/// The partition of deleted teams that people may still have to leave, by since when, in the index `Queues`.
pub const DELETED_TEAMS: &str = "TEAMS#deleted";
/// The partition of all requests for an organisation in the index `Lists`.
pub const ALL_REQUESTS: &str = "ORGANISATION_REQUESTS";
/// The partition of all unsent mails in the index `Unsent`.
pub const UNSENT: &str = "UNSENT";

/// The partition of people in `status` in the index `Queues`.
#[must_use]
pub fn people_in(status: Status) -> String {
    format!("USERS#{}", status.as_str())
}

/// The partition of an organisation's invitations in the index `Groups`.
#[must_use]
pub fn invitations_of(organisation: &OrganisationId) -> String {
    format!("ORGANISATION#{organisation}#INVITATIONS")
}

/// The partition of requests for an organisation in `status` in the index `Queues`.
#[must_use]
pub fn requests_in(status: RequestStatus) -> String {
    format!("ORGANISATION_REQUESTS#{}", status.as_str())
}

/// The partition of a person's requests for an organisation in the index `Groups`.
#[must_use]
pub fn requests_of(requester: &UserId) -> String {
    format!("REQUESTER#{requester}")
}

/// The partition of an organisation's teams in the index `Groups`.
#[must_use]
pub fn teams_of(organisation: &OrganisationId) -> String {
    format!("ORGANISATION#{organisation}#TEAMS")
}

/// The partition of a code's people in the index `Groups`: by the code's id, for its text is a secret.
#[must_use]
pub fn people_of_code(id: &InviteCodeId) -> String {
    format!("CODE#{id}")
}

/// The partition of the audit events of the month, in UTC, in which `instant` lies.
#[must_use]
pub fn events_in(instant: Timestamp) -> String {
    format!("AUDIT#{}", instant.strftime("%Y-%m"))
}

/// The partition in the index `Lists` of what `actor` did.
#[must_use]
pub fn events_by(actor: &Actor) -> String {
    let actor = match actor {
        Actor::User(id) => id.as_str(),
        Actor::Visitor => "visitor",
        Actor::System => "system",
    };
    format!("AUDIT#actor#{actor}")
}

/// The partition in the index `Groups` of what was done to `target`.
#[must_use]
pub fn events_of(target: &str) -> String {
    format!("AUDIT#target#{target}")
}

/// The partition in the index `Queues` of the audit events with this action.
#[must_use]
pub fn events_named(action: &str) -> String {
    format!("AUDIT#action#{action}")
}

/// What sorts behind every id that is smaller than `id`, and before `id`.
#[must_use]
pub fn before_id(id: &str) -> String {
    let mut bound = id.to_owned();
    let last = bound.pop().and_then(|last| char::from_u32(u32::from(last).saturating_sub(1)));
    bound.extend(last.into_iter().chain(['~']));
    bound
}

/// The longest part of a folded address or name that an index sorts by, in characters: keys have a bound, names grow when
/// they are folded.
const SEARCHED_LENGTH: usize = 64;

/// The part of a folded address or name by which the indexes of the search find it.
#[must_use]
pub fn searched(folded: &str) -> String {
    folded.chars().take(SEARCHED_LENGTH).collect()
}

/// The sort key of a person in the index of one field of theirs.
#[must_use]
pub fn found_by(folded: &str, user: &UserId) -> String {
    format!("{}#{user}", searched(folded))
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

/// What sorts behind every key of an instant before `instant`, and before those of `instant`.
#[must_use]
pub fn before(instant: Timestamp) -> String {
    instant_and_id(instant, "")
}

/// What sorts behind every key of an instant up to and including `instant`.
#[must_use]
pub fn up_to(instant: Timestamp) -> String {
    before(instant + SignedDuration::from_millis(1))
}

/// A sort key in the order of instants, told apart by an id.
#[must_use]
pub fn instant_and_id(instant: Timestamp, id: &str) -> String {
    format!("{:015}#{id}", instant.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_text_in_their_order() {
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(900_000));

        assert!(instant_and_id(early, "z") < instant_and_id(late, "a"));
    }

    #[test]
    fn the_bound_before_an_id_parts_it_from_every_smaller_one() {
        let ids = [(0, 0), (0, 1), (0, 9), (0, 10), (0, u128::MAX), (1, 0), (1, 1), (32, 0)];
        let ids = ids.map(|(at, random)| EventId::new(Timestamp::from_millisecond(at).unwrap(), random));

        for (at, id) in ids.iter().enumerate() {
            let bound = before_id(id.as_str());
            assert!(bound.as_str() < id.as_str());
            assert!(ids.iter().take(at).all(|smaller| smaller.as_str() < bound.as_str()), "{id}");
        }
    }

    #[test]
    fn memberships_stand_in_their_teams_partition() {
        let (team, user) = (TeamId::default_team(), UserId::new(Timestamp::UNIX_EPOCH, 1));

        assert_eq!(Key::membership(&team, &user).pk, Key::team(&team).pk);
        assert_ne!(Key::membership(&team, &user).sk, Key::team(&team).sk);
    }
}
