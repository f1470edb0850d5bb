//! The partitions of the indexes: which items a list, a queue or a group holds.

use crate::domain::{
    audit::Actor,
    ids::{InviteCodeId, OrganisationId, UserId},
    organisation_request::RequestStatus,
    user::Status,
};

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
