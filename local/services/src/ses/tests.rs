//! The SES stand-in as the SDK sees it.

use crate::test_support::{services, services_at};
use aws_sdk_sesv2::error::ProvideErrorMetadata;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use jiff::SignedDuration;

fn text(data: &str) -> Content {
    Content::builder().data(data).build().unwrap()
}

fn content(subject: &str) -> EmailContent {
    let body = Body::builder().text(text("in words")).html(text("<p>in colour</p>")).build();
    let header = MessageHeader::builder().name("Auto-Submitted").value("auto-generated").build().unwrap();
    EmailContent::builder().simple(Message::builder().subject(text(subject)).body(body).headers(header).build()).build()
}

fn to(address: &str) -> Destination {
    Destination::builder().to_addresses(address).build()
}

#[tokio::test]
async fn a_mail_that_was_sent_is_in_the_mailbox() {
    let (services, now) = services_at().await;

    let sent = services
        .ses()
        .send_email()
        .from_email_address("Portico <portal@portico.example>")
        .destination(to("Ada@example.com"))
        .content(content("Welcome"))
        .email_tags(MessageTag::builder().name("event").value("approved").build().unwrap())
        .configuration_set_name("mail")
        .send()
        .await
        .unwrap();

    let mails = services.mailbox().list(None).unwrap();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(sent.message_id(), Some(mail.id.as_str()));
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("Ada@example.com", "Welcome"));
    assert_eq!((mail.text.as_deref(), mail.html.as_deref()), (Some("in words"), Some("<p>in colour</p>")));
    assert_eq!(mail.event.as_deref(), Some("approved"));
    assert_eq!(mail.configuration_set.as_deref(), Some("mail"));
    assert_eq!(mail.headers["Auto-Submitted"], "auto-generated");
    assert_eq!(mail.sent_at, now.get());
}

#[tokio::test]
async fn the_mailbox_lists_the_newest_first_and_one_address_if_asked() {
    let (services, now) = services_at().await;
    for (address, subject) in [("ada@example.com", "1"), ("bob@example.com", "2"), ("ada@example.com", "3")] {
        let mail = services.ses().send_email().from_email_address("p@portico.example");
        mail.destination(to(address)).content(content(subject)).send().await.unwrap();
        now.advance(SignedDuration::from_secs(1));
    }

    let subjects = |to| services.mailbox().list(to).unwrap().into_iter().map(|mail| mail.subject).collect::<Vec<_>>();

    assert_eq!(subjects(None), ["3", "2", "1"]);
    assert_eq!(subjects(Some("ADA@example.com")), ["3", "1"]);
    assert_eq!(subjects(Some("eve@example.com")), Vec::<String>::new());
}

#[tokio::test]
async fn a_mail_that_ses_would_not_send_is_refused() {
    let services = services().await;
    let mail = || services.ses().send_email().content(content("Welcome"));
    let from = "portal@portico.example";

    let refused = [
        mail().destination(to("ada@example.com")),
        mail().from_email_address(from),
        mail().from_email_address(from).destination(to("ada")),
        mail().from_email_address("portal").destination(to("ada@example.com")),
        mail().from_email_address(from).destination(to("ada@example.com")).content(content("a\nb")),
        mail()
            .from_email_address(from)
            .destination(to("ada@example.com"))
            .email_tags(MessageTag::builder().name("event").value("not approved").build().unwrap()),
    ];

    for request in refused {
        let error = request.send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_bad_request_exception(), "{:?}", error.message());
    }
    assert!(services.mailbox().list(None).unwrap().is_empty());
}
