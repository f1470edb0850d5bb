//! What SES tells of a mail: the part of its events that matters here.
//!
//! An event holds an address and a subject: nothing of it goes into an error or a log.

use std::collections::HashMap;

use serde::Deserialize;
use shared::domain::{email::Email, ids::MailId, suppression::Trouble};

/// How SES's greeting begins: what it sends once, when it is told of a topic.
const GREETING: &str = "Successfully validated SNS topic";
/// What a mailbox provider tells whose reader took a mail out of the spam folder again.
const NOT_SPAM: &str = "not-spam";

/// What a message of the topic says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A mail met something that speaks against sending more to its recipient.
    Trouble {
        /// The mail.
        mail: MailId,
        /// Its one recipient.
        to: Email,
        /// What it met.
        trouble: Trouble,
    },
    /// A mail met something that may pass, or that is none of this function's business.
    Passing {
        /// The mail.
        mail: MailId,
    },
    /// No news of a mail: SES greets a topic with a line of text, once.
    Greeting,
}

/// News that cannot be understood: what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoNews {
    /// Its shape is not that of an event.
    #[error("it is no event of SES: line {line}, column {column}")]
    Shape {
        /// Where the reading ended.
        line: usize,
        /// Where the reading ended.
        column: usize,
    },
    /// It names no mail of the portal.
    #[error("it names no mail: the tag mail_id is missing or no id")]
    Mail,
    /// It names no recipient, or several.
    #[error("it names no single recipient")]
    Recipient,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "eventType")]
    kind: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
struct Mail {
    destination: Vec<String>,
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complaint_feedback_type: Option<String>,
}

impl News {
    /// Reads a message.
    ///
    /// # Errors
    /// [`NoNews`]: whatever is no event and not the greeting may be news that is lost unless somebody looks at it.
    pub fn read(message: &str) -> Result<Self, NoNews> {
        if message.trim_start().starts_with(GREETING) {
            return Ok(Self::Greeting);
        }
        let event: Event = serde_json::from_str(message)
            .map_err(|error| NoNews::Shape { line: error.line(), column: error.column() })?;
        let tag = event.mail.tags.get("mail_id").and_then(|values| values.first());
        let mail = tag.and_then(|id| MailId::parse(id)).ok_or(NoNews::Mail)?;
        let Some(trouble) = event.trouble() else { return Ok(Self::Passing { mail }) };
        // Each copy is a mail of its own. Whom the bounce itself names may be somebody to whom the mailbox forwards.
        let [to] = event.mail.destination.as_slice() else { return Err(NoNews::Recipient) };
        let to = Email::parse(to).map_err(|_| NoNews::Recipient)?;
        Ok(Self::Trouble { mail, to, trouble })
    }
}

impl Event {
    /// What speaks against sending more. A mailbox that is full or away today may take the next mail, and some complaints
    /// are their contrary: a reader who says that it was no spam.
    fn trouble(&self) -> Option<Trouble> {
        let bounced = || self.bounce.as_ref().is_some_and(|bounce| bounce.bounce_type == "Permanent");
        let says = || self.complaint.as_ref().and_then(|complaint| complaint.complaint_feedback_type.as_deref());
        match self.kind.as_str() {
            "Bounce" if bounced() => Some(Trouble::Bounced),
            "Complaint" if says() != Some(NOT_SPAM) => Some(Trouble::Complained),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const MAIL: &str = "mail_01kf0ev11gzqq463a0qnbxxtp1";

    fn event(kind: &str, more: Value) -> Value {
        let mail = json!({"destination": ["Ada@Example.com"], "tags": {"mail_id": [MAIL], "event": ["invitation"]}});
        let mut event = json!({"eventType": kind, "mail": mail});
        let Value::Object(more) = more else { panic!("{more}") };
        event.as_object_mut().unwrap().extend(more);
        event
    }

    fn read(event: &Value) -> Result<News, NoNews> {
        News::read(&event.to_string())
    }

    fn trouble(trouble: Trouble) -> News {
        let to = Email::parse("ada@example.com").unwrap();
        News::Trouble { mail: MailId::parse(MAIL).unwrap(), to, trouble }
    }

    #[test]
    fn a_bounce_for_good_and_a_complaint_are_trouble_and_what_may_pass_is_not() {
        let passing = News::Passing { mail: MailId::parse(MAIL).unwrap() };
        let bounce = |kind: &str| event("Bounce", json!({"bounce": {"bounceType": kind}}));

        assert_eq!(read(&bounce("Permanent")), Ok(trouble(Trouble::Bounced)));
        assert_eq!(read(&event("Complaint", json!({"complaint": {}}))), Ok(trouble(Trouble::Complained)));
        for kind in [Value::Null, json!("abuse"), json!("other")] {
            let complaint = event("Complaint", json!({"complaint": {"complaintFeedbackType": kind}}));
            assert_eq!(read(&complaint), Ok(trouble(Trouble::Complained)), "{complaint}");
        }
        let not_spam = event("Complaint", json!({"complaint": {"complaintFeedbackType": "not-spam"}}));
        for other in [bounce("Transient"), bounce("Undetermined"), event("Delivery", json!({})), not_spam] {
            assert_eq!(read(&other), Ok(passing.clone()), "{other}");
        }
    }

    #[test]
    fn the_recipient_is_whom_the_mail_was_sent_to() {
        let recipients = json!([{"emailAddress": "forwarded@example.org"}]);
        let bounce = json!({"bounceType": "Permanent", "bouncedRecipients": recipients});

        assert_eq!(read(&event("Bounce", json!({"bounce": bounce}))), Ok(trouble(Trouble::Bounced)));
    }

    #[test]
    fn whatever_is_neither_an_event_nor_the_greeting_is_an_error() {
        let cut = event("Complaint", json!({})).to_string();
        for message in ["", "null", "\"ada@example.com\"", "[]", "{}", "Hello ada@example.com", &cut[..cut.len() - 1]] {
            let error = News::read(message).unwrap_err();
            assert!(matches!(error, NoNews::Shape { .. }) && !error.to_string().contains("ada"), "{message}: {error}");
        }
    }

    #[test]
    fn a_greeting_is_no_news_and_what_lacks_something_is_an_error_that_quotes_nothing() {
        assert_eq!(News::read("Successfully validated SNS topic for Amazon SES event publishing."), Ok(News::Greeting));
        let changed = |pointer: &str, value: Value| {
            let mut event = event("Complaint", json!({}));
            *event.pointer_mut(pointer).unwrap() = value;
            read(&event).unwrap_err()
        };

        assert_eq!(changed("/mail/tags", json!({})), NoNews::Mail);
        assert_eq!(changed("/mail/tags/mail_id", json!(["nonsense"])), NoNews::Mail);
        assert_eq!(changed("/mail/destination", json!([])), NoNews::Recipient);
        assert_eq!(changed("/mail/destination", json!(["ada"])), NoNews::Recipient);
        let shape = changed("/mail/destination", json!("ada@example.com"));
        assert!(matches!(shape, NoNews::Shape { .. }) && !shape.to_string().contains("ada"), "{shape}");
    }
}
