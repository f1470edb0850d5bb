//! What was sent, newest first.

use crate::Now;
use crate::kept::{Kept, KeptError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Mails beyond so many are dropped, oldest first.
const KEPT: u64 = 10_000;
const MAIL: &str = "mail";

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The id that its sender was told.
    pub id: String,
    /// Its sender.
    pub from: String,
    /// Its recipients, separated by commas.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub text: Option<String>,
    /// Its HTML.
    pub html: Option<String>,
    /// What it was sent for: the value of its tag `event`.
    pub event: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The headers that its sender added.
    pub headers: BTreeMap<String, String>,
    /// The configuration set that it was sent with.
    pub configuration_set: Option<String>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

impl Mail {
    /// Whether `address` is among its recipients, without regard to case.
    pub fn is_to(&self, address: &str) -> bool {
        self.to.split(", ").any(|recipient| {
            let bare = recipient.rsplit_once('<').map_or(recipient, |(_, rest)| rest.trim_end_matches('>'));
            bare.eq_ignore_ascii_case(address)
        })
    }
}

/// The mail that was sent, the newest 10,000 of it.
#[derive(Clone)]
pub struct Mailbox {
    kept: Arc<Kept>,
    now: Now,
}

impl Mailbox {
    pub(crate) fn new(kept: Arc<Kept>, now: Now) -> Self {
        Self { kept, now }
    }

    /// The mails, newest first: all, or those to one address.
    pub fn list(&self, to: Option<&str>) -> Result<Vec<Mail>, KeptError> {
        let all: Vec<(String, Mail)> = self.kept.change()?.newest(MAIL, u32::MAX)?;
        Ok(all.into_iter().map(|(_, mail)| mail).filter(|mail| to.is_none_or(|to| mail.is_to(to))).collect())
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(crate) fn keep(&self, mail: &Mail) -> Result<(), KeptError> {
        let change = self.kept.change()?;
        let newest: Vec<(String, Mail)> = change.newest(MAIL, 1)?;
        let number = newest.first().and_then(|(id, _)| id.parse::<u64>().ok()).unwrap_or_default() + 1;
        // Padded so that the order of the texts is that of the numbers.
        change.put(MAIL, &format!("{number:020}"), mail)?;
        change.remove_below(MAIL, &format!("{:020}", (number + 1).saturating_sub(KEPT)))?;
        change.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_mail_makes_room_for_the_ten_thousand_and_first() {
        let mailbox = Mailbox::new(Arc::new(Kept::open(None).unwrap()), Arc::new(|| Timestamp::UNIX_EPOCH));
        let mail = |subject: &str| Mail {
            id: subject.to_owned(),
            from: "portal@portico.example".to_owned(),
            to: "Ada <ada@example.com>, bob@example.com".to_owned(),
            subject: subject.to_owned(),
            text: None,
            html: None,
            event: None,
            tags: BTreeMap::new(),
            headers: BTreeMap::new(),
            configuration_set: None,
            sent_at: mailbox.now(),
        };
        let change = mailbox.kept.change().unwrap();
        for number in [1, 2, KEPT] {
            change.put(MAIL, &format!("{number:020}"), &mail(&number.to_string())).unwrap();
        }
        change.commit().unwrap();

        mailbox.keep(&mail("10001")).unwrap();

        let subjects: Vec<_> =
            mailbox.list(Some("bob@example.com")).unwrap().into_iter().map(|mail| mail.subject).collect();
        assert_eq!(subjects, ["10001", "10000", "2"]);
        assert_eq!(mailbox.list(Some("ada@example.com")).unwrap().len(), 3);
    }
}
