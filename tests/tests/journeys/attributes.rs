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
    // Of as many digits as a number can have, and of those that are easily lost.
    let tier = json!({"attributes": {"tier": 31.245_270_191_439_438}});
    let changed = site.send(Method::PATCH, "/v1/me", Some(&mine), Some(&tier)).await.ok(200);
    assert_eq!(changed["attributes"]["tier"].to_string(), "31.245270191439438");
    assert_eq!(site.get(&mine, "/v1/me").await.ok(200), changed);
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

#[tokio::test]
async fn what_is_set_for_good_is_given_once_and_then_changed_by_an_owner_alone() {
    let site = Site::open().await;
    let field = json!({"name": "vat", "label": "VAT number", "type": "string", "write_once": true});
    define(&site, field).await;
    site.member("ada@example.com").await;
    let (owner, mine) = (site.access(OWNER).await, site.access("ada@example.com").await);
    let id = site.id(&owner, "ada@example.com").await;
    let (mine_at, theirs_at) = ("/v1/me", format!("/v1/users/{id}"));
    let change = async |token: &str, path: &str, vat: Value| {
        let body = json!({"attributes": {"vat": vat}});
        site.send(Method::PATCH, path, Some(token), Some(&body)).await
    };

    let first = change(&mine, mine_at, json!("GB 123")).await.ok(200);
    let again = change(&mine, mine_at, json!("GB 123")).await.ok(200);
    let other = change(&mine, mine_at, json!("GB 999")).await;
    let none = change(&mine, mine_at, Value::Null).await;

    assert_eq!((&first["attributes"]["vat"], &again["attributes"]["vat"]), (&json!("GB 123"), &json!("GB 123")));
    for refused in [other, none] {
        assert_eq!(refused.refusal(), (422, "validation-failed"));
        let fault = &refused.body["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/attributes/vat"), &json!("write_once")));
    }
    assert_eq!(site.get(&mine, mine_at).await.ok(200)["attributes"]["vat"], "GB 123");

    change(&owner, &theirs_at, json!("GB 999")).await.ok(200);
    assert_eq!(site.get(&mine, mine_at).await.ok(200)["attributes"]["vat"], "GB 999");
    assert_eq!(change(&mine, mine_at, json!("GB 123")).await.refusal(), (422, "validation-failed"));

    change(&owner, &theirs_at, Value::Null).await.ok(200);
    change(&mine, mine_at, json!("GB 123")).await.ok(200);
    assert_eq!(change(&mine, mine_at, Value::Null).await.refusal(), (422, "validation-failed"));
}
