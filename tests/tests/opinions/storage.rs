//! What we rely on in DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    types::{
        AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, ReturnValue,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
    },
};

use crate::{
    questions,
    subject::{INDEX, Subject, outcome, text},
};

questions! {
    a_second_put_of_what_must_be_absent => "ConditionalCheckFailedException",
    an_update_of_what_must_be_there => "ConditionalCheckFailedException",
    a_failed_condition_tells_what_stood_there => "1",
    a_null_is_there => "ConditionalCheckFailedException",
    a_path_into_a_map_that_is_not_there => "ValidationException",
    a_counter_begins_at_zero => "1",
    a_sum_begins_with_what_is_said_where_nothing_is_there => "1",
    an_update_returns_what_stands_there_now => "2",
    a_map_is_measured_by_its_members => "ok, ConditionalCheckFailedException",
    a_cancelled_transaction_says_why_by_position => "None, ConditionalCheckFailed, None",
    a_cancelled_transaction_changes_nothing => "nothing",
    a_cancelled_transaction_tells_what_stood_there => "1",
    a_cancelled_transaction_changes_nothing_in_another_table => "nothing",
    one_item_twice_in_a_transaction => "ValidationException",
    a_transaction_of_a_hundred_and_one => "ValidationException",
    a_repeat_under_the_same_token => "ok, once",
    another_transaction_under_the_same_token => "IdempotentParameterMismatchException",
    fifty_at_once_for_twenty_slots => "20 let in, 20 taken",
    one_key_twice_in_a_batch => "ValidationException",
    a_batch_finds_what_was_just_written => "2",
    an_empty_key => "ValidationException",
    an_item_of_more_than_400_kb => "ValidationException",
    more_than_a_megabyte_is_not_one_page => "4 on several pages",
    an_empty_text_that_is_no_key => "ok",
    an_index_holds_what_has_its_keys_in_their_order => "a b c",
    an_index_pages_by_the_last_key => "a b | c",
    an_expression_with_an_unused_name => "ValidationException",
    an_unknown_table => "ResourceNotFoundException",
}

fn number(value: u32) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn item(key: &str, more: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
    let keys = [("pk", text(key)), ("sk", text("A"))];
    keys.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn put(subject: &Subject, item: HashMap<String, AttributeValue>) -> Put {
    Put::builder().table_name(&subject.table).set_item(Some(item)).build().unwrap()
}

fn put_new(subject: &Subject, item: HashMap<String, AttributeValue>) -> TransactWriteItem {
    let put = Put::builder().table_name(&subject.table).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

async fn store(subject: &Subject, key: &str, more: &[(&str, AttributeValue)]) {
    subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item(key, more))).send().await.unwrap();
}

async fn read(subject: &Subject, key: &str) -> Option<HashMap<String, AttributeValue>> {
    let read = subject.dynamodb.get_item().table_name(&subject.table).set_key(Some(item(key, &[])));
    read.consistent_read(true).send().await.unwrap().item
}

fn n(item: &HashMap<String, AttributeValue>) -> String {
    item.get("n").and_then(|value| value.as_n().ok()).cloned().unwrap_or_else(|| "no n".to_owned())
}

async fn a_second_put_of_what_must_be_absent(subject: &Subject) -> String {
    let key = subject.key();
    store(subject, &key, &[]).await;
    let put = subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item(&key, &[])));
    outcome(&put.condition_expression("attribute_not_exists(pk)").send().await)
}

async fn an_update_of_what_must_be_there(subject: &Subject) -> String {
    let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&subject.key(), &[])));
    let update = update.update_expression("SET n = :n").expression_attribute_values(":n", number(1));
    outcome(&update.condition_expression("attribute_exists(pk)").send().await)
}

async fn a_failed_condition_tells_what_stood_there(subject: &Subject) -> String {
    let key = subject.key();
    store(subject, &key, &[("n", number(1))]).await;
    let put = subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item(&key, &[])));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = put.send().await.unwrap_err().into_service_error();
    match error {
        aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) => {
            failed.item.map_or_else(|| "no item".to_owned(), |item| n(&item))
        }
        other => other.code().unwrap_or("an error without a code").to_owned(),
    }
}

