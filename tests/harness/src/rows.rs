//! The tables themselves: what no workflow shows, and states that none leads to.

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use serde_json::Value;
use shared::domain::ids::UserId;

use crate::Bench;

impl Bench {
    /// Every item of both tables.
    pub async fn rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for table in [self.services.portal_table(), self.services.mail_table()] {
            let scan = self.services.dynamodb().scan().table_name(table).consistent_read(true);
            let items = scan.into_paginator().items().send().try_collect().await.unwrap();
            rows.extend(serde_dynamo::from_items::<_, Value>(items).unwrap());
        }
        rows
    }

    /// The items whose partition starts with `prefix`.
    pub async fn rows_in(&self, prefix: &str) -> Vec<Value> {
        let mut rows = self.rows().await;
        rows.retain(|row| row["pk"].as_str().unwrap().starts_with(prefix));
        rows
    }

    /// Writes one attribute of a person's row, past every rule.
    pub fn overwrite(&self, id: &UserId, attribute: &str, value: &Value) -> impl Future<Output = ()> + Send + use<> {
        self.overwrite_row(&format!("USER#{id}"), "USER", attribute, value)
    }

    /// Writes one attribute of a row of `Portal`, past every rule.
    pub fn overwrite_row(
        &self,
        pk: &str,
        sk: &str,
        attribute: &str,
        value: &Value,
    ) -> impl Future<Output = ()> + Send + use<> {
        let update = self
            .services
            .dynamodb()
            .update_item()
            .table_name(self.services.portal_table())
            .key("pk", serde_dynamo::to_attribute_value(pk).unwrap())
            .key("sk", serde_dynamo::to_attribute_value(sk).unwrap())
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", serde_dynamo::to_attribute_value(value).unwrap());
        async move { drop(update.send().await.unwrap()) }
    }

    /// Deletes a person's row and nothing else.
    pub fn erase(&self, id: &UserId) -> impl Future<Output = ()> + Send + use<> {
        self.discard(&format!("USER#{id}"), "USER")
    }

    /// Deletes one row of `Portal` and nothing else.
    pub fn discard(&self, pk: &str, sk: &str) -> impl Future<Output = ()> + Send + use<> {
        let delete = self
            .services
            .dynamodb()
            .delete_item()
            .table_name(self.services.portal_table())
            .key("pk", serde_dynamo::to_attribute_value(pk).unwrap())
            .key("sk", serde_dynamo::to_attribute_value(sk).unwrap());
        async move { drop(delete.send().await.unwrap()) }
    }

    /// Writes rows of `Portal` whole, past every rule.
    pub async fn put_rows(&self, rows: &[Value]) {
        let requests = rows.iter().map(|row| {
            let put = PutRequest::builder().set_item(Some(serde_dynamo::to_item(row).unwrap()));
            WriteRequest::builder().put_request(put.build().unwrap()).build()
        });
        let requests: Vec<_> = requests.collect();
        // As many as one batch takes.
        for some in requests.chunks(25) {
            let write = self.services.dynamodb().batch_write_item();
            write.request_items(self.services.portal_table(), some.to_vec()).send().await.unwrap();
        }
    }
}
