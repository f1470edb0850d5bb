//! The audit trail: who did what to whom. Part of the transaction that it describes, append-only.
//!
//! No name, address or attribute stands in an event, so it can be kept when a person is erased
//! (`docs/architecture.md`, section 3.12).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    idempotency::Repeatable,
    ids::{EventId, UserId},
};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A logged-in person.
    User(UserId),
    /// Somebody who is not logged in: a registration, a mailed link.
    Visitor,
    /// A schedule or the deployment.
    System,
}

/// Where a change comes from: what every write takes along for its audit event, and a creation for its record.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who acts.
    pub actor: Actor,
    /// The request in which it happens.
    pub request_id: String,
    /// When it happens: the one instant of the whole request.
    pub now: Timestamp,
    /// How a repeat of the request is known, where it creates something and its client may send it again.
    pub repeatable: Option<Repeatable>,
}

impl Origin {
    /// What `actor` does at `now`, in a request that no repeat is known of.
    #[must_use]
    pub fn new(actor: Actor, request_id: impl Into<String>, now: Timestamp) -> Self {
        Self { actor, request_id: request_id.into(), now, repeatable: None }
    }

    /// The same, in a request whose creation is recorded for its repeats.
    #[must_use]
    pub fn repeatable(self, repeatable: Option<Repeatable>) -> Self {
        Self { repeatable, ..self }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done, such as `user.approved`.
    pub action: String,
    /// The id of what it was done to, where there is one.
    pub target: Option<String>,
    /// The names of the fields that changed.
    pub changed: Vec<String>,
    /// The former values of those that are not personal.
    pub before: Map<String, Value>,
    /// The new values of those that are not personal.
    pub after: Map<String, Value>,
    /// The request in which it happened.
    pub request_id: String,
}

impl AuditEvent {
    /// An event that changed nothing that is shown.
    #[must_use]
    pub fn new(origin: &Origin, random: u128, action: &str, target: Option<&str>) -> Self {
        Self {
            id: EventId::new(origin.now, random),
            at: origin.now,
            actor: origin.actor.clone(),
            action: action.to_owned(),
            target: target.map(str::to_owned),
            changed: Vec::new(),
            before: Map::new(),
            after: Map::new(),
            request_id: origin.request_id.clone(),
        }
    }

    /// Adds a changed field whose values are not personal.
    #[must_use]
    pub fn change(mut self, field: &str, before: impl Serialize, after: impl Serialize) -> Self {
        let value = |value: serde_json::Result<Value>| value.unwrap_or(Value::Null);
        self.changed.push(field.to_owned());
        self.before.insert(field.to_owned(), value(serde_json::to_value(before)));
        self.after.insert(field.to_owned(), value(serde_json::to_value(after)));
        self
    }

    /// Adds a changed field whose values are personal: its name alone.
    #[must_use]
    pub fn personal_change(mut self, field: &str) -> Self {
        self.changed.push(field.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_change_leaves_its_name_and_no_value() {
        let origin = Origin::new(Actor::System, "r", Timestamp::UNIX_EPOCH);

        let event = AuditEvent::new(&origin, 1, "user.changed", None).personal_change("email").change(
            "role",
            "team_member",
            "consumer_admin",
        );

        assert_eq!(event.changed, ["email", "role"]);
        assert_eq!(event.before.keys().collect::<Vec<_>>(), ["role"]);
    }
}
