//! Owners deciding at the same time.

use reqwest::Method;
use serde_json::json;

use crate::site::{OWNER, Site};

#[tokio::test]
async fn of_two_owners_approving_at_once_one_succeeds_and_one_mail_goes_out() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    let (one, other) = (site.access(OWNER).await, site.access(OWNER).await);
    let path = format!("/v1/users/{}/approve", site.id(&one, "ada@example.com").await);

    let (first, second) = tokio::join!(site.act(&one, &path), site.act(&other, &path));

    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let loser = if first.status == 409 { first } else { second };
    assert_eq!(loser.problem(), "wrong-status");
    assert!(loser.body["detail"].as_str().unwrap().contains("active"));
    let mails = site.mail_events("ada@example.com").await;
    assert_eq!(mails, ["confirm_registration", "approved"]);
}

#[tokio::test]
async fn nobody_decides_about_themselves() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let id = site.id(&owner, OWNER).await;

    assert_eq!(site.act(&owner, &format!("/v1/users/{id}/deactivate")).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn an_owner_places_a_registration_while_approving_it_and_the_person_finds_themselves_there() {
    let site = Site::open().await;
    let now = shared::clock::Clock::system().now();
    let (acme, teams) = harness::organisation(site.portal.services(), now, "Acme", 1).await;
    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    let owner = site.access(OWNER).await;
    let path = format!("/v1/users/{}/approve", site.id(&owner, "ada@example.com").await);

    let nowhere = json!({"organisation_id": acme, "team_ids": ["team_00000000000000000000000000"]});
    let refused = site.send(Method::POST, &path, Some(&owner), Some(&nowhere)).await;
    assert_eq!(refused.refusal(), (422, "validation-failed"));
    let there = json!({"organisation_id": acme, "team_ids": [teams[1]], "role": "consumer_admin"});
    site.send(Method::POST, &path, Some(&owner), Some(&there)).await.ok(200);

    let ada = site.access("ada@example.com").await;
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["organisation"]["name"], &me["role"]), (&json!("Acme"), &json!("consumer_admin")));
    assert_eq!(me["teams"], json!([{"id": teams[1], "name": "Acme team 1"}]));
}
