//! The topic that SES tells what became of mails, and the function that it starts.

use aws_lambda_events::event::sns::SnsEvent;
use local_services::{Fate, Mail, feedback};
use serde_json::json;
use shared::clock::Clock;

/// The topic of the template, with its one subscriber.
#[derive(Clone, Debug)]
pub struct Topic {
    /// The function.
    pub function: mail_feedback::App,
    /// The clock.
    pub clock: Clock,
}

impl Topic {
    /// Tells what `mail` met, and returns when the function has dealt with it.
    pub async fn tell(&self, mail: &Mail, fate: Fate) -> Result<(), lambda_http::Error> {
        let now = self.clock.now();
        let arn = "arn:aws:sns:eu-west-1:000000000000:MailFeedbackTopic";
        let event: SnsEvent = serde_json::from_value(json!({"Records": [{
            "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": format!("{arn}:local"),
            "Sns": {
                "Type": "Notification", "MessageId": mail.id, "TopicArn": arn,
                "Subject": "Amazon SES Email Event Notification", "Message": feedback(mail, fate, now).to_string(),
                "Timestamp": now, "SignatureVersion": "1", "Signature": "", "SigningCertUrl": "", "UnsubscribeUrl": "",
                "MessageAttributes": {},
            },
        }]}))?;
        mail_feedback::handle(&self.function, event).await
    }
}
