//! Addresses to which nothing is sent any more, because what was sent came back or was taken for spam.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::MailId;

/// Why nothing is sent to an address any more; what weighs more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// A mail came back for good: there is no such mailbox.
    Bounced,
    /// Its holder called a mail spam.
    Complained,
}

/// What is known of mail to a person's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailStatus {
    /// Nothing speaks against it.
    #[default]
    Ok,
    /// A mail came back for good; nothing more is sent.
    Bounced,
    /// A mail was called spam; nothing more is sent.
    Complained,
}

impl MailStatus {
    /// Whether mail is sent.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        *self == Self::Ok
    }
}

impl From<Trouble> for MailStatus {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Bounced => Self::Bounced,
            Trouble::Complained => Self::Complained,
        }
    }
}

/// That nothing is sent to an address, until an API Owner allows it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Why.
    pub reason: Trouble,
    /// Since when this reason is known.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// The mail that told it.
    pub mail_id: MailId,
}

impl Suppression {
    /// What stands after `mail_id` met `trouble` at `now`: the graver reason, and of two alike the first.
    #[must_use]
    pub fn after(before: Option<&Self>, trouble: Trouble, mail_id: &MailId, now: Timestamp) -> Self {
        match before {
            Some(before) if before.reason >= trouble => before.clone(),
            _ => Self { reason: trouble, since: now, mail_id: mail_id.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_reason_stands_and_of_two_alike_the_first() {
        let mails = [1, 2, 3].map(|number| MailId::new(Timestamp::UNIX_EPOCH, number));
        let at = |second| Timestamp::from_second(second).unwrap();
        let bounced = Suppression::after(None, Trouble::Bounced, &mails[0], at(1));

        let again = Suppression::after(Some(&bounced), Trouble::Bounced, &mails[1], at(2));
        let spam = Suppression::after(Some(&bounced), Trouble::Complained, &mails[1], at(2));
        let late = Suppression::after(Some(&spam), Trouble::Bounced, &mails[2], at(3));

        assert_eq!((&again, bounced.reason), (&bounced, Trouble::Bounced));
        assert_eq!((spam.reason, spam.since, &spam.mail_id), (Trouble::Complained, at(2), &mails[1]));
        assert_eq!(late, spam);
        assert_eq!(MailStatus::from(spam.reason), MailStatus::Complained);
    }
}
