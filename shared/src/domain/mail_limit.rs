//! How many mails a stranger can cause by typing an address into a form.
//!
//! Counts the mails of a forgotten password, of asking for a confirmation again and of registering a known address,
//! together. The mail of a first registration is none of them: it cannot be caused twice.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The most such mails to one address in one window.
const MOST: u32 = 5;
/// How long a window lasts, from its first mail.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The mails that an address was sent, as its sentinel holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailWindow {
    /// How many.
    pub count: u32,
    /// Until when they count.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
}

impl MailWindow {
    /// The window with one mail more, after `before`; `None` where that would be one too many.
    #[must_use]
    pub fn with_another(before: Option<Self>, now: Timestamp) -> Option<Self> {
        match before.filter(|window| now < window.until) {
            None => Some(Self { count: 1, until: now + WINDOW }),
            Some(window) => (window.count < MOST).then(|| Self { count: window.count + 1, ..window }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_mails_go_out_in_an_hour_and_the_next_when_it_is_over() {
        let start = Timestamp::UNIX_EPOCH;
        let sixth = start + SignedDuration::from_mins(59);
        let mut window = None;
        for _ in 0..5 {
            window = MailWindow::with_another(window, start);
            assert!(window.is_some());
        }

        assert_eq!(MailWindow::with_another(window, sixth), None);
        let next = MailWindow::with_another(window, start + WINDOW).unwrap();
        assert_eq!((next.count, next.until), (1, start + WINDOW + WINDOW));
    }
}
