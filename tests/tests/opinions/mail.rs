//! What we rely on in SES.

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};

use crate::{
    questions,
    subject::{SENDER, Subject, outcome},
};

questions! {
    a_mail_to_somebody => "ok, with an id",
    a_mail_to_nobody => "BadRequestException",
    a_mail_without_a_subject_or_text => "BadRequestException",
}

fn content(data: &str) -> Content {
    Content::builder().data(data).charset("UTF-8").build().unwrap()
}

fn message(subject: &str, text: &str) -> EmailContent {
    let body = Body::builder().text(content(text)).html(content(&format!("<p>{text}</p>"))).build();
    EmailContent::builder().simple(Message::builder().subject(content(subject)).body(body).build()).build()
}

async fn a_mail_to_somebody(subject: &Subject) -> String {
    let mail = subject.ses.send_email().from_email_address(format!("\"Développeurs, Inc.\" <{SENDER}>"));
    let mail = mail.destination(Destination::builder().to_addresses("ada@example.com").build());
    let mail = mail.email_tags(MessageTag::builder().name("event").value("welcome").build().unwrap());
    match mail.content(message("Bienvenue à tous", "Grüße")).send().await {
        Ok(sent) if sent.message_id().is_some_and(|id| !id.is_empty()) => "ok, with an id".to_owned(),
        answer => outcome(&answer),
    }
}

async fn a_mail_to_nobody(subject: &Subject) -> String {
    let mail = subject.ses.send_email().from_email_address(SENDER).destination(Destination::builder().build());
    outcome(&mail.content(message("Hello", "Hello")).send().await)
}

async fn a_mail_without_a_subject_or_text(subject: &Subject) -> String {
    let mail = subject.ses.send_email().from_email_address(SENDER);
    let mail = mail.destination(Destination::builder().to_addresses("ada@example.com").build());
    outcome(&mail.content(EmailContent::builder().build()).send().await)
}
