//! What SES tells a topic of a mail that it took, in the form of its event publishing.

use super::Mail;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What a mail meets on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It comes back for good: there is no such mailbox.
    Bounce,
    /// It comes back, and might arrive another time: the mailbox is full.
    Transient,
    /// Its reader calls it spam.
    Complaint,
}

impl Fate {
    /// Reads its name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "bounce" => Some(Self::Bounce),
            "transient" => Some(Self::Transient),
            "complaint" => Some(Self::Complaint),
            _ => None,
        }
    }
}

/// The event of `mail` that met `fate` at `now`.
pub fn feedback(mail: &Mail, fate: Fate, now: Timestamp) -> Value {
    let recipients: Vec<&str> = mail.to.split(", ").collect();
    let mut event = match fate {
        Fate::Bounce => bounce(&recipients, "Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown", now),
        Fate::Transient => {
            bounce(&recipients, "Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full", now)
        }
        Fate::Complaint => {
            let complained: Vec<_> = recipients.iter().map(|to| json!({"emailAddress": to})).collect();
            json!({"eventType": "Complaint", "complaint": {
                "feedbackId": mail.id, "complaintSubType": null, "complainedRecipients": complained, "timestamp": now,
                "complaintFeedbackType": "abuse", "arrivalDate": now,
            }})
        }
    };
    let tags = mail.tags.iter().map(|(name, value)| (name.clone(), json!([value])));
    let told = json!({
        "timestamp": mail.sent_at, "source": mail.from, "sendingAccountId": "000000000000", "messageId": mail.id,
        "destination": recipients, "headersTruncated": false, "headers": [],
        "commonHeaders": {"from": [mail.from], "to": recipients, "messageId": mail.id, "subject": mail.subject},
        "tags": Value::Object(tags.collect()),
    });
    if let Some(event) = event.as_object_mut() {
        event.insert("mail".to_owned(), told);
    }
    event
}

fn bounce(recipients: &[&str], kind: &str, sub_kind: &str, status: &str, code: &str, now: Timestamp) -> Value {
    let bounced = recipients
        .iter()
        .map(|to| json!({"emailAddress": to, "action": "failed", "status": status, "diagnosticCode": code}));
    json!({"eventType": "Bounce", "bounce": {
        "feedbackId": "feedback", "bounceType": kind, "bounceSubType": sub_kind,
        "bouncedRecipients": bounced.collect::<Vec<_>>(), "timestamp": now, "reportingMTA": "dsn; localhost",
    }})
}
