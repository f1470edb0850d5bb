//! When the creator of an invite code is told of it: shortly before its end, and when few slots are left.

use jiff::{SignedDuration, Timestamp};

use super::{CodeState, InviteCode};

/// How long before a code's end its creator is told.
pub const NOTICE_BEFORE_END: SignedDuration = SignedDuration::from_hours(72);

/// Whether a code that ends at `end` is to be told of later. Who sets an end nearer than the notice knows of it already.
#[must_use]
pub fn is_told_of(end: Timestamp, now: Timestamp) -> bool {
    end - NOTICE_BEFORE_END > now
}

impl InviteCode {
    /// Whether its use is watched: of a code for any number there is nothing to tell, and a code for one person is meant
    /// to be used up.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.quota.is_some_and(|quota| quota > 1)
    }

    /// Whether so few slots are left that its creator is told: a tenth of the quota, and none of a quota below ten. A code
    /// that lets nobody in for another reason is not told of.
    #[must_use]
    pub fn is_low(&self, now: Timestamp) -> bool {
        let few = self.quota.zip(self.remaining()).is_some_and(|(quota, left)| left.saturating_mul(10) <= quota.into());
        self.is_watched() && few && matches!(self.state(now), CodeState::Usable | CodeState::Exhausted)
    }

    /// Whether its end is to be told of at `now`: it is near, and until then the code would let people in.
    #[must_use]
    pub fn ends_untold(&self, now: Timestamp) -> bool {
        self.state(now) == CodeState::Usable && self.expires_at.is_some_and(|end| !is_told_of(end, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invite_code::tests::code;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_code_is_low_with_a_tenth_left_a_small_one_with_none_and_one_for_a_single_person_never() {
        let low = |quota, used| InviteCode { quota, used, ..code() }.is_low(NOW);

        assert_eq!([89, 90, 91, 100].map(|used| low(Some(100), used)), [false, true, true, true]);
        assert_eq!([8, 9, 10].map(|used| low(Some(10), used)), [false, true, true]);
        assert_eq!([17, 18].map(|used| low(Some(19), used)), [false, true]);
        assert_eq!([8, 9].map(|used| low(Some(9), used)), [false, true]);
        assert_eq!([1, 2].map(|used| low(Some(2), used)), [false, true]);
        assert_eq!([0, 1].map(|used| low(Some(1), used)), [false, false]);
        assert!(!low(None, 1_000_000));
    }

    #[test]
    fn a_code_that_is_switched_off_or_over_is_not_told_of() {
        let soon = Some(NOW + NOTICE_BEFORE_END);
        let low = InviteCode { quota: Some(10), used: 9, expires_at: soon, ..code() };
        let off = InviteCode { active: false, ..low.clone() };
        let over = InviteCode { expires_at: Some(NOW), ..low.clone() };

        assert!(low.is_low(NOW) && low.ends_untold(NOW));
        for code in [off, over] {
            assert!(!code.is_low(NOW) && !code.ends_untold(NOW), "{code:?}");
        }
        assert!(!InviteCode { used: 10, ..low.clone() }.ends_untold(NOW));
        for far in [None, Some(NOW + NOTICE_BEFORE_END + SignedDuration::from_millis(1))] {
            assert!(!InviteCode { expires_at: far, ..low.clone() }.ends_untold(NOW));
        }
    }

    #[test]
    fn an_end_within_three_days_of_its_being_set_is_known() {
        assert!(!is_told_of(NOW + NOTICE_BEFORE_END, NOW));
        assert!(is_told_of(NOW + NOTICE_BEFORE_END + SignedDuration::from_millis(1), NOW));
    }
}
