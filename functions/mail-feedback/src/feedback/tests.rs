//! What news does to the copy, the address and the person.

use aws_lambda_events::event::sns::SnsEvent;
use harness::{Bench, Fate, Fault, Sample, feedback};
use serde_json::{Value, json};
use shared::{
    domain::{
        name::Name,
        organisation::Placement,
        suppression::MailStatus,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    store::{Creation, PersonChanged, Places, Registered},
};

use super::*;

pub(super) const ADA: &str = "ada@example.com";

pub(super) fn app(bench: &Bench) -> App {
    App { store: bench.store.clone(), clock: bench.clock.clone() }
}

/// The topic's event of these messages.
pub(super) fn told(messages: &[String]) -> SnsEvent {
    let mut event = Sample::of("mail-feedback-bounce").event();
    let record = event["Records"][0].clone();
    let records = messages.iter().map(|message| {
        let mut record = record.clone();
        record["Sns"]["Message"] = json!(message);
        record
    });
    event["Records"] = records.collect();
    serde_json::from_value(event).unwrap()
}

/// A registration, whose mail is sent.
pub(super) async fn registered(bench: &Bench, address: &str) -> User {
    let new = NewUser {
        email: harness::email(address),
        first_name: Name::given("Ada"),
        last_name: Name::given("Lovelace"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start: Start::As(Status::Unconfirmed),
    };
    let registered = bench.store.register(new, &bench.origin()).await.unwrap();
    assert!(!matches!(registered, Registered::Taken(_)), "{registered:?}");
    bench.mails(address).await;
    let known = bench.store.login_facts(&harness::email(address)).await.unwrap().account.unwrap();
    bench.read(&known.user_id).await
}

/// SES's message of the newest mail to `address`.
pub(super) async fn message(bench: &Bench, address: &str, fate: Fate) -> String {
    let mails = bench.mails(address).await;
    feedback(&mails[0], fate, bench.now()).to_string()
}

pub(super) async fn tell(bench: &Bench, message: &str) {
    handle(&app(bench), told(&[message.to_owned()])).await.unwrap();
}

pub(super) async fn deliveries(bench: &Bench) -> Vec<Value> {
    let mut entries = bench.rows_in("OUTBOX#").await;
    entries.sort_by_key(|entry| entry["id"].to_string());
    entries.iter().map(|entry| entry["to"][0]["delivery"].clone()).collect()
}

pub(super) async fn suppressed(bench: &Bench) -> Vec<Value> {
    bench.rows_in("SUPPRESSED#").await
}

/// The actions of the audit events about mails and their recipients.
pub(super) async fn audited(bench: &Bench) -> Vec<Value> {
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"].as_str().unwrap().contains("mail."));
    events
}

/// Queues another mail to a person who has not confirmed.
pub(super) async fn queue_another(bench: &Bench, user: &User) {
    let known = bench.store.login_facts(&user.email).await.unwrap().account.unwrap();
    bench.advance(jiff::SignedDuration::from_millis(1));
    bench.store.register_known(&user.email, &known, Status::Pending, &bench.origin()).await.unwrap();
}

#[tokio::test]
async fn a_bounce_for_good_is_kept_with_the_copy_the_address_and_the_person() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;

    tell(&bench, &bounce).await;

    assert_eq!(deliveries(&bench).await, ["bounced"]);
    let rows = suppressed(&bench).await;
    let entry = &bench.rows_in("OUTBOX#").await[0];
    assert_eq!((rows.len(), &rows[0]["reason"], &rows[0]["mail_id"]), (1, &json!("bounced"), &entry["id"]));
    let after = bench.read(&ada.id).await;
    assert_eq!((after.mail_status, after.version), (MailStatus::Bounced, ada.version + 1));
    let events = audited(&bench).await;
    assert_eq!((events.len(), &events[0]["action"], &events[0]["target"]), (1, &json!("mail.bounced"), &json!(ada.id)));
    assert_eq!(
        (&events[0]["before"]["mail_status"], &events[0]["after"]["mail_status"]),
        (&json!("ok"), &json!("bounced"))
    );
    assert!(!events[0].to_string().contains("example.com"), "{events:?}");
}

#[tokio::test]
async fn what_may_pass_changes_nothing_and_calls_nobody() {
    let bench = Bench::new().await;
    registered(&bench, ADA).await;
    let transient = message(&bench, ADA, Fate::Transient).await;
    let greeting = "Successfully validated SNS topic for Amazon SES event publishing.".to_owned();
    let event = told(&[transient, greeting]);

    let (result, calls) = bench.calls(async { handle(&app(&bench), event).await }).await;

    assert!(result.is_ok() && calls.is_empty(), "{calls:?}");
    assert_eq!(deliveries(&bench).await, ["sent"]);
}

#[tokio::test]
async fn news_that_comes_again_is_noted_once() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;

    for _ in 0..3 {
        tell(&bench, &bounce).await;
    }

    assert_eq!((audited(&bench).await.len(), bench.read(&ada.id).await.version), (1, ada.version + 1));
}

#[tokio::test]
async fn the_graver_news_stands_in_whatever_order_they_come() {
    for fates in [[Fate::Bounce, Fate::Complaint], [Fate::Complaint, Fate::Bounce]] {
        let bench = Bench::new().await;
        let ada = registered(&bench, ADA).await;

        for fate in fates {
            let news = message(&bench, ADA, fate).await;
            tell(&bench, &news).await;
        }

        assert_eq!(deliveries(&bench).await, ["complained"]);
        assert_eq!(suppressed(&bench).await[0]["reason"], "complained");
        assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Complained);
    }
}