async fn a_null_is_there(subject: &Subject) -> String {
    let key = subject.key();
    store(subject, &key, &[("n", AttributeValue::Null(true))]).await;
    let put = subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item(&key, &[])));
    outcome(&put.condition_expression("attribute_not_exists(n)").send().await)
}

async fn a_path_into_a_map_that_is_not_there(subject: &Subject) -> String {
    let key = subject.key();
    store(subject, &key, &[]).await;
    let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&key, &[])));
    let update = update.update_expression("SET sessions.one = :n").expression_attribute_values(":n", number(1));
    outcome(&update.send().await)
}

async fn a_counter_begins_at_zero(subject: &Subject) -> String {
    let key = subject.key();
    let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&key, &[])));
    let update = update.update_expression("ADD n :one").expression_attribute_values(":one", number(1));
    update.send().await.unwrap();
    n(&read(subject, &key).await.unwrap())
}

async fn a_sum_begins_with_what_is_said_where_nothing_is_there(subject: &Subject) -> String {
    let key = subject.key();
    let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&key, &[])));
    let update = update.update_expression("SET n = if_not_exists(n, :zero) + :one");
    let update = update.expression_attribute_values(":zero", number(0)).expression_attribute_values(":one", number(1));
    update.send().await.unwrap();
    n(&read(subject, &key).await.unwrap())
}

async fn an_update_returns_what_stands_there_now(subject: &Subject) -> String {
    let key = subject.key();
    store(subject, &key, &[("n", number(1))]).await;
    let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&key, &[])));
    let update = update.update_expression("ADD n :one").expression_attribute_values(":one", number(1));
    n(&update.return_values(ReturnValue::AllNew).send().await.unwrap().attributes.unwrap())
}

async fn a_map_is_measured_by_its_members(subject: &Subject) -> String {
    let key = subject.key();
    let two = ["one", "two"].map(|name| (name.to_owned(), number(1)));
    store(subject, &key, &[("sessions", AttributeValue::M(two.into()))]).await;
    let below = async |most| {
        let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&key, &[])));
        let update = update.update_expression("SET n = :most").condition_expression("size(sessions) < :most");
        outcome(&update.expression_attribute_values(":most", number(most)).send().await)
    };
    format!("{}, {}", below(3).await, below(2).await)
}

async fn a_cancelled_transaction_changes_nothing_in_another_table(subject: &Subject) -> String {
    let (here, taken) = (subject.key(), subject.key());
    store(subject, &taken, &[]).await;
    let elsewhere = Put::builder().table_name(&subject.streamed).set_item(Some(item(&here, &[]))).build().unwrap();
    let transaction = subject.dynamodb.transact_write_items();
    let transaction = transaction.transact_items(TransactWriteItem::builder().put(elsewhere).build());
    transaction.transact_items(put_new(subject, item(&taken, &[]))).send().await.unwrap_err();
    let read = subject.dynamodb.get_item().table_name(&subject.streamed).set_key(Some(item(&here, &[])));
    read.consistent_read(true).send().await.unwrap().item.map_or_else(|| "nothing".to_owned(), |_| "an item".to_owned())
}

/// A transaction of three, of which the second cannot be.
async fn cancelled(
    subject: &Subject,
) -> (aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError, String) {
    let (first, taken, third) = (subject.key(), subject.key(), subject.key());
    store(subject, &taken, &[("n", number(1))]).await;
    let transaction = subject.dynamodb.transact_write_items();
    let transaction = transaction.transact_items(put_new(subject, item(&first, &[])));
    let transaction = transaction.transact_items(put_new(subject, item(&taken, &[])));
    let check = ConditionCheck::builder().table_name(&subject.table).set_key(Some(item(&third, &[])));
    let check = check.condition_expression("attribute_not_exists(pk)").build().unwrap();
    let transaction = transaction.transact_items(TransactWriteItem::builder().condition_check(check).build());
    (transaction.send().await.unwrap_err().into_service_error(), first)
}

