//! The records of a table's stream, read with the SDK and written as Lambda gets them.

use std::collections::HashMap;

use aws_sdk_dynamodbstreams::{
    Client,
    error::DisplayErrorContext,
    types::{AttributeValue, Record, ShardIteratorType},
};
use serde_json::{Map, Value, json};

/// A stream from a position on.
#[derive(Debug)]
pub struct Source {
    client: Client,
    arn: String,
    region: String,
    /// Where each shard is read next.
    iterators: Vec<String>,
}

/// Why a stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The table has none.
    #[error("the table {0} has no stream")]
    None(String),
    /// The service says so.
    #[error("{call} failed: {reason}")]
    Aws {
        /// The call.
        call: &'static str,
        /// What the SDK says.
        reason: String,
    },
}

fn aws(call: &'static str, error: impl std::error::Error) -> SourceError {
    SourceError::Aws { call, reason: DisplayErrorContext(error).to_string() }
}

impl Source {
    /// The stream of `table`, from what is written after this call.
    pub async fn latest(client: Client, table: &str, region: &str) -> Result<Self, SourceError> {
        let listed = client.list_streams().table_name(table).send().await.map_err(|error| aws("ListStreams", error))?;
        let arn = listed.streams().first().and_then(|stream| stream.stream_arn());
        let arn = arn.ok_or_else(|| SourceError::None(table.to_owned()))?.to_owned();
        let described = client.describe_stream().stream_arn(&arn).send().await;
        let described = described.map_err(|error| aws("DescribeStream", error))?;
        let shards = described.stream_description.map(|stream| stream.shards.unwrap_or_default()).unwrap_or_default();
        let mut iterators = Vec::new();
        for shard in shards.iter().filter_map(|shard| shard.shard_id()) {
            let request = client.get_shard_iterator().stream_arn(&arn).shard_id(shard);
            let sent = request.shard_iterator_type(ShardIteratorType::Latest).send().await;
            iterators.extend(sent.map_err(|error| aws("GetShardIterator", error))?.shard_iterator);
        }
        Ok(Self { client, arn, region: region.to_owned(), iterators })
    }

    /// The next records, in order; none where everything was read.
    pub async fn next(&mut self) -> Result<Vec<Value>, SourceError> {
        let mut records = Vec::new();
        for iterator in &mut self.iterators {
            let sent = self.client.get_records().shard_iterator(iterator.as_str()).send().await;
            let read = sent.map_err(|error| aws("GetRecords", error))?;
            // The local stream has one shard that never ends; what has no next iterator is read to its end.
            if let Some(next) = read.next_shard_iterator {
                *iterator = next;
            }
            let arn = &self.arn;
            let region = &self.region;
            records.extend(read.records.unwrap_or_default().into_iter().map(|record| written(record, arn, region)));
        }
        Ok(records)
    }
}

/// A record as Lambda gets it.
fn written(record: Record, arn: &str, region: &str) -> Value {
    let change = record.dynamodb.unwrap_or_else(|| aws_sdk_dynamodbstreams::types::StreamRecord::builder().build());
    let created = change.approximate_creation_date_time.map(|at| at.secs());
    let mut body = Map::from_iter([
        ("ApproximateCreationDateTime".to_owned(), json!(created.unwrap_or_default())),
        ("Keys".to_owned(), item(change.keys.unwrap_or_default())),
        ("SequenceNumber".to_owned(), json!(change.sequence_number.unwrap_or_default())),
        ("SizeBytes".to_owned(), json!(change.size_bytes.unwrap_or_default())),
        ("StreamViewType".to_owned(), json!(change.stream_view_type.map(|view| view.as_str().to_owned()))),
    ]);
    for (name, image) in [("NewImage", change.new_image), ("OldImage", change.old_image)] {
        body.extend(image.map(|image| (name.to_owned(), item(image))));
    }
    json!({
        "eventID": record.event_id.unwrap_or_default(),
        "eventName": record.event_name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        "eventVersion": record.event_version,
        "eventSource": record.event_source,
        "awsRegion": region,
        "dynamodb": body,
        "eventSourceARN": arn,
    })
}

fn item(item: HashMap<String, AttributeValue>) -> Value {
    let item: serde_dynamo::Item = item.into();
    serde_json::to_value(item).unwrap_or_default()
}
