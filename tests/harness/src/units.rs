//! What writing costs, by the rules of DynamoDB's pricing.

use local_services::Call;
use serde_json::Value;

/// The write units of the base tables that `calls` use, every item taken as at most 1 KB: an item of a transaction
/// costs two, its checks too, a single write one. Index writes are not counted.
pub fn write_units(calls: &[Call]) -> usize {
    calls.iter().map(units).sum()
}

fn units(call: &Call) -> usize {
    match call.operation.as_str() {
        "DynamoDB.TransactWriteItems" => 2 * call.request["TransactItems"].as_array().map_or(0, Vec::len),
        "DynamoDB.PutItem" | "DynamoDB.UpdateItem" | "DynamoDB.DeleteItem" => 1,
        "DynamoDB.BatchWriteItem" => batch(&call.request["RequestItems"]),
        _ => 0,
    }
}

fn batch(tables: &Value) -> usize {
    tables.as_object().into_iter().flatten().filter_map(|(_, items)| items.as_array()).map(Vec::len).sum()
}