#[tokio::test]
async fn nothing_more_is_sent_to_the_address_and_no_link_is_made_for_it() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    tell(&bench, &bounce).await;
    queue_another(&bench, &ada).await;
    let links = bench.rows_in("LINK#").await.len();
    let later = bench.now() + jiff::SignedDuration::from_millis(1);

    let deliver = async { bench.mailer.deliver_unsent(later, 10, later).await.unwrap() };
    let ((sent, failures), calls) = Box::pin(bench.calls(deliver)).await;

    assert_eq!((sent, failures.len()), (0, 0));
    assert_eq!(deliveries(&bench).await, ["bounced", "suppressed"]);
    assert_eq!(bench.rows_in("LINK#").await.len(), links);
    assert!(calls.iter().all(|call| call.operation != "SES.SendEmail"), "{calls:?}");
    assert!(bench.rows_in("OUTBOX#").await.iter().all(|entry| entry["unsent_pk"].is_null()));
}

#[tokio::test]
async fn of_several_recipients_the_others_still_get_their_copies() {
    let bench = Bench::new().await;
    let owners = ["owner@example.com", "desk@example.com"];
    registered(&bench, owners[1]).await;
    let bounce = message(&bench, owners[1], Fate::Bounce).await;
    tell(&bench, &bounce).await;
    let ada = NewUser {
        email: harness::email(ADA),
        first_name: Name::given("Ada"),
        last_name: Name::given("Lovelace"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start: Start::Becoming(Status::Pending),
    };
    bench.advance(jiff::SignedDuration::from_millis(1));
    let begun = bench.store.begin_creation(ada, &bench.origin()).await.unwrap();
    let Creation::Begun(ada) = begun else { panic!("{begun:?}") };
    bench.store.finish_creation(&ada, &owners.map(harness::email), &bench.origin()).await.unwrap();

    assert_eq!((bench.mails(owners[0]).await.len(), bench.mails(owners[1]).await.len()), (1, 1));

    let told = bench.rows_in("OUTBOX#").await.into_iter().find(|row| row["event"] == "registration_pending").unwrap();
    assert_eq!((&told["to"][0]["delivery"], &told["to"][1]["delivery"]), (&json!("sent"), &json!("suppressed")));
}

#[tokio::test]
async fn an_address_of_nobody_is_suppressed_as_well() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    bench.discard(&format!("EMAIL#{ADA}"), "EMAIL").await;

    tell(&bench, &bounce).await;

    assert_eq!((suppressed(&bench).await.len(), deliveries(&bench).await), (1, vec![json!("bounced")]));
    assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Ok);
    let entry = &bench.rows_in("OUTBOX#").await[0];
    assert_eq!(audited(&bench).await[0]["target"], entry["id"]);
}

#[tokio::test]
async fn news_of_a_mail_that_was_collected_still_counts_once() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    let entry = bench.rows_in("OUTBOX#").await.remove(0);
    let delete = bench.services.dynamodb().delete_item().table_name(bench.services.mail_table());
    let key = |name: &str| serde_dynamo::to_attribute_value(&entry[name]).unwrap();
    delete.key("pk", key("pk")).key("sk", key("sk")).send().await.unwrap();

    tell(&bench, &bounce).await;
    tell(&bench, &bounce).await;

    assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Bounced);
    assert_eq!((suppressed(&bench).await.len(), audited(&bench).await.len()), (1, 1));
}

#[tokio::test]
async fn once_allowed_again_mail_is_sent_and_old_news_changes_nothing() {
    let bench = Bench::new().await;
    let ada = registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;
    tell(&bench, &bounce).await;
    let bounced = bench.read(&ada.id).await;

    let allowed = User { mail_status: MailStatus::Ok, ..bounced.clone() }.following(&bounced, bench.now());
    let (store, places) = (&bench.store, Places::default());
    let change = store.change_person(&bounced, &bounced, &allowed, &places, true, &bench.origin()).await;
    assert!(matches!(change, Ok(PersonChanged::Done)), "{change:?}");

    tell(&bench, &bounce).await;
    assert_eq!(bench.read(&ada.id).await, allowed);
    queue_another(&bench, &ada).await;
    assert_eq!((bench.mails(ADA).await.len(), suppressed(&bench).await.len()), (2, 0));
}

#[tokio::test]
async fn news_takes_two_batches_and_one_transaction_of_eight_units() {
    let bench = Bench::new().await;
    registered(&bench, ADA).await;
    let bounce = message(&bench, ADA, Fate::Bounce).await;

    let ((), calls) = bench.calls(async { tell(&bench, &bounce).await }).await;

    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(harness::write_units(&calls), 8);
}

#[tokio::test]
async fn a_message_that_fails_keeps_no_other_from_being_noted_and_comes_again() {
    let bench = Bench::new().await;
    let (ada, grace) = (registered(&bench, ADA).await, registered(&bench, "grace@example.com").await);
    let messages = [
        "{}".to_owned(),
        message(&bench, ADA, Fate::Bounce).await,
        message(&bench, "grace@example.com", Fate::Complaint).await,
    ];
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

    let error = handle(&app(&bench), told(&messages)).await.unwrap_err();

    assert_eq!(error.to_string(), "2 of 3 messages could not be noted");
    assert_eq!(bench.read(&grace.id).await.mail_status, MailStatus::Complained);
    assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Ok);
    tell(&bench, &messages[1]).await;
    assert_eq!(bench.read(&ada.id).await.mail_status, MailStatus::Bounced);
}