fn reasons(
    error: &aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError,
) -> Vec<aws_sdk_dynamodb::types::CancellationReason> {
    match error {
        aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
            cancelled,
        ) => cancelled.cancellation_reasons().to_vec(),
        other => panic!("{other:?}"),
    }
}

async fn a_cancelled_transaction_says_why_by_position(subject: &Subject) -> String {
    let (error, _) = cancelled(subject).await;
    let codes: Vec<_> = reasons(&error).iter().map(|reason| reason.code().unwrap_or("None").to_owned()).collect();
    codes.join(", ")
}

async fn a_cancelled_transaction_changes_nothing(subject: &Subject) -> String {
    let (_, first) = cancelled(subject).await;
    read(subject, &first).await.map_or("nothing", |_| "something").to_owned()
}

async fn a_cancelled_transaction_tells_what_stood_there(subject: &Subject) -> String {
    let (error, _) = cancelled(subject).await;
    reasons(&error)[1].item().map_or_else(|| "no item".to_owned(), n)
}

async fn one_item_twice_in_a_transaction(subject: &Subject) -> String {
    let key = subject.key();
    let put = || TransactWriteItem::builder().put(put(subject, item(&key, &[]))).build();
    let delete = Delete::builder().table_name(&subject.table).set_key(Some(item(&key, &[]))).build().unwrap();
    let delete = TransactWriteItem::builder().delete(delete).build();
    outcome(&subject.dynamodb.transact_write_items().transact_items(put()).transact_items(delete).send().await)
}

async fn a_transaction_of_a_hundred_and_one(subject: &Subject) -> String {
    let puts = (0..101).map(|_| TransactWriteItem::builder().put(put(subject, item(&subject.key(), &[]))).build());
    outcome(&subject.dynamodb.transact_write_items().set_transact_items(Some(puts.collect())).send().await)
}

async fn add(subject: &Subject, key: &str, more: u32, token: &str) -> String {
    let update = Update::builder().table_name(&subject.table).set_key(Some(item(key, &[])));
    let update = update.update_expression("ADD n :more").expression_attribute_values(":more", number(more));
    let update = TransactWriteItem::builder().update(update.build().unwrap()).build();
    let transaction = subject.dynamodb.transact_write_items().transact_items(update);
    outcome(&transaction.client_request_token(token).send().await)
}

async fn a_repeat_under_the_same_token(subject: &Subject) -> String {
    let key = subject.key();
    add(subject, &key, 1, &format!("repeat-{key}")).await;
    let again = add(subject, &key, 1, &format!("repeat-{key}")).await;
    let times = if n(&read(subject, &key).await.unwrap()) == "1" { "once" } else { "twice" };
    format!("{again}, {times}")
}

async fn another_transaction_under_the_same_token(subject: &Subject) -> String {
    let key = subject.key();
    add(subject, &key, 1, &format!("other-{key}")).await;
    add(subject, &key, 2, &format!("other-{key}")).await
}

async fn fifty_at_once_for_twenty_slots(subject: &Subject) -> String {
    let key = subject.key();
    store(subject, &key, &[("n", number(0))]).await;
    let attempts = (0..50).map(|_| {
        let update = subject.dynamodb.update_item().table_name(&subject.table).set_key(Some(item(&key, &[])));
        let update = update.update_expression("ADD n :one").condition_expression("n < :most");
        let update =
            update.expression_attribute_values(":one", number(1)).expression_attribute_values(":most", number(20));
        tokio::spawn(update.send())
    });
    let mut let_in = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let_in += u32::from(attempt.await.unwrap().is_ok());
    }
    format!("{let_in} let in, {} taken", n(&read(subject, &key).await.unwrap()))
}

