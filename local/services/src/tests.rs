//! The services as a whole: tables, recorded calls, faults, what survives a restart.

use crate::test_support::{StillClock, services, services_at};
use crate::{Fault, Options, Ports, Services};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use jiff::SignedDuration;
use std::path::Path;

async fn put(services: &Services, table: &str, key: &str) {
    let item = services.dynamodb().put_item().table_name(table).item("pk", S(key.into())).item("sk", S("a".into()));
    item.send().await.unwrap();
}

async fn holds(services: &Services, table: &str, key: &str) -> bool {
    let item = services.dynamodb().get_item().table_name(table).key("pk", S(key.into())).key("sk", S("a".into()));
    item.consistent_read(true).send().await.unwrap().item.is_some()
}

fn transaction(
    services: &Services,
) -> aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder {
    let item = |table: &str| {
        let put = Put::builder().table_name(table).item("pk", S("1".into())).item("sk", S("a".into()));
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    let transaction = services.dynamodb().transact_write_items();
    transaction.transact_items(item(services.portal_table())).transact_items(item(services.mail_table()))
}

#[tokio::test]
async fn the_tables_are_those_of_the_template() {
    let services = services().await;
    let client = services.dynamodb();

    let portal = client.describe_table().table_name(services.portal_table()).send().await.unwrap().table.unwrap();
    let mail = client.describe_table().table_name(services.mail_table()).send().await.unwrap().table.unwrap();

    let indexes = |table: &aws_sdk_dynamodb::types::TableDescription| {
        let names = table.global_secondary_indexes().iter().filter_map(|index| index.index_name.clone());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    assert_eq!(indexes(&portal), ["About", "ByEmail", "ByFirstName", "ByLastName", "Groups", "Lists", "Queues"]);
    assert_eq!(indexes(&mail), ["About", "Unsent"]);
    assert!(portal.stream_specification.is_none() && mail.stream_specification.is_some());
    let expiry = client.describe_time_to_live().table_name(services.mail_table()).send().await.unwrap();
    assert_eq!(expiry.time_to_live_description.unwrap().attribute_name.as_deref(), Some("collect_at"));
}

#[tokio::test]
async fn two_sets_of_services_share_nothing() {
    let (one, other) = (services().await, services().await);

    put(&one, one.portal_table(), "1").await;

    assert!(!holds(&other, other.portal_table(), "1").await);
}

#[tokio::test]
async fn an_insert_into_the_mail_table_is_in_its_stream() {
    let services = services().await;
    let streams = services.dynamodb_streams();
    put(&services, services.mail_table(), "1").await;

    let listed = streams.list_streams().table_name(services.mail_table()).send().await.unwrap();
    let arn = listed.streams()[0].stream_arn().unwrap();
    let described = streams.describe_stream().stream_arn(arn).send().await.unwrap();
    let shard = described.stream_description.unwrap().shards.unwrap()[0].shard_id.clone().unwrap();
    let iterator = streams.get_shard_iterator().stream_arn(arn).shard_id(shard);
    let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
    let found = streams.get_records().shard_iterator(iterator.shard_iterator.unwrap()).send().await.unwrap();

    let [record] = found.records() else { panic!("{found:?}") };
    assert_eq!(record.event_name.as_ref().unwrap().as_str(), "INSERT");
    assert!(record.dynamodb.as_ref().unwrap().new_image.is_some());
}

#[tokio::test]
async fn the_sweep_removes_what_is_over_by_the_given_clock() {
    let (services, now) = services_at().await;
    for (key, lives) in [("short", 60), ("long", 3_600)] {
        let collect_at = (now.get().as_second() + lives).to_string();
        let item = services.dynamodb().put_item().table_name(services.portal_table());
        let item = item.item("pk", S(key.into())).item("sk", S("a".into())).item("collect_at", N(collect_at));
        item.send().await.unwrap();
    }
    assert_eq!(services.sweep_ttl().unwrap(), 0);

    now.advance(SignedDuration::from_secs(60));

    assert_eq!(services.sweep_ttl().unwrap(), 1);
    assert!(!holds(&services, services.portal_table(), "short").await);
    assert!(holds(&services, services.portal_table(), "long").await);
}

#[tokio::test]
async fn calls_are_noted_in_order_with_their_requests() {
    let services = services().await;
    put(&services, services.portal_table(), "1").await;
    services.calls().forget();

    transaction(&services).send().await.unwrap();
    let user = services.cognito().admin_get_user().user_pool_id(services.user_pool_id()).username("usr_1");
    user.send().await.unwrap_err();

    assert_eq!(services.calls().operations(), ["DynamoDB.TransactWriteItems", "Cognito.AdminGetUser"]);
    let calls = services.calls().made();
    assert_eq!(calls[0].request["TransactItems"].as_array().unwrap().len(), 2);
    assert_eq!(calls[1].request["Username"], "usr_1");
}

#[tokio::test]
async fn a_conflict_cancels_a_transaction_and_changes_nothing() {
    let services = services().await;
    services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict());

    let error = transaction(&services).send().await.unwrap_err().into_service_error();

    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}")
    };
    let codes: Vec<_> = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["TransactionConflict", "None"]);
    assert!(!holds(&services, services.portal_table(), "1").await);
    assert_eq!(services.calls().outstanding(), 0);
    transaction(&services).send().await.unwrap();
}

