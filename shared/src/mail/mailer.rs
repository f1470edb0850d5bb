//! Sending: the only code that names the SES SDK.
//!
//! At least once: an entry is claimed, its link minted, each recipient's copy handed to SES and marked. A crash between
//! SES's acceptance and the mark sends that copy again; both links work until one is used.

use aws_sdk_sesv2::{
    Client,
    error::ProvideErrorMetadata,
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message, MessageTag},
};
use jiff::Timestamp;

use super::{
    entry::{Delivery, LinkOrder, MailSettings, OutboxEntry},
    render::{Rendered, render},
};
use crate::{
    domain::{
        email::Email,
        ids::MailId,
        link::{CONFIRM_LIFE, Link, PlainToken},
    },
    random::Random,
    store::{Outbox, StoreError, Taken},
};

/// Sends what is in the outbox.
#[derive(Clone, Debug)]
pub struct Mailer {
    /// Where the entries are.
    pub outbox: Outbox,
    /// Where the mails go.
    pub ses: Client,
    /// The SES configuration set that deliveries are recorded under, if there is one.
    pub configuration_set: Option<String>,
    /// Where links lead: the portal's own address, never one from a request.
    pub portal_url: String,
    /// Where tokens come from.
    pub random: Random,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Every recipient's copy is with SES, or refused by it for good.
    Done,
    /// Nothing to do: it was sent before, another process is at it, or it is gone.
    NotMine,
    /// No sender is set: it stays queued.
    NoSender,
}

/// Why a mail could not be sent now. It stays queued.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The outbox could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The entry does not fit its template.
    #[error("mail {id} does not fit its template: {source}")]
    Template {
        /// The entry.
        id: MailId,
        /// Template and line.
        source: minijinja::Error,
    },
    /// SES did not take it.
    #[error("SES did not take mail {id}: {source}")]
    Ses {
        /// The entry.
        id: MailId,
        /// What the SDK says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Mailer {
    /// Sends one entry, unless somebody else is at it.
    ///
    /// # Errors
    /// [`MailError`]; the claim on the entry is released, so the next try may follow at once.
    pub async fn deliver(&self, id: &MailId, now: Timestamp) -> Result<Delivered, MailError> {
        let (entry, settings) = match self.outbox.take(id, now).await? {
            Taken::Yours { entry, settings } => (entry, settings),
            Taken::NotYours => return Ok(Delivered::NotMine),
        };
        let Some(sender) = settings.sender.clone() else {
            self.outbox.put_back(id).await?;
            return Ok(Delivered::NoSender);
        };
        match self.send_copies(&entry, &settings, &sender).await {
            Ok(()) => {
                self.outbox.mark_done(id).await?;
                Ok(Delivered::Done)
            }
            Err(error) => {
                self.outbox.put_back(id).await?;
                Err(error)
            }
        }
    }

    /// Sends entries that have been waiting since before `waiting_since`, at most `most` of them, each on its own.
    /// Returns how many went out and the failures.
    ///
    /// # Errors
    /// [`MailError`] when the list of unsent entries cannot be read.
    pub async fn deliver_unsent(
        &self,
        waiting_since: Timestamp,
        most: u16,
        now: Timestamp,
    ) -> Result<(usize, Vec<MailError>), MailError> {
        let (mut sent, mut failures) = (0, Vec::new());
        for id in self.outbox.unsent(waiting_since, most).await? {
            match self.deliver(&id, now).await {
                Ok(Delivered::Done) => sent += 1,
                Ok(Delivered::NotMine) => {}
                Ok(Delivered::NoSender) => break,
                Err(error) => failures.push(error),
            }
        }
        Ok((sent, failures))
    }

    async fn send_copies(&self, entry: &OutboxEntry, settings: &MailSettings, sender: &Email) -> Result<(), MailError> {
        for (index, recipient) in entry.to.iter().enumerate() {
            if recipient.delivery != Delivery::Queued {
                continue;
            }
            let token = match &entry.link {
                Some(order) => Some(self.mint(order, entry.created_at).await?),
                None => None,
            };
            let mail = render(entry, settings, &self.portal_url, token.as_ref())
                .map_err(|source| MailError::Template { id: entry.id.clone(), source })?;
            let delivery = self.send(entry, settings, sender, &recipient.email, mail).await?;
            self.outbox.mark_copy(&entry.id, index, delivery).await?;
        }
        Ok(())
    }

    /// Mints the token of one sending and writes its link. Its life counts from `queued_at`, however late the mail goes
    /// out: a link must not outlive the registration that it confirms.
    async fn mint(&self, order: &LinkOrder, queued_at: Timestamp) -> Result<PlainToken, StoreError> {
        let token = PlainToken::new(self.random.bytes());
        let link = Link {
            user_id: order.user_id.clone(),
            purpose: order.purpose,
            link_version: order.link_version,
            expires_at: order.expires_at.unwrap_or(queued_at + CONFIRM_LIFE),
        };
        self.outbox.put_link(&token.hashed(), &link).await?;
        Ok(token)
    }

    async fn send(
        &self,
        entry: &OutboxEntry,
        settings: &MailSettings,
        sender: &Email,
        to: &Email,
        mail: Rendered,
    ) -> Result<Delivery, MailError> {
        let failed = |source| MailError::Ses { id: entry.id.clone(), source };
        let content = |text: String| Content::builder().charset("UTF-8").data(text).build();
        let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
        let body = Body::builder()
            .text(content(mail.text).map_err(|error| failed(error.into()))?)
            .html(content(mail.html).map_err(|error| failed(error.into()))?);
        let message =
            Message::builder().subject(content(mail.subject).map_err(|error| failed(error.into()))?).body(body.build());
        let sent = self
            .ses
            .send_email()
            .from_email_address(from_header(settings, sender))
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message.build()).build())
            .email_tags(tag("event", entry.event.as_str()).map_err(|error| failed(error.into()))?)
            .email_tags(tag("mail_id", entry.id.as_str()).map_err(|error| failed(error.into()))?)
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await;
        match sent.map_err(aws_sdk_sesv2::error::SdkError::into_service_error) {
            Ok(_) => Ok(Delivery::Sent),
            Err(SendEmailError::MessageRejected(error)) => {
                tracing::warn!(mail = %entry.id, code = error.meta().code(), "SES refused a mail for good");
                Ok(Delivery::Refused)
            }
            Err(error) => Err(failed(error.into())),
        }
    }
}

/// The sender with the portal's name, quoted as RFC 5322 has it; a name outside ASCII is left out.
fn from_header(settings: &MailSettings, sender: &Email) -> String {
    let name = settings.portal_name.as_str();
    if !name.is_ascii() {
        return sender.as_str().to_owned();
    }
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{quoted}\" <{}>", sender.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::Name;

    #[test]
    fn a_portal_name_cannot_break_out_of_the_from_header() {
        let sender = Email::parse("portal@example.com").unwrap();
        let from = |name: &str| {
            let portal_name = Name::parse(name).unwrap();
            from_header(&MailSettings { sender: Some(sender.clone()), portal_name }, &sender)
        };

        assert_eq!(from("APIs"), "\"APIs\" <portal@example.com>");
        assert_eq!(from("a\" <eve@example.com>"), "\"a\\\" <eve@example.com>\" <portal@example.com>");
        assert_eq!(from("Entwicklerportal für alle"), "portal@example.com");
    }
}
