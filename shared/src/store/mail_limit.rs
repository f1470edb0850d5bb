//! Counting the mails that strangers cause, in the sentinel of their address and in the transaction that queues them.

use jiff::Timestamp;

use super::{change::Change, rows::Sentinel};
use crate::domain::mail_limit::MailWindow;

/// One mail more to a known address.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountedMail {
    before: Option<MailWindow>,
    after: MailWindow,
}

impl CountedMail {
    /// Counts a mail; `None` where it would be one too many and must not be sent.
    pub fn another(known: &Sentinel, now: Timestamp) -> Option<Self> {
        let before = known.mails;
        MailWindow::with_another(before, now).map(|after| Self { before, after })
    }

    /// The update of the sentinel that counts the mail, with `more` set beside, under the condition that account,
    /// `link_version` and count are what was read.
    pub fn counted(self, key: super::keys::Key, known: &Sentinel, more: &str) -> Change {
        let count = if self.before.is_some() { "#mails = :mails_before" } else { "attribute_not_exists(#mails)" };
        let change = Change::update(key, &format!("SET #mails = :mails{more}"))
            .when(&format!("#user_id = :user_id AND #link_version = :version AND {count}"))
            .with("mails", self.after)
            .with("user_id", &known.user_id)
            .with("version", known.link_version);
        match self.before {
            Some(before) => change.with("mails_before", before),
            None => change,
        }
    }
}
