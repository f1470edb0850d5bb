//! Switches that act at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{OWNER, PASSWORD, Site};

async fn set(site: &Site, settings: Value) -> Value {
    let owner = site.access(OWNER).await;
    site.send(Method::PATCH, "/v1/settings", Some(&owner), Some(&settings)).await.ok(200)
}

#[tokio::test]
async fn registration_can_be_switched_off_and_on_again() {
    let site = Site::open().await;

    set(&site, json!({"self_registration": false})).await;
    assert_eq!(site.register("ada@example.com").await.refusal(), (403, "registration-closed"));
    let form = site.send(Method::GET, "/v1/settings/public", None, None).await.ok(200);
    assert_eq!(form["self_registration"], false);

    set(&site, json!({"self_registration": true})).await;
    site.register("ada@example.com").await.ok(202);
}

#[tokio::test]
async fn with_sign_in_switched_off_only_owners_get_in() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let tokens = site.login("ada@example.com", PASSWORD).await.ok(200);

    set(&site, json!({"sign_in": false})).await;

    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (403, "portal-closed"));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(site.post("/v1/auth/refresh", refresh).await.refusal(), (403, "portal-closed"));
    site.access(OWNER).await;
}

#[tokio::test]
async fn a_stricter_password_policy_holds_for_the_next_password() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);

    set(&site, json!({"password_policy": {"min_numerics": 4}})).await;

    let refused = site.confirm("ada@example.com").await;
    assert_eq!(refused.refusal(), (422, "validation-failed"));
    assert_eq!(refused.body["errors"][0]["code"], "password_too_few_digits");
    set(&site, json!({"password_policy": {"min_numerics": 0}})).await;
    site.confirm("ada@example.com").await.ok(200);
}

#[tokio::test]
async fn without_a_sender_what_needs_mail_says_so_and_people_are_created_all_the_same() {
    let site = Site::open().await;
    set(&site, json!({"sender": null})).await;
    let owner = site.access(OWNER).await;
    let person = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});

    assert_eq!(site.register("ada@example.com").await.refusal(), (409, "mail-not-configured"));
    let invited = site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&person)).await;
    assert_eq!(invited.refusal(), (409, "mail-not-configured"));
    let forgotten = site.post("/v1/auth/forgot-password", json!({"email": OWNER})).await;
    assert_eq!(forgotten.refusal(), (409, "mail-not-configured"));

    let mut with_password = person;
    with_password["password"] = json!(PASSWORD);
    with_password["active"] = json!(true);
    site.send(Method::POST, "/v1/users", Some(&owner), Some(&with_password)).await.ok(201);
    site.access("ada@example.com").await;
}
