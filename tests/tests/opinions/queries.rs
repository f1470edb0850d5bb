//! What we rely on in queries of DynamoDB: ranges of sort keys, their order, and pages.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::{QueryOutput, builders::QueryFluentBuilder};

use crate::{
    questions,
    subject::{Subject, text},
};

questions! {
    a_range_of_sort_keys_has_both_its_ends => "ab ac b",
    sort_keys_that_begin_alike => "a ab ac",
    the_last_sort_key_first => "c b ac ab a",
    a_filter_takes_away_from_a_page_and_not_from_its_end => "nothing, and more after ab",
}

/// Writes five items under a key of their own.
async fn five(subject: &Subject) -> String {
    let key = subject.key();
    for name in ["b", "ab", "c", "a", "ac"] {
        let item = HashMap::from([("pk".to_owned(), text(&key)), ("sk".to_owned(), text(name))]);
        subject.dynamodb.put_item().table_name(&subject.table).set_item(Some(item)).send().await.unwrap();
    }
    key
}

fn query(subject: &Subject, key: &str, condition: &str) -> QueryFluentBuilder {
    let query = subject.dynamodb.query().table_name(&subject.table);
    query.key_condition_expression(condition).expression_attribute_values(":pk", text(key))
}

fn names(page: &QueryOutput) -> String {
    let names: Vec<_> = page.items().iter().map(|item| item["sk"].as_s().unwrap().as_str()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }
}

async fn a_range_of_sort_keys_has_both_its_ends(subject: &Subject) -> String {
    let key = five(subject).await;
    let query = query(subject, &key, "pk = :pk AND sk BETWEEN :low AND :high");
    let query = query.expression_attribute_values(":low", text("ab")).expression_attribute_values(":high", text("b"));
    names(&query.send().await.unwrap())
}

async fn sort_keys_that_begin_alike(subject: &Subject) -> String {
    let key = five(subject).await;
    let query = query(subject, &key, "pk = :pk AND begins_with(sk, :beginning)");
    names(&query.expression_attribute_values(":beginning", text("a")).send().await.unwrap())
}

async fn the_last_sort_key_first(subject: &Subject) -> String {
    let key = five(subject).await;
    names(&query(subject, &key, "pk = :pk").scan_index_forward(false).send().await.unwrap())
}

async fn a_filter_takes_away_from_a_page_and_not_from_its_end(subject: &Subject) -> String {
    let key = five(subject).await;
    let page = query(subject, &key, "pk = :pk").limit(2).filter_expression("attribute_exists(n)").send().await.unwrap();
    let last = page.last_evaluated_key().and_then(|key| key.get("sk")?.as_s().ok());
    last.map_or_else(|| names(&page), |last| format!("{}, and more after {last}", names(&page)))
}
