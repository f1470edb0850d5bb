//! What somebody may do follows from how they came in.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, OWNER, PASSWORD, Site};

async fn post(site: &Site, token: &str, path: &str, body: Value) -> Answer {
    site.send(Method::POST, path, Some(token), Some(&body)).await
}

fn named(email: &str, more: Value) -> Value {
    let mut body = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace"});
    let Value::Object(more) = more else { panic!("{more}") };
    body.as_object_mut().unwrap().extend(more);
    body
}

/// An organisation with a team, and a Consumer Admin of it: the team's id and the admin's token.
async fn partner(site: &Site, owner: &str) -> (String, String) {
    let organisation = post(site, owner, "/v1/organisations", json!({"name": "Acme"})).await.ok(201);
    let id = organisation["id"].as_str().unwrap();
    let team = post(site, owner, &format!("/v1/organisations/{id}/teams"), json!({"name": "Engines"})).await.ok(201);
    let team = team["id"].as_str().unwrap().to_owned();
    let more = json!({"organisation_id": id, "team_ids": [team], "password": PASSWORD, "active": true});
    post(site, owner, "/v1/users", named("admin@example.com", more)).await.ok(201);
    (team, site.access("admin@example.com").await)
}

/// The role of somebody, as they are told themselves.
async fn role(site: &Site, email: &str) -> Value {
    let token = site.access(email).await;
    site.get(&token, "/v1/me").await.ok(200)["role"].clone()
}

async fn accept(site: &Site, email: &str) {
    let token = site.token(email).await;
    site.post("/v1/invitations/accept", json!({"token": token, "password": PASSWORD})).await.ok(200);
}

#[tokio::test]
async fn who_is_created_by_an_owner_is_an_admin_and_who_registers_is_a_team_member() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let (team, admin) = partner(&site, &owner).await;
    site.member("registered@example.com").await;
    post(&site, &owner, "/v1/invite-codes", json!({"team_id": team, "code": "SPRING-26"})).await.ok(201);
    let redeemed = named("redeemed@example.com", json!({"code": "spring 26"}));
    site.post("/v1/invite-codes/redeem", redeemed).await.ok(202);
    site.confirm("redeemed@example.com").await.ok(200);
    for (email, sender, more) in [
        ("by.owner@example.com", &owner, json!({})),
        ("by.admin@example.com", &admin, json!({"team_ids": [team]})),
        ("chosen@example.com", &admin, json!({"team_ids": [team], "role": "consumer_admin"})),
    ] {
        post(&site, sender, "/v1/invitations", named(email, more)).await.ok(201);
        accept(&site, email).await;
    }

    let expected = [
        ("admin@example.com", "consumer_admin"),
        ("registered@example.com", "team_member"),
        ("redeemed@example.com", "team_member"),
        ("by.owner@example.com", "consumer_admin"),
        ("by.admin@example.com", "team_member"),
        ("chosen@example.com", "consumer_admin"),
    ];
    for (email, expected) in expected {
        assert_eq!(role(&site, email).await, expected, "{email}");
    }
}

#[tokio::test]
async fn invitations_by_consumer_admins_can_be_switched_off() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let (team, admin) = partner(&site, &owner).await;
    let off = json!({"consumer_admin_invitations": false});
    site.send(Method::PATCH, "/v1/settings", Some(&owner), Some(&off)).await.ok(200);

    let by_admin = named("ada@example.com", json!({"team_ids": [team]}));
    let refused = post(&site, &admin, "/v1/invitations", by_admin).await;
    let by_owner = post(&site, &owner, "/v1/invitations", named("ada@example.com", json!({}))).await;

    assert_eq!(refused.refusal(), (403, "invitations-closed"));
    by_owner.ok(201);
}

#[tokio::test]
async fn a_consumer_admin_makes_nobody_an_api_owner() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let (team, admin) = partner(&site, &owner).await;

    let wish = named("ada@example.com", json!({"team_ids": [team], "role": "api_owner"}));
    let refused = post(&site, &admin, "/v1/invitations", wish).await;

    assert_eq!(refused.refusal(), (422, "validation-failed"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/role");
}

#[tokio::test]
async fn a_code_lets_nobody_in_while_it_is_inactive_or_once_it_expired_and_is_found_again_by_its_owner() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let (team, _) = partner(&site, &owner).await;
    let code = post(&site, &owner, "/v1/invite-codes", json!({"team_id": team, "active": false})).await.ok(201);
    let text = code["code"].as_str().unwrap();
    let path = format!("/v1/invite-codes/{text}");
    let redeem = async |email: &str| site.post("/v1/invite-codes/redeem", named(email, json!({"code": text}))).await;
    assert_eq!(redeem("ada@example.com").await.refusal(), (409, "invite-code-inactive"));

    let health = site.post("/_local/clock", json!({"advance_seconds": 0})).await.ok(200);
    let now: jiff::Timestamp = health["now"].as_str().unwrap().parse().unwrap();
    let soon = now + jiff::SignedDuration::from_hours(1);
    let on = json!({"active": true, "expires_at": soon});
    site.send(Method::PATCH, &path, Some(&owner), Some(&on)).await.ok(200);
    redeem("ada@example.com").await.ok(202);
    site.advance(60 * 60).await;

    assert_eq!(redeem("grace@example.com").await.refusal(), (409, "invite-code-expired"));
    let owner = site.access(OWNER).await;
    let codes = site.get(&owner, "/v1/invite-codes").await.ok(200);
    let found = &codes["items"][0];
    assert_eq!((&found["code"], &found["state"], &found["used"]), (&json!(text), &json!("expired"), &json!(1)));
    assert_eq!((&found["team"]["name"], &found["organisation"]["name"]), (&json!("Engines"), &json!("Acme")));
}
