//! Sort keys, and the bounds between them.

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::UserId;

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
    use crate::domain::ids::EventId;

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
}
