//! The main way in.

use serde_json::json;

use crate::site::{OWNER, PASSWORD, Site};

#[tokio::test]
async fn somebody_registers_confirms_waits_is_approved_logs_in_and_is_switched_off() {
    let site = Site::open().await;

    let registered = site.register("ada@example.com").await.ok(202);
    assert_eq!(registered, json!({"next": "confirm_email"}));
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (401, "invalid-credentials"));

    let confirmed = site.confirm("ada@example.com").await.ok(200);
    assert_eq!(confirmed, json!({"next": "await_approval"}));
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (403, "registration-pending"));
    assert_eq!(site.mail_events(OWNER).await.last().unwrap(), "registration_pending");

    let owner = site.access(OWNER).await;
    let queue = site.get(&owner, "/v1/users?status=pending").await.ok(200);
    assert_eq!(queue["items"].as_array().unwrap().len(), 1);
    let id = queue["items"][0]["id"].as_str().unwrap();
    let approved = site.act(&owner, &format!("/v1/users/{id}/approve")).await.ok(200);
    assert_eq!((&approved["status"], &approved["role"]), (&json!("active"), &json!("team_member")));

    let tokens = site.login("ada@example.com", PASSWORD).await.ok(200);
    let token = tokens["access_token"].as_str().unwrap();
    let me = site.get(token, "/v1/me").await.ok(200);
    assert_eq!(
        (&me["email"], &me["organisation"]["name"]),
        (&json!("ada@example.com"), &json!("Default Organisation"))
    );

    site.act(&owner, &format!("/v1/users/{id}/deactivate")).await.ok(200);
    let refused = site.get(token, "/v1/me").await;
    assert_eq!(refused.refusal(), (401, "unauthenticated"));
    assert!(refused.headers.contains_key("www-authenticate"));
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (403, "account-inactive"));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(site.post("/v1/auth/refresh", refresh).await.refusal(), (401, "invalid-refresh-token"));
    let expected = ["confirm_registration", "approved", "deactivated"];
    assert_eq!(site.mail_events("ada@example.com").await, expected);
}

#[tokio::test]
async fn a_rejected_applicant_is_told_why_and_may_be_let_in_later() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    let owner = site.access(OWNER).await;
    let id = site.id(&owner, "ada@example.com").await;

    let path = format!("/v1/users/{id}/reject");
    let reason = json!({"reason": "We know nobody of this name."});
    site.send(reqwest::Method::POST, &path, Some(&owner), Some(&reason)).await.ok(200);

    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (403, "registration-rejected"));
    let mails = site.mails("ada@example.com").await;
    assert!(mails[0]["text"].as_str().unwrap().contains("We know nobody of this name."));
    site.act(&owner, &format!("/v1/users/{id}/reopen")).await.ok(200);
    site.act(&owner, &format!("/v1/users/{id}/approve")).await.ok(200);
    site.access("ada@example.com").await;
}

#[tokio::test]
async fn where_addresses_are_not_confirmed_the_password_is_chosen_at_once() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let settings = json!({"email_confirmation": false});
    site.send(reqwest::Method::PATCH, "/v1/settings", Some(&owner), Some(&settings)).await.ok(200);

    let body = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD});
    let registered = site.post("/v1/registrations", body).await.ok(202);

    assert_eq!(registered, json!({"next": "await_approval"}));
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (403, "registration-pending"));
}

#[tokio::test]
async fn known_and_unknown_addresses_cannot_be_told_apart() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let ask = async |path: &str, body: serde_json::Value| {
        let mut answer = site.post(path, body).await;
        for own in ["x-request-id", "apigw-requestid", "date"] {
            answer.headers.remove(own);
        }
        answer.body["request_id"] = serde_json::Value::Null;
        (answer.status, answer.body, answer.headers)
    };
    let register = |email: &str| json!({"email": email, "first_name": "E", "last_name": "E"});

    let known = ask("/v1/registrations", register("ada@example.com")).await;
    let unknown = ask("/v1/registrations", register("new@example.com")).await;
    assert_eq!(known, unknown);

    let known = ask("/v1/registrations/resend", json!({"email": "ada@example.com"})).await;
    let unknown = ask("/v1/registrations/resend", json!({"email": "nobody@example.com"})).await;
    assert_eq!(known, unknown);

    let known = ask("/v1/auth/login", json!({"email": "ada@example.com", "password": "wrong"})).await;
    let unknown = ask("/v1/auth/login", json!({"email": "nobody@example.com", "password": "wrong"})).await;
    assert_eq!(known, unknown);
}
