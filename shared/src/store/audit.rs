//! Reading the audit trail, the newest event first. It is written by the transactions that its events describe.

use std::ops::Range;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{
    Store, StoreError,
    db::read,
    keys::{self, Key, Table},
    query::text,
};
use crate::domain::{
    audit::{Actor, AuditEvent},
    ids::EventId,
};

/// The most queries that one page makes: a month without an event costs one.
const MOST_QUERIES: usize = 2;
/// How many events a page looks at, at least, where not every one of them is shown: as many as one batch reads.
const LOOKED_AT: u16 = 100;
const A_MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// Which events are asked for; `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// What this actor did.
    pub actor: Option<Actor>,
    /// What was done to the holder of this id.
    pub target: Option<String>,
    /// With this action.
    pub action: Option<String>,
}

impl EventFilter {
    fn fits(&self, event: &AuditEvent) -> bool {
        self.actor.as_ref().is_none_or(|actor| event.actor == *actor)
            && self.target.as_ref().is_none_or(|target| event.target.as_ref() == Some(target))
            && self.action.as_ref().is_none_or(|action| event.action == *action)
    }

    /// The index, its prefix and partition that hold the fewest events among which all that fit are.
    fn narrowest(&self) -> Option<(&'static str, &'static str, String)> {
        let target = self.target.as_ref().map(|target| ("Groups", "group", keys::events_of(target)));
        let action = || self.action.as_ref().map(|action| ("Queues", "queue", keys::events_named(action)));
        let by = |actor| ("Lists", "list", keys::events_by(actor));
        target.or_else(|| match &self.actor {
            Some(actor @ Actor::User(_)) => Some(by(actor)),
            Some(actor @ (Actor::Visitor | Actor::System)) => action().or_else(|| Some(by(actor))),
            None => action(),
        })
    }

    fn names_one_thing(&self) -> bool {
        [self.actor.is_some(), self.target.is_some(), self.action.is_some()].into_iter().filter(|named| *named).count()
            == 1
    }
}

/// Some of the events asked for, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events, the newest first.
    pub events: Vec<AuditEvent>,
    /// The position behind which the next page starts; `None` at the end. There need not be an event with this id.
    pub next: Option<EventId>,
}

/// What an index tells of an event before its row is read.
#[derive(Debug, Deserialize)]
struct Hint {
    sk: EventId,
}

impl Store {
    /// A page of the events that happened in `span`, the newest first, behind position `after`.
    ///
    /// Without a filter one query per month, strongly consistent, at most two: a page may be short or empty before the
    /// end. With one, one query of an index, which may lag behind, and a batch per hundred events; with several the
    /// further ones are judged by the rows, and a page may be short too.
    pub async fn audit_trail(
        &self,
        filter: &EventFilter,
        span: Range<Timestamp>,
        after: Option<EventId>,
        limit: u16,
    ) -> Result<EventPage, StoreError> {
        let from = EventId::new(span.start, 0);
        let newest = last_before(span.end);
        let behind = after.map_or(newest.clone(), |after| after.min(newest));
        if behind <= from {
            return Ok(EventPage::default());
        }
        match filter.narrowest() {
            Some(place) => self.events_found(place, filter, &from, &behind, limit).await,
            None => self.events_by_month(&from, behind, limit).await,
        }
    }

    /// Walks the months backwards from `behind`.
    async fn events_by_month(&self, from: &EventId, behind: EventId, limit: u16) -> Result<EventPage, StoreError> {
        let (mut events, mut behind) = (Vec::new(), behind);
        for _ in 0..MOST_QUERIES {
            let missing = i32::from(limit).saturating_sub(i32::try_from(events.len()).unwrap_or(i32::MAX));
            let month = self.db.partition(Table::Portal, &keys::events_in(behind.made_at()));
            let query = newest_first(month, "pk", "sk", from, &behind).limit(missing);
            let output = self.db.query(query).await?;
            for item in output.items.unwrap_or_default() {
                events.push(read::<AuditEvent>(item)?);
            }
            let next = match output.last_evaluated_key {
                Some(key) => Some(read::<Hint>(key)?.sk),
                None => Some(last_before(start_of_month(behind.made_at()))).filter(|before| before > from),
            };
            match next {
                Some(position) if events.len() < usize::from(limit) => behind = position,
                next => return Ok(EventPage { events, next }),
            }
        }
        Ok(EventPage { events, next: Some(behind) })
    }

