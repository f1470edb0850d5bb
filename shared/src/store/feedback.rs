//! What becomes of mails after SES took them, and the addresses to which nothing is sent because of it.

use super::{
    Store, StoreError,
    change::Change,
    keys::Key,
    rows::Sentinel,
    transaction::{Commit, Position, Transaction},
};
use crate::{
    domain::{
        audit::Origin,
        email::Email,
        ids::MailId,
        suppression::{MailStatus, Suppression, Trouble},
        user::User,
    },
    mail::{Delivery, OutboxEntry},
};

/// What the news of a mail is judged by.
#[derive(Debug)]
pub struct FeedbackFacts {
    /// The recipient's place in the entry, and how far their copy has come; nothing of an entry that was collected.
    copy: Option<(usize, Delivery)>,
    /// What stands about the address.
    suppression: Option<Suppression>,
    /// Whose address it is.
    person: Option<User>,
}

/// What became of the news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is noted, and nothing more is sent to the address.
    Done,
    /// It was noted before.
    Known,
    /// Something changed since the facts were read.
    Overtaken,
}

impl Store {
    /// Reads what is known of a mail and its recipient: one batch, and one for the person whose address it is.
    pub async fn feedback_facts(&self, mail: &MailId, to: &Email) -> Result<FeedbackFacts, StoreError> {
        let fetched = self.db.fetch([Key::outbox(mail), Key::suppression(to), Key::email(to)]).await?;
        let entry: Option<OutboxEntry> = fetched.get(&Key::outbox(mail))?;
        let mut copies = entry.iter().flat_map(|entry| &entry.to).enumerate();
        let copy = copies.find(|(_, copy)| copy.email == *to).map(|(index, copy)| (index, copy.delivery));
        let known: Option<Sentinel> = fetched.get(&Key::email(to))?;
        let person = match known {
            Some(known) => self.person(&known.user_id).await?,
            None => None,
        };
        let person = person.filter(|person| person.email == *to);
        Ok(FeedbackFacts { copy, suppression: fetched.get(&Key::suppression(to))?, person })
    }

    /// Notes that `mail` to `to` met `trouble`, once however often it is told: what a copy met is kept with it.
    ///
    /// One transaction: the address (suppressed, over what was read), the recipient's copy, the person whose address it
    /// is, audit.
    pub async fn note_trouble(
        &self,
        facts: &FeedbackFacts,
        mail: &MailId,
        to: &Email,
        trouble: Trouble,
        origin: &Origin,
    ) -> Result<Noted, StoreError> {
        let before = facts.suppression.as_ref();
        let known = match facts.copy {
            Some((_, delivery)) => delivery.has_met(trouble),
            None => before.is_some_and(|before| before.reason >= trouble),
        };
        if known {
            return Ok(Noted::Known);
        }
        let suppression = Suppression::after(before, trouble, mail, origin.now);
        let status = MailStatus::from(suppression.reason);
        let mut transaction = Transaction::default();
        let put = Change::put(Key::suppression(to), &suppression);
        transaction.add(match before {
            Some(before) => put.when("#reason = :before").with("before", before.reason),
            None => put.when_new(),
        });
        if let Some((index, delivery)) = facts.copy {
            let copy = format!("#to[{index}].#delivery");
            let change = Change::update(Key::outbox(mail), &format!("SET {copy} = :after"))
                .when(&format!("{copy} = :before"))
                .with("after", Delivery::from(trouble))
                .with("before", delivery);
            transaction.add(change);
        }
        let event = self.event(origin, trouble.action(), Some(facts.target(mail)));
        match facts.person.as_ref().filter(|person| person.mail_status != status) {
            Some(person) => {
                let change = Change::update(
                    Key::user(&person.id),
                    "SET #mail_status = :status, #updated_at = :now, #version = #version + :one",
                )
                .when("#email = :email AND #version = :version")
                .with("status", status)
                .with("now", origin.now.as_millisecond())
                .with("one", 1)
                .with("email", &person.email)
                .with("version", person.version);
                transaction.add(change);
                transaction.audit(&event.change("mail_status", person.mail_status, status));
            }
            None => transaction.audit(&event),
        }
        match self.db.commit(transaction).await? {
            Commit::Done => Ok(Noted::Done),
            Commit::Lost(_) => Ok(Noted::Overtaken),
        }
    }
}

impl FeedbackFacts {
    /// Of what the audit tells: the person, else the mail. Never the address.
    fn target<'a>(&'a self, mail: &'a MailId) -> &'a str {
        self.person.as_ref().map_or(mail.as_str(), |person| person.id.as_str())
    }
}

impl Trouble {
    fn action(self) -> &'static str {
        match self {
            Self::Bounced => "mail.bounced",
            Self::Complained => "mail.complained",
        }
    }
}

impl Transaction {
    /// Adds that mail is sent to an address again, whether it was suppressed or not.
    pub(super) fn allow_mail(&mut self, email: &Email) -> Position {
        self.add(Change::delete(Key::suppression(email)))
    }
}
