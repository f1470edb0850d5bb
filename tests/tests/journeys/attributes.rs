//! Custom attributes, from their definition to the profile.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{OWNER, PASSWORD, Site};

async fn define(site: &Site, attribute: Value) -> Value {
    let owner = site.access(OWNER).await;
    site.send(Method::POST, "/v1/user-attributes", Some(&owner), Some(&attribute)).await.ok(201)
}

fn ada(attributes: &Value) -> Value {
    json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "attributes": attributes})
}

#[tokio::test]
async fn an_attribute_is_defined_shown_on_the_form_asked_for_and_found_in_the_profile() {
    let site = Site::open().await;
    define(&site, json!({"name": "company", "label": "Company", "type": "string", "required": true})).await;
    define(&site, json!({"name": "tier", "label": "Tier", "type": "number", "on_form": false})).await;

    let form = site.send(Method::GET, "/v1/settings/public", None, None).await.ok(200);
    assert_eq!((&form["attributes"][0]["name"], &form["attributes"][1]), (&json!("company"), &json!(null)));
    assert_eq!(site.post("/v1/registrations", ada(&json!({}))).await.refusal(), (422, "validation-failed"));
    site.post("/v1/registrations", ada(&json!({"company": "Acme"}))).await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    let owner = site.access(OWNER).await;
    let id = site.id(&owner, "ada@example.com").await;
    site.act(&owner, &format!("/v1/users/{id}/approve")).await.ok(200);

    let mine = site.access("ada@example.com").await;
    assert_eq!(site.get(&mine, "/v1/me").await.ok(200)["attributes"], json!({"company": "Acme", "tier": null}));
}

#[tokio::test]
async fn who_is_invited_is_asked_too() {
    let site = Site::open().await;
    define(&site, json!({"name": "terms", "label": "I agree", "type": "boolean", "required": true})).await;
    let owner = site.access(OWNER).await;
    let person = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});
    site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&person)).await.ok(201);
    let token = site.token("ada@example.com").await;
    let accept = |attributes: Value| {
        site.post("/v1/invitations/accept", json!({"token": token, "password": PASSWORD, "attributes": attributes}))
    };

    assert_eq!(accept(json!({})).await.refusal(), (422, "validation-failed"));
    accept(json!({"terms": true})).await.ok(200);

    let mine = site.access("ada@example.com").await;
    assert_eq!(site.get(&mine, "/v1/me").await.ok(200)["attributes"], json!({"terms": true}));
}