    /// Reads the events that an index names.
    async fn events_found(
        &self,
        (index, prefix, partition): (&str, &str, String),
        filter: &EventFilter,
        from: &EventId,
        behind: &EventId,
        limit: u16,
    ) -> Result<EventPage, StoreError> {
        let looked_at = if filter.names_one_thing() { limit } else { limit.max(LOOKED_AT) };
        let query = self.db.indexed(Table::Portal, index, prefix, &partition);
        let query = newest_first(query, &format!("{prefix}_pk"), &format!("{prefix}_sk"), from, behind);
        let output = self.db.query(query.limit(i32::from(looked_at))).await?;
        let hints: Vec<Hint> = output.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        let last: Option<Hint> = output.last_evaluated_key.map(read).transpose()?;
        let mut next = last.map(|last| last.sk);
        let fetched = self.db.fetch(hints.iter().map(|hint| Key::audit_event(&hint.sk))).await?;
        let mut events: Vec<AuditEvent> = Vec::new();
        for hint in &hints {
            let event = fetched.get::<AuditEvent>(&Key::audit_event(&hint.sk))?;
            let Some(event) = event.filter(|event| filter.fits(event)) else { continue };
            if events.len() == usize::from(limit) {
                next = events.last().map(|last| last.id.clone());
                break;
            }
            events.push(event);
        }
        Ok(EventPage { events, next })
    }
}

/// Narrows a query to the ids from `from` on and before `behind`, the newest first.
fn newest_first(query: QueryFluentBuilder, pk: &str, sk: &str, from: &EventId, behind: &EventId) -> QueryFluentBuilder {
    query
        .key_condition_expression(format!("{pk} = :pk AND {sk} BETWEEN :from AND :to"))
        .expression_attribute_values(":from", text(from.as_str()))
        .expression_attribute_values(":to", text(&keys::before_id(behind.as_str())))
        .scan_index_forward(false)
}

/// The highest id of all that are made before `instant`: a position, the id of no event.
fn last_before(instant: Timestamp) -> EventId {
    EventId::new(instant - A_MOMENT, u128::MAX)
}

/// When the month, in UTC, began in which `instant` lies.
fn start_of_month(instant: Timestamp) -> Timestamp {
    let day: Date = instant.to_zoned(TimeZone::UTC).date().first_of_month();
    // A month's first day never lies beyond what a timestamp can hold, for the instant itself lies behind it.
    day.to_zoned(TimeZone::UTC).map_or(instant, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;

    #[test]
    fn a_month_begins_at_midnight_of_its_first_day() {
        let start = |text: &str| start_of_month(text.parse().unwrap()).to_string();

        assert_eq!(start("2026-03-31T23:59:59.999Z"), "2026-03-01T00:00:00Z");
        assert_eq!(start("2026-03-01T00:00:00Z"), "2026-03-01T00:00:00Z");
    }

    #[test]
    fn the_last_position_before_an_instant_parts_the_events_before_it_from_those_at_it() {
        let instant: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();

        let position = last_before(instant);

        assert!(EventId::new(instant - A_MOMENT, 1 << 79) < position && position < EventId::new(instant, 0));
        assert_eq!(keys::events_in(position.made_at()), "AUDIT#2026-02");
    }

    #[test]
    fn the_narrowest_index_is_taken() {
        let (user, target) = (Some(Actor::User(UserId::new(Timestamp::UNIX_EPOCH, 1))), Some("inv_1".to_owned()));
        let action = Some("settings.changed".to_owned());
        let index = |actor: &Option<Actor>, target: &Option<String>, action: &Option<String>| {
            let filter = EventFilter { actor: actor.clone(), target: target.clone(), action: action.clone() };
            filter.narrowest().map(|(index, _, _)| index)
        };

        assert_eq!(index(&None, &None, &None), None);
        assert_eq!(index(&user, &target, &action), Some("Groups"));
        assert_eq!(index(&user, &None, &action), Some("Lists"));
        assert_eq!(index(&None, &None, &action), Some("Queues"));
        assert_eq!(index(&Some(Actor::System), &None, &action), Some("Queues"));
        assert_eq!(index(&Some(Actor::Visitor), &None, &None), Some("Lists"));
    }
}
