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
    let (acme, team) = site.organisation("Acme", "Acme team").await;
    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    let owner = site.access(OWNER).await;
    let path = format!("/v1/users/{}/approve", site.id(&owner, "ada@example.com").await);

    let nowhere = json!({"organisation_id": acme, "team_ids": ["team_00000000000000000000000000"]});
    let refused = site.send(Method::POST, &path, Some(&owner), Some(&nowhere)).await;
    assert_eq!(refused.refusal(), (422, "validation-failed"));
    let there = json!({"organisation_id": acme, "team_ids": [team], "role": "consumer_admin"});
    site.send(Method::POST, &path, Some(&owner), Some(&there)).await.ok(200);

    let ada = site.access("ada@example.com").await;
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["organisation"]["name"], &me["role"]), (&json!("Acme"), &json!("consumer_admin")));
    assert_eq!(me["teams"], json!([{"id": team, "name": "Acme team"}]));
}

async fn set(site: &Site, settings: serde_json::Value) {
    let owner = site.access(OWNER).await;
    site.send(Method::PATCH, "/v1/settings", Some(&owner), Some(&settings)).await.ok(200);
}

#[tokio::test]
async fn who_registers_while_approval_is_automatic_is_welcomed_and_can_log_in_straight_away() {
    let site = Site::open().await;
    set(&site, json!({"auto_approve": true})).await;

    site.register("ada@example.com").await.ok(202);
    assert_eq!(site.confirm("ada@example.com").await.ok(200), json!({"next": "log_in"}));

    site.access("ada@example.com").await;
    assert_eq!(site.mail_events("ada@example.com").await, ["confirm_registration", "welcome"]);
    let owners = site.mail_events(OWNER).await;
    assert!(!owners.contains(&"registration_pending".to_owned()), "{owners:?}");
}

#[tokio::test]
async fn a_domain_lets_its_own_in_and_everybody_else_waits() {
    let site = Site::open().await;
    set(&site, json!({"auto_approve_domains": ["Example.com"]})).await;

    for (address, next) in [("ada@example.com", "log_in"), ("eve@sub.example.com", "await_approval")] {
        site.register(address).await.ok(202);
        assert_eq!(site.confirm(address).await.ok(200), json!({"next": next}));
    }

    site.access("ada@example.com").await;
    let refused = site.login("eve@sub.example.com", crate::site::PASSWORD).await;
    assert_eq!(refused.refusal(), (403, "registration-pending"));
}

#[tokio::test]
async fn switching_automatic_approval_on_lets_in_the_queue_and_leaves_the_rejected_out() {
    let site = Site::open().await;
    for address in ["ada@example.com", "grace@example.com", "eve@example.com"] {
        site.register(address).await.ok(202);
        site.confirm(address).await.ok(200);
    }
    let owner = site.access(OWNER).await;
    let eve = site.id(&owner, "eve@example.com").await;
    site.act(&owner, &format!("/v1/users/{eve}/reject")).await.ok(200);

    set(&site, json!({"auto_approve": true})).await;

    for address in ["ada@example.com", "grace@example.com"] {
        site.access(address).await;
        assert_eq!(site.mail_events(address).await, ["confirm_registration", "approved"]);
    }
    site.sweep().await;
    let refused = site.login("eve@example.com", crate::site::PASSWORD).await;
    assert_eq!(refused.refusal(), (403, "registration-rejected"));
    let waiting = site.get(&owner, "/v1/users?status=pending").await.ok(200);
    assert_eq!(waiting["items"], json!([]));
}

#[tokio::test]
async fn the_owner_is_reminded_once_a_day_that_somebody_waits() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    let reminders = async || {
        let mails = site.mail_events(OWNER).await;
        mails.into_iter().filter(|event| event == "pending_digest").count()
    };

    site.advance(23 * 3600).await;
    site.sweep().await;
    let early = reminders().await;
    site.advance(2 * 3600).await;
    site.sweep().await;
    site.sweep().await;

    assert_eq!((early, reminders().await), (0, 1));
    let mails = site.mails(OWNER).await;
    assert!(mails[0]["text"].as_str().unwrap().contains("has waited for more than a day, since"), "{}", mails[0]);
    site.advance(24 * 3600).await;
    site.sweep().await;
    assert_eq!(reminders().await, 2);
}