async fn batch(subject: &Subject, keys: &[&str]) -> Result<usize, String> {
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.iter().map(|key| item(key, &[])).collect()));
    let keys = keys.consistent_read(true).build().unwrap();
    let found = subject.dynamodb.batch_get_item().request_items(&subject.table, keys).send().await;
    let found = found.map_err(|error| error.code().unwrap_or("an error without a code").to_owned())?;
    Ok(found.responses.unwrap_or_default().get(&subject.table).map_or(0, Vec::len))
}

async fn one_key_twice_in_a_batch(subject: &Subject) -> String {
    let key = subject.key();
    batch(subject, &[&key, &key]).await.map_or_else(|code| code, |found| found.to_string())
}

async fn a_batch_finds_what_was_just_written(subject: &Subject) -> String {
    let (one, other, none) = (subject.key(), subject.key(), subject.key());
    store(subject, &one, &[]).await;
    store(subject, &other, &[]).await;
    batch(subject, &[&one, &other, &none]).await.map_or_else(|code| code, |found| found.to_string())
}

async fn an_empty_key(subject: &Subject) -> String {
    outcome(&subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item("", &[]))).send().await)
}

async fn an_item_of_more_than_400_kb(subject: &Subject) -> String {
    let large = item(&subject.key(), &[("text", text(&"x".repeat(410 * 1024)))]);
    outcome(&subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(large)).send().await)
}

async fn more_than_a_megabyte_is_not_one_page(subject: &Subject) -> String {
    let key = subject.key();
    for name in ["A", "B", "C", "D"] {
        let large = item(&key, &[("sk", text(name)), ("text", text(&"x".repeat(390 * 1024)))]);
        subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(large)).send().await.unwrap();
    }
    let (mut found, mut pages, mut last) = (0, 0, None);
    loop {
        let query = subject.dynamodb.query().table_name(&subject.table).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", text(&key)).set_exclusive_start_key(last);
        let page = query.send().await.unwrap();
        found += page.count;
        pages += 1;
        last = page.last_evaluated_key;
        if last.is_none() {
            return format!("{found} on {}", if pages > 1 { "several pages" } else { "one page" });
        }
    }
}

async fn an_empty_text_that_is_no_key(subject: &Subject) -> String {
    let empty = item(&subject.key(), &[("text", text(""))]);
    outcome(&subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(empty)).send().await)
}

async fn listed(subject: &Subject, limit: i32) -> String {
    let list = subject.key();
    for name in ["b", "c", "a"] {
        store(subject, &subject.key(), &[("list_pk", text(&list)), ("list_sk", text(name))]).await;
    }
    // Without the index's keys it is not in the index.
    store(subject, &subject.key(), &[("list_pk", text(&list))]).await;
    let (mut pages, mut from) = (Vec::new(), None);
    loop {
        let query = subject.dynamodb.query().table_name(&subject.table).index_name(INDEX).limit(limit);
        let query = query.key_condition_expression("list_pk = :list").expression_attribute_values(":list", text(&list));
        let page = query.set_exclusive_start_key(from).send().await.unwrap();
        let names: Vec<_> = page.items().iter().map(|item| item["list_sk"].as_s().unwrap().clone()).collect();
        if !names.is_empty() {
            pages.push(names.join(" "));
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            return pages.join(" | ");
        }
    }
}

async fn an_index_holds_what_has_its_keys_in_their_order(subject: &Subject) -> String {
    listed(subject, 10).await
}

async fn an_index_pages_by_the_last_key(subject: &Subject) -> String {
    listed(subject, 2).await
}

async fn an_expression_with_an_unused_name(subject: &Subject) -> String {
    let put = subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item(&subject.key(), &[])));
    let put = put.condition_expression("attribute_not_exists(pk)").expression_attribute_names("#unused", "unused");
    outcome(&put.send().await)
}

async fn an_unknown_table(subject: &Subject) -> String {
    outcome(&subject.dynamodb.get_item().table_name("nothing").set_key(Some(item("a", &[]))).send().await)
}