#[tokio::test]
async fn a_conflict_fails_a_plain_write_too() {
    let services = services().await;
    services.calls().fail_next("DynamoDB.PutItem", Fault::conflict());

    let item = services.dynamodb().put_item().table_name(services.portal_table());
    let error = item.item("pk", S("1".into())).item("sk", S("a".into())).send().await.unwrap_err();

    assert_eq!(error.code(), Some("TransactionConflictException"));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_write_done_and_the_sdk_asks_again() {
    let services = services().await;
    services.calls().fail_next("DynamoDB.PutItem", Fault::dropped().after());

    put(&services, services.portal_table(), "1").await;

    assert!(holds(&services, services.portal_table(), "1").await);
    assert_eq!(services.calls().operations()[..2], ["DynamoDB.PutItem", "DynamoDB.PutItem"]);
}

#[tokio::test]
async fn throttling_lasts_as_long_as_it_is_asked_to() {
    let services = services().await;
    services.calls().fail_next("Cognito.AdminGetUser", Fault::throttled().times(3));

    let user = services.cognito().admin_get_user().user_pool_id(services.user_pool_id()).username("usr_1");
    let error = user.send().await.unwrap_err().into_service_error();

    assert!(error.is_too_many_requests_exception());
    assert_eq!(services.calls().operations().len(), 3);
}

#[tokio::test]
async fn any_error_can_be_asked_for() {
    let services = services().await;
    services.calls().fail_next("SES.SendEmail", Fault::refused("MessageRejected", "Email address is not verified."));

    let error = send(&services).await.unwrap_err().into_service_error();

    assert!(error.is_message_rejected());
    send(&services).await.unwrap();
}

#[tokio::test]
async fn another_request_can_come_in_between() {
    let services = services().await;
    let rival = services.dynamodb();
    let table = services.portal_table().to_owned();
    services.calls().before_next("DynamoDB.TransactWriteItems", async move {
        let item = rival.put_item().table_name(table).item("pk", S("rival".into())).item("sk", S("a".into()));
        item.send().await.unwrap();
    });

    transaction(&services).send().await.unwrap();

    assert!(holds(&services, services.portal_table(), "rival").await);
    assert_eq!(services.calls().operations()[..2], ["DynamoDB.TransactWriteItems", "DynamoDB.PutItem"]);
}

async fn send(
    services: &Services,
) -> Result<
    aws_sdk_sesv2::operation::send_email::SendEmailOutput,
    aws_sdk_sesv2::error::SdkError<aws_sdk_sesv2::operation::send_email::SendEmailError>,
> {
    let text = |data: &str| Content::builder().data(data).build().unwrap();
    let message = Message::builder().subject(text("Welcome")).body(Body::builder().text(text("Hello")).build()).build();
    let mail = services.ses().send_email().from_email_address("portal@portico.example");
    let mail = mail.destination(Destination::builder().to_addresses("ada@example.com").build());
    mail.content(EmailContent::builder().simple(message).build()).send().await
}

async fn kept_in(folder: &Path, clock: &StillClock) -> Services {
    let data = Some(folder.to_owned());
    Services::start(Options { data, now: clock.now(), ports: Ports::default(), recording: false }).await.unwrap()
}

#[tokio::test]
async fn a_data_folder_keeps_everything_over_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), StillClock::new());
    let first = kept_in(folder.path(), &clock).await;
    let (issuer, pool, client) = (first.issuer().to_owned(), first.user_pool_id(), first.client_id());
    put(&first, first.portal_table(), "1").await;
    send(&first).await.unwrap();
    let cognito = first.cognito();
    let action = aws_sdk_cognitoidentityprovider::types::MessageActionType::Suppress;
    cognito.admin_create_user().user_pool_id(pool).username("usr_1").message_action(action).send().await.unwrap();
    let password = cognito.admin_set_user_password().user_pool_id(pool).username("usr_1").password("correct horse");
    password.permanent(true).send().await.unwrap();
    let sign_in = |services: &Services| {
        use aws_sdk_cognitoidentityprovider::types::AuthFlowType::AdminUserPasswordAuth;
        let request = services.cognito().admin_initiate_auth().user_pool_id(pool).client_id(client);
        request
            .auth_flow(AdminUserPasswordAuth)
            .auth_parameters("USERNAME", "usr_1")
            .auth_parameters("PASSWORD", "correct horse")
    };
    let tokens = sign_in(&first).send().await.unwrap().authentication_result.unwrap();

    // Left as it is, as when the process is killed; its ports stay taken, so the issuer has to move.
    let second = kept_in(folder.path(), &clock).await;

    assert!(holds(&second, second.portal_table(), "1").await);
    assert_eq!(second.mailbox().list(None).unwrap().len(), 1);
    sign_in(&second).send().await.unwrap();
    let refresh = second.cognito().admin_initiate_auth().user_pool_id(pool).client_id(client);
    let refresh = refresh
        .auth_flow(aws_sdk_cognitoidentityprovider::types::AuthFlowType::RefreshTokenAuth)
        .auth_parameters("REFRESH_TOKEN", tokens.refresh_token.unwrap());
    let refreshed = refresh.send().await.unwrap().authentication_result.unwrap();
    second.verify(&refreshed.access_token.unwrap()).unwrap();
    assert_ne!(second.issuer(), issuer);
}

