//! What we rely on in the stream of a table, which brings the mails that were written to the function that sends them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_dynamodbstreams::types::{AttributeValue as Streamed, Record, ShardIteratorType};
use jiff::SignedDuration;

use crate::{
    questions,
    subject::{Subject, text},
};

questions! {
    records_of_one_item_come_in_their_order => "INSERT 1, MODIFY 2, MODIFY 3, REMOVE",
    a_write_that_changes_nothing_leaves_no_record => "INSERT 1",
    a_refused_write_leaves_no_record => "INSERT 1",
    a_transaction_leaves_a_record_of_each_item => "INSERT 1, INSERT 2",
    what_is_deleted_and_written_again_is_inserted_again => "INSERT 1, REMOVE, INSERT 1",
}

/// The sort key of what is written last.
const LAST: &str = "Z";
/// How often more is asked for, and how long is waited in between, before a record is given up.
const MOST_ROUNDS: usize = 100;
/// See [`MOST_ROUNDS`].
const A_MOMENT: SignedDuration = SignedDuration::from_millis(50);

fn item(key: &str, sort: &str, n: u32) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), text(key)),
        ("sk".to_owned(), text(sort)),
        ("n".to_owned(), AttributeValue::N(n.to_string())),
    ])
}

async fn write(subject: &Subject, key: &str, n: u32) {
    let put = subject.dynamodb.put_item().table_name(&subject.streamed);
    put.set_item(Some(item(key, "A", n))).send().await.unwrap();
}

async fn delete(subject: &Subject, key: &str) {
    let mut of = item(key, "A", 0);
    of.remove("n");
    subject.dynamodb.delete_item().table_name(&subject.streamed).set_key(Some(of)).send().await.unwrap();
}

/// The records of a key: what happened, and `n` as it was after that. What is written last is waited for, so that what is
/// not there by then never comes.
async fn records(subject: &Subject, key: &str) -> String {
    let put = subject.dynamodb.put_item().table_name(&subject.streamed).set_item(Some(item(key, LAST, 0)));
    put.send().await.unwrap();
    let streams = subject.streams.list_streams().table_name(&subject.streamed).send().await.unwrap();
    let arn = streams.streams()[0].stream_arn().unwrap();
    let stream = subject.streams.describe_stream().stream_arn(arn).send().await.unwrap().stream_description.unwrap();
    let mut iterators = Vec::new();
    for shard in stream.shards() {
        let iterator = subject.streams.get_shard_iterator().stream_arn(arn).set_shard_id(shard.shard_id.clone());
        let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
        iterators.push(iterator.shard_iterator);
    }
    let mut found = Vec::new();
    for _ in 0..MOST_ROUNDS {
        for iterator in &mut iterators {
            // A shard that is closed and read to its end has none.
            let Some(next) = iterator.take() else { continue };
            let read = subject.streams.get_records().shard_iterator(next).send().await.unwrap();
            found.extend(read.records.unwrap_or_default().into_iter().filter(|record| is_of(record, "pk", key)));
            *iterator = read.next_shard_iterator;
        }
        if let Some(last) = found.iter().position(|record| is_of(record, "sk", LAST)) {
            return found[..last].iter().map(said).collect::<Vec<_>>().join(", ");
        }
        subject.pass(A_MOMENT).await;
    }
    "not to its end".to_owned()
}

fn is_of(record: &Record, name: &str, value: &str) -> bool {
    field(record, |change| change.keys.as_ref(), name) == Some(Streamed::S(value.to_owned()))
}

fn said(record: &Record) -> String {
    let happened = record.event_name.as_ref().map_or("nothing", |name| name.as_str());
    match field(record, |change| change.new_image.as_ref(), "n") {
        Some(Streamed::N(n)) => format!("{happened} {n}"),
        _ => happened.to_owned(),
    }
}

type Item = HashMap<String, Streamed>;

fn field(
    record: &Record,
    part: impl Fn(&aws_sdk_dynamodbstreams::types::StreamRecord) -> Option<&Item>,
    name: &str,
) -> Option<Streamed> {
    part(record.dynamodb.as_ref()?)?.get(name).cloned()
}

async fn records_of_one_item_come_in_their_order(subject: &Subject) -> String {
    let key = subject.key();
    for n in 1..=3 {
        write(subject, &key, n).await;
    }
    delete(subject, &key).await;
    records(subject, &key).await
}

async fn a_write_that_changes_nothing_leaves_no_record(subject: &Subject) -> String {
    let key = subject.key();
    write(subject, &key, 1).await;
    write(subject, &key, 1).await;
    records(subject, &key).await
}

async fn a_refused_write_leaves_no_record(subject: &Subject) -> String {
    let key = subject.key();
    write(subject, &key, 1).await;
    let put = subject.dynamodb.put_item().table_name(&subject.streamed).set_item(Some(item(&key, "A", 2)));
    put.condition_expression("attribute_not_exists(pk)").send().await.unwrap_err();
    records(subject, &key).await
}

async fn a_transaction_leaves_a_record_of_each_item(subject: &Subject) -> String {
    let key = subject.key();
    let puts = [("A", 1), ("B", 2)].map(|(sort, n)| {
        let put = Put::builder().table_name(&subject.streamed).set_item(Some(item(&key, sort, n)));
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    });
    subject.dynamodb.transact_write_items().set_transact_items(Some(puts.to_vec())).send().await.unwrap();
    records(subject, &key).await
}

async fn what_is_deleted_and_written_again_is_inserted_again(subject: &Subject) -> String {
    let key = subject.key();
    write(subject, &key, 1).await;
    delete(subject, &key).await;
    write(subject, &key, 1).await;
    records(subject, &key).await
}
