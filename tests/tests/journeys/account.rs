//! One's own account: names, place, and a copy of what is held.

use reqwest::Method;
use serde_json::json;

use crate::site::Site;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_name_is_changed_and_everything_else_goes_on() {
    let site = Site::open().await;
    site.member(ADA).await;
    let token = site.access(ADA).await;
    let before = site.get(&token, "/v1/me").await;
    let body = json!({"first_name": "Augusta"});

    let changed = site.send(Method::PATCH, "/v1/me", Some(&token), Some(&body)).await;

    assert_ne!(changed.headers["etag"], before.headers["etag"]);
    let changed = changed.ok(200);
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&json!("Augusta"), &json!("Lovelace")));
    assert_eq!(site.get(&token, "/v1/me").await.ok(200), changed);
    site.access(ADA).await;
    let role = site.send(Method::PATCH, "/v1/me", Some(&token), Some(&json!({"role": "api_owner"}))).await;
    assert_eq!(role.refusal(), (422, "validation-failed"));
}

#[tokio::test]
async fn somebody_new_sees_where_they_are_and_takes_a_copy_of_what_is_held() {
    let site = Site::open().await;
    let id = site.member(ADA).await;
    let token = site.access(ADA).await;

    let place = site.get(&token, "/v1/me/organisation").await.ok(200);
    let export = site.get(&token, "/v1/me/export").await;

    assert_eq!((&place["is_default"], &place["role"]), (&json!(true), &json!("team_member")));
    assert_eq!(place["organisation"]["name"], "Default Organisation");
    assert!(export.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let export = export.ok(200);
    assert_eq!((&export["profile"]["id"], &export["profile"]["email"]), (&json!(id), &json!(ADA)));
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    let words = |part: &str, field: &str| {
        let items = export[part].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned());
        items.collect::<Vec<_>>()
    };
    assert_eq!(words("mails", "event"), ["confirm_registration", "registration_pending", "approved"]);
    assert_eq!(words("audit", "action"), ["user.approved", "registration.confirmed", "registration.created"]);
    assert_eq!(words("audit", "by"), ["somebody else", "a visitor", "a visitor"]);
}
