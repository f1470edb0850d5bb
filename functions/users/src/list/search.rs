//! `q`: people by how their address or a name begins.

use harness::{Bench, SignedIn};
use serde_json::json;
use shared::domain::user::{Role, Status, User};

use super::tests::{app, list, portal, who};
use crate::{change::tests::Acme, router};

async fn named(bench: &Bench, owner: &SignedIn, address: &str, first_name: &str, last_name: &str) -> User {
    let person = bench.person(&format!("{address}@example.com"), Role::TeamMember, Status::Active).await;
    let body = json!({"first_name": first_name, "last_name": last_name});
    let sample = harness::Sample::of("users-change").id(&person.id).by(owner).body(&body);
    assert_eq!(super::tests::send(bench, sample).await.status, 200);
    bench.read(&person.id).await
}

/// Everybody whom the query finds, over all its pages.
async fn finds(bench: &Bench, caller: &SignedIn, query: &str, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(bench, caller, &format!("{query}&limit={limit}{cursor}")).await;
        assert!(who(&page).len() <= limit);
        found.extend(who(&page).into_iter().map(str::to_owned));
        let Some(next) = page.body["next_cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn people_are_found_by_address_then_first_then_last_name_and_each_once() {
    let (bench, owner) = portal().await;
    named(&bench, &owner, "z", "Zoe", "ADAMS").await;
    named(&bench, &owner, "ada.king", "Ada", "Adair").await;
    named(&bench, &owner, "y", "adA", "Adler").await;
    named(&bench, &owner, "x", "Bob", "Barada").await;
    named(&bench, &owner, "adb", "Grace", "Hopper").await;

    for limit in [1, 2, 3, 100] {
        assert_eq!(finds(&bench, &owner, "q=%20aDa", limit).await, ["ada.king", "y", "z"], "{limit}");
        assert_eq!(finds(&bench, &owner, "q=ad", limit).await, ["ada.king", "adb", "y", "z"], "{limit}");
    }
    assert_eq!(finds(&bench, &owner, "q=ada.king%40example.com", 25).await, ["ada.king"]);
    assert_eq!(finds(&bench, &owner, "q=dams", 25).await, [""; 0]);
}

#[tokio::test]
async fn names_of_any_script_and_length_are_found_without_case() {
    let (bench, owner) = portal().await;
    let long = "ΐ".repeat(100);
    named(&bench, &owner, "one", "Straße", "ΟΔΟΣ").await;
    named(&bench, &owner, "two", &long, &format!("{}b", "a".repeat(99))).await;
    named(&bench, &owner, "three", &long, &"a".repeat(100)).await;
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let q = |text: &str| format!("q={}", encoded(text));

    assert_eq!(finds(&bench, &owner, &q("STRASSE"), 25).await, ["one"]);
    assert_eq!(finds(&bench, &owner, &q("οδος"), 25).await, ["one"]);
    assert_eq!(finds(&bench, &owner, &q(&long), 1).await, ["two", "three"]);
    assert_eq!(finds(&bench, &owner, &q(&format!("{}b", "A".repeat(99))), 1).await, ["two"]);
}

#[tokio::test]
async fn a_search_follows_a_change_of_names() {
    let (bench, owner) = portal().await;
    let ada = named(&bench, &owner, "x", "Ada", "Lovelace").await;
    let body = json!({"first_name": "Augusta", "last_name": "King"});
    super::tests::send(&bench, harness::Sample::of("users-change").id(&ada.id).by(&owner).body(&body)).await;

    assert_eq!(finds(&bench, &owner, "q=ada", 25).await, [""; 0]);
    assert_eq!(finds(&bench, &owner, "q=lovelace", 25).await, [""; 0]);
    assert_eq!(finds(&bench, &owner, "q=augusta", 25).await, ["x"]);
    assert_eq!(finds(&bench, &owner, "q=king", 25).await, ["x"]);
}

#[tokio::test]
async fn a_search_is_narrowed_by_the_other_filters() {
    let acme = Acme::new().await;
    acme.member("gone", &[1]).await;
    acme.person("going", Role::ConsumerAdmin, Status::Inactive, &[2, 3]).await;
    let stranger = acme.bench.person("golden@example.com", Role::TeamMember, Status::Pending).await;
    let query = |filter: &str| format!("q=go{filter}");
    let found = async |filter: &str| finds(&acme.bench, &acme.owner, &query(filter), 1).await.join(" ");

    assert_eq!(found("").await, "going golden gone");
    assert_eq!(found("&status=inactive").await, "going");
    assert_eq!(found("&role=team_member").await, "golden gone");
    assert_eq!(found(&format!("&organisation_id={}", acme.id)).await, "going gone");
    assert_eq!(found(&format!("&team_id={}", acme.teams[3])).await, "going");
    assert_eq!(
        found(&format!("&organisation_id={}&role=team_member", stranger.organisation_id.unwrap())).await,
        "golden"
    );
}

#[tokio::test]
async fn a_consumers_search_stays_within_what_they_see_and_costs_a_query_per_team() {
    let acme = Acme::new().await;
    acme.member("gone", &[1]).await;
    acme.member("going", &[3]).await;
    acme.person("gold", Role::TeamMember, Status::Unconfirmed, &[1]).await;

    assert_eq!(finds(&acme.bench, &acme.admin, "q=GO", 1).await, ["gone"]);
    assert_eq!(finds(&acme.bench, &acme.admin, "q=adm", 25).await, ["admin"]);
    let sample = harness::Sample::of("users-list").by(&acme.admin).query("q=go");
    let (_, calls) = acme.bench.calls(sample.send(router(app(&acme.bench)))).await;
    assert_eq!(calls.iter().filter(|call| call.operation == "DynamoDB.Query").count(), 2);
}

#[tokio::test]
async fn a_search_takes_the_caller_a_query_per_field_and_one_batch() {
    let (bench, owner) = portal().await;
    for number in 0..30 {
        bench.person(&format!("p{number:02}@example.com"), Role::TeamMember, Status::Active).await;
    }
    for (query, queries, found) in [("q=p", 1, 25), ("q=gra", 2, 25), ("q=hop", 3, 25), ("q=none", 3, 0)] {
        let sample = harness::Sample::of("users-list").by(&owner).query(query);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(who(&reply).len(), found, "{query}");
        let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
        assert_eq!(count("DynamoDB.Query"), queries, "{query}");
        assert_eq!(count("DynamoDB.BatchGetItem"), 2, "{query}");
        assert_eq!(calls.len(), count("DynamoDB.Query") + count("DynamoDB.BatchGetItem"));
    }
}

#[tokio::test]
async fn a_cursor_of_another_search_and_an_empty_search_are_refused() {
    let (bench, owner) = portal().await;
    for number in 0..2 {
        bench.person(&format!("p{number}@example.com"), Role::TeamMember, Status::Active).await;
    }
    let page = list(&bench, &owner, "q=p&limit=1").await;
    let cursor = page.body["next_cursor"].as_str().unwrap();

    assert_eq!(list(&bench, &owner, &format!("q=o&cursor={cursor}")).await.faults(), [("/cursor", "invalid_cursor")]);
    assert_eq!(list(&bench, &owner, "q=%20").await.faults(), [("/q", "invalid_search")]);
}
