//! Sending: the only code that names the SES SDK.
//!
//! At least once: an entry is claimed, its link minted, each recipient's copy handed to SES and marked. A crash between
//! SES's acceptance and the mark sends that copy again; both links work until one is used.

use std::collections::BTreeSet;

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message, MessageTag},
};
use jiff::Timestamp;

use super::{
    entry::{Delivery, LinkOrder, MailSettings, OutboxEntry},
    render::{MailTemplate, Rendered, render},
};
use crate::{
    aws_error::causes,
    domain::{
        email::Email,
        ids::MailId,
        link::{Link, PlainToken},
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
    /// Every recipient's copy is with SES, refused by it for good, or not sent because nothing is sent to the address.
    Done,
    /// Nothing is sent to any of its recipients any more.
    Suppressed,
    /// Its link had expired: it is sent to nobody any more.
    Expired,
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
    #[error("SES did not take mail {id}: SendEmail failed: {cause}")]
    Ses {
        /// The entry.
        id: MailId,
        /// The code of SES's answer, or what kept SES from answering. Never its message: that may quote addresses.
        cause: String,
    },
}

impl Mailer {
    /// Sends one entry, unless somebody else is at it.
    ///
    /// # Errors
    /// [`MailError`]; the claim on the entry is released, so that the stream may try it again at once. In the sweep's
    /// list it stands back, the longer the more often it has failed.
    pub async fn deliver(&self, id: &MailId, now: Timestamp) -> Result<Delivered, MailError> {
        let (entry, attempts, settings, template, suppressed) = match self.outbox.take(id, now).await? {
            Taken::Yours { entry, attempts, settings, template, suppressed } => {
                (entry, attempts, settings, template, suppressed)
            }
            Taken::NotYours => return Ok(Delivered::NotMine),
        };
        let outcome = if entry.has_expired(now) {
            self.give_up(&entry).await.map(|()| Delivered::Expired)
        } else if let Some(sender) = &settings.sender {
            self.send_copies(&entry, template.as_ref(), &settings, sender, &suppressed).await
        } else {
            self.outbox.release(id).await?;
            return Ok(Delivered::NoSender);
        };
        match outcome {
            Ok(delivered) => {
                self.outbox.mark_done(id).await?;
                Ok(delivered)
            }
            Err(error) => {
                self.outbox.put_back(id, attempts, now).await;
                Err(error)
            }
        }
    }

    /// Sends entries that have been due since before `waiting_since`, at most `most` of them, each on its own. Returns
    /// how many went out and the failures.
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
            let delivered = match id {
                Ok(id) => self.deliver(&id, now).await,
                Err(error) => Err(error.into()),
            };
            match delivered {
                Ok(Delivered::Done) => sent += 1,
                Ok(Delivered::Suppressed | Delivered::Expired | Delivered::NotMine) => {}
                Ok(Delivered::NoSender) => break,
                Err(error) => failures.push(error),
            }
        }
        Ok((sent, failures))
    }

    async fn send_copies(
        &self,
        entry: &OutboxEntry,
        template: Option<&MailTemplate>,
        settings: &MailSettings,
        sender: &Email,
        suppressed: &BTreeSet<Email>,
    ) -> Result<Delivered, MailError> {
        let mut delivered = Delivered::Suppressed;
        for (index, recipient) in entry.queued() {
            if suppressed.contains(&recipient.email) {
                tracing::info!(mail = %entry.id, "a copy is not sent: nothing is sent to its address");
                self.outbox.mark_copy(&entry.id, index, Delivery::Suppressed).await?;
                continue;
            }
            delivered = Delivered::Done;
            let token = match &entry.link {
                Some(order) => Some(self.mint(order).await?),
                None => None,
            };
            let mail = render(entry, template, settings, &self.portal_url, token.as_ref())
                .map_err(|source| MailError::Template { id: entry.id.clone(), source })?;
            let delivery = self.send(entry, settings, sender, &recipient.email, mail).await?;
            self.outbox.mark_copy(&entry.id, index, delivery).await?;
        }
        Ok(delivered)
    }

    /// Notes that nobody gets a copy any more: a mail whose link has expired would lead its reader to a dead end.
    async fn give_up(&self, entry: &OutboxEntry) -> Result<(), MailError> {
        for (index, _) in entry.queued() {
            self.outbox.mark_copy(&entry.id, index, Delivery::Expired).await?;
        }
        tracing::warn!(mail = %entry.id, "a mail's link expired before the mail could be sent");
        Ok(())
    }

    /// Mints the token of one sending and writes its link.
    async fn mint(&self, order: &LinkOrder) -> Result<PlainToken, StoreError> {
        let token = PlainToken::new(self.random.bytes());
        let link = Link {
            user_id: order.user_id.clone(),
            purpose: order.purpose,
            link_version: order.link_version,
            expires_at: order.expires_at,
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
        let failed = |cause| MailError::Ses { id: entry.id.clone(), cause };
        let incomplete = |error: BuildError| failed(causes(&error));
        let content = |text: String| Content::builder().charset("UTF-8").data(text).build();
        let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
        let body =
            Body::builder().text(content(mail.text).map_err(incomplete)?).html(content(mail.html).map_err(incomplete)?);
        let message = Message::builder().subject(content(mail.subject).map_err(incomplete)?).body(body.build());
        let sent = self
            .ses
            .send_email()
            .from_email_address(from_header(settings, sender))
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message.build()).build())
            .email_tags(tag("event", entry.event.as_str()).map_err(incomplete)?)
            .email_tags(tag("mail_id", entry.id.as_str()).map_err(incomplete)?)
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Delivery::Sent),
            Err(SdkError::ServiceError(answer)) => {
                let code = answer.err().code().unwrap_or("no code");
                if is_not_verified(answer.err()) {
                    return Err(failed(format!("{code}: an address is not verified")));
                }
                if !is_final(answer.err()) {
                    return Err(failed(code.to_owned()));
                }
                tracing::warn!(mail = %entry.id, code, "SES refused a mail for good");
                Ok(Delivery::Refused)
            }
            Err(error) => Err(failed(causes(&error))),
        }
    }
}

/// Whether SES will never take this copy: it refuses what the mail says, or how the address is written.
fn is_final(error: &SendEmailError) -> bool {
    matches!(error, SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_))
}

/// Whether SES does not know the sender yet, or, in its sandbox, the recipient: the operator's to mend, and then the
/// mail goes out. SES has no code of its own for that.
fn is_not_verified(error: &SendEmailError) -> bool {
    error.message().is_some_and(|message| message.to_ascii_lowercase().contains("not verified"))
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
