//! Going back to an earlier instant, as `docs/operations.md` says: both tables are restored, passwords are what they are by
//! now.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use local_services::Services;
use reqwest::Method;
use serde_json::json;

use crate::site::{OWNER, PASSWORD, Site};

/// The items of a table, by the table's name.
type Copy = Vec<(String, Vec<HashMap<String, AttributeValue>>)>;

async fn copy(services: &Services) -> Copy {
    let mut tables = Vec::new();
    for table in [services.portal_table(), services.mail_table()] {
        let found = services.dynamodb().scan().table_name(table).send().await.unwrap();
        assert!(found.last_evaluated_key.is_none(), "more than one page");
        tables.push((table.to_owned(), found.items.unwrap()));
    }
    tables
}

async fn restore(services: &Services, earlier: Copy) {
    for (table, items) in copy(services).await {
        for item in items {
            let delete = services.dynamodb().delete_item().table_name(&table);
            delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
        }
    }
    for (table, items) in earlier {
        for item in items {
            services.dynamodb().put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn tables_restored_to_an_instant_go_on_from_there() {
    let site = Site::open_locally().await;
    site.member("ada@example.com").await;
    let earlier = copy(site.services()).await;
    let ada = site.access("ada@example.com").await;
    assert_eq!(site.send(Method::DELETE, "/v1/me", Some(&ada), None).await.status, 204);
    site.member("grace@example.com").await;

    restore(site.services(), earlier).await;
    site.advance(3600).await;
    site.sweep().await;

    // Whoever came since is not known any more, and may come again.
    assert_eq!(site.login("grace@example.com", PASSWORD).await.refusal(), (401, "invalid-credentials"));
    site.member("grace@example.com").await;
    site.access("grace@example.com").await;
    // Whoever left since is back, and chooses a password anew.
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (401, "invalid-credentials"));
    site.post("/v1/auth/forgot-password", json!({"email": "ada@example.com"})).await.ok(202);
    let token = site.token("ada@example.com").await;
    site.post("/v1/auth/reset-password", json!({"token": token, "password": PASSWORD})).await.ok(200);
    site.access("ada@example.com").await;
    site.access(OWNER).await;
}