#[tokio::test]
async fn a_restart_finds_the_addresses_and_the_issuer_of_before() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), StillClock::new());
    let first = kept_in(folder.path(), &clock).await;
    let (endpoints, issuer) = (first.endpoints().clone(), first.issuer().to_owned());
    drop(first);
    for endpoint in [&endpoints.dynamodb, &endpoints.cognito] {
        // The servers end when it is their turn to run.
        while std::net::TcpListener::bind(endpoint.trim_start_matches("http://")).is_err() {
            tokio::task::yield_now().await;
        }
    }

    let second = kept_in(folder.path(), &clock).await;

    assert_eq!(second.endpoints(), &endpoints);
    assert_eq!(second.issuer(), issuer);
}

#[tokio::test]
async fn a_data_folder_is_not_used_with_tables_of_another_shape() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), StillClock::new());
    drop(kept_in(folder.path(), &clock).await);
    let kept = crate::kept::Kept::open(Some(&folder.path().join("services.sqlite"))).unwrap();
    let change = kept.change().unwrap();
    change.put("table", "MailTable", &"of another shape").unwrap();
    change.commit().unwrap();

    let options =
        Options { data: Some(folder.path().to_owned()), now: clock.now(), ports: Ports::default(), recording: false };
    let error = Services::start(options).await.err().unwrap();

    assert!(matches!(error, crate::StartError::Tables(crate::TablesError::Differs("MailTable"))), "{error}");
}
