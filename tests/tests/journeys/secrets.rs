//! Secrets stay out of the tables.

use crate::site::{OWNER, PASSWORD, Site};

#[tokio::test]
async fn no_item_holds_a_password_or_a_token() {
    let site = Site::open_locally().await;
    site.register("ada@example.com").await.ok(202);
    let link = site.token("ada@example.com").await;
    site.confirm("ada@example.com").await.ok(200);
    let tokens = site.login(OWNER, PASSWORD).await.ok(200);
    let services = site.services();

    let mut everything = Vec::new();
    for table in [services.portal_table(), services.mail_table()] {
        let found = services.dynamodb().scan().table_name(table).send().await.unwrap();
        everything.extend(found.items.unwrap());
    }
    let everything = format!("{everything:?}");

    assert!(everything.contains("ada@example.com"));
    let word = |name: &str| tokens[name].as_str().unwrap().to_owned();
    for secret in [link, PASSWORD.to_owned(), word("access_token"), word("id_token"), word("refresh_token")] {
        assert!(!everything.contains(&secret), "a secret stands in a table");
    }
}
