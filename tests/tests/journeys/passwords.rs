//! Passwords: forgotten, to be changed at the first login, changed by oneself, and guessed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{OWNER, PASSWORD, Site};

const ADA: &str = "ada@example.com";
const NEW: &str = "amber tractor 42!";

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_link_in_a_mail() {
    let site = Site::open().await;
    site.member(ADA).await;
    let before = site.access(ADA).await;

    let unknown = site.post("/v1/auth/forgot-password", json!({"email": "nobody@example.com"})).await.ok(202);
    let known = site.post("/v1/auth/forgot-password", json!({"email": ADA})).await.ok(202);
    assert_eq!(known, unknown);
    assert!(site.mails("nobody@example.com").await.is_empty());
    let token = site.token(ADA).await;
    let body = |password: &str| json!({"token": token, "password": password});
    assert_eq!(site.post("/v1/auth/reset-password", body("short")).await.status, 422);
    let reset = site.post("/v1/auth/reset-password", body(NEW)).await.ok(200);

    assert_eq!(reset, json!({"next": "log_in"}));
    assert_eq!(site.get(&before, "/v1/me").await.status, 401);
    assert_eq!(site.login(ADA, PASSWORD).await.refusal(), (401, "invalid-credentials"));
    let tokens = site.login(ADA, NEW).await.ok(200);
    site.get(access(&tokens), "/v1/me").await.ok(200);
    assert_eq!(site.post("/v1/auth/reset-password", body(PASSWORD)).await.refusal(), (410, "link-not-usable"));
    let events = site.mail_events(ADA).await;
    assert!(events.ends_with(&["reset_password".to_owned(), "password_changed".to_owned()]), "{events:?}");
}

#[tokio::test]
async fn a_link_to_another_password_works_for_an_hour_and_not_for_who_is_switched_off() {
    let site = Site::open().await;
    let id = site.member(ADA).await;
    let forget = async || site.post("/v1/auth/forgot-password", json!({"email": ADA})).await.ok(202);
    forget().await;
    let late = json!({"token": site.token(ADA).await, "password": NEW});
    site.advance(3600).await;
    assert_eq!(site.post("/v1/auth/reset-password", late).await.refusal(), (410, "link-not-usable"));

    let owner = site.access(OWNER).await;
    site.act(&owner, &format!("/v1/users/{id}/deactivate")).await.ok(200);
    forget().await;

    assert_eq!(site.mail_events(ADA).await.last().map(String::as_str), Some("deactivated"));
}

#[tokio::test]
async fn who_is_created_with_a_first_password_chooses_another_at_the_first_login() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let body = json!({
        "email": ADA, "first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD, "active": true,
        "must_change_password": true,
    });
    let created = site.send(Method::POST, "/v1/users", Some(&owner), Some(&body)).await.ok(201);
    assert_eq!(created["must_change_password"], true);

    let asked = site.login(ADA, PASSWORD).await.ok(200);
    let answer = |password: &str| json!({"email": ADA, "session": asked["session"], "new_password": password});
    let same = site.post("/v1/auth/challenge", answer(PASSWORD)).await.ok(422);
    let tokens = site.post("/v1/auth/challenge", answer(NEW)).await.ok(200);

    assert_eq!((&asked["challenge"], asked.as_object().unwrap().len()), (&json!("new_password_required"), 2));
    assert_eq!(same["errors"][0]["code"], "password_unchanged");
    let me = site.get(access(&tokens), "/v1/me").await.ok(200);
    assert_eq!(me["must_change_password"], false);
    assert_eq!(
        site.post("/v1/auth/challenge", answer("grey tractor 42!")).await.refusal(),
        (401, "invalid-credentials")
    );
    site.login(ADA, NEW).await.ok(200);
    site.post("/v1/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await.ok(200);
}

#[tokio::test]
async fn one_changes_ones_own_password_and_goes_on_with_new_tokens() {
    let site = Site::open().await;
    site.member(ADA).await;
    let (here, elsewhere) = (site.access(ADA).await, site.access(ADA).await);
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        site.send(Method::POST, "/v1/me/password", Some(&here), Some(&body)).await
    };

    assert_eq!(change(NEW, NEW).await.refusal(), (401, "invalid-credentials"));
    let tokens = change(PASSWORD, NEW).await.ok(200);

    for ended in [&here, &elsewhere] {
        assert_eq!(site.get(ended, "/v1/me").await.status, 401);
    }
    site.get(access(&tokens), "/v1/me").await.ok(200);
    assert_eq!(site.login(ADA, PASSWORD).await.status, 401);
    site.login(ADA, NEW).await.ok(200);
    assert_eq!(site.mail_events(ADA).await.last().map(String::as_str), Some("password_changed"));
}

#[tokio::test]
async fn guessing_costs_a_wait_that_a_right_password_ends() {
    let site = Site::open().await;
    site.member(ADA).await;
    site.access(ADA).await;
    let wrong = site.login(ADA, NEW).await;
    for wait in [0, 0, 0, 0, 1, 2, 4, 8] {
        site.advance(wait).await;
        assert_eq!(site.login(ADA, NEW).await.refusal(), wrong.refusal());
    }

    let waiting = site.login(ADA, PASSWORD).await;
    site.advance(16).await;
    site.login(ADA, PASSWORD).await.ok(200);

    assert_eq!(waiting.refusal(), (401, "invalid-credentials"));
    assert_eq!((&waiting.body["title"], &waiting.body["detail"]), (&wrong.body["title"], &wrong.body["detail"]));
    for _ in 0..4 {
        site.login(ADA, NEW).await;
    }
    site.login(ADA, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn an_address_that_nobody_logged_in_to_is_closed_after_four_guesses_known_or_not() {
    let site = Site::open().await;
    site.member(ADA).await;
    for address in [ADA, "nobody@example.com"] {
        for _ in 0..6 {
            assert_eq!(site.login(address, NEW).await.refusal(), (401, "invalid-credentials"), "{address}");
        }
    }

    assert_eq!(site.login(ADA, PASSWORD).await.status, 401);
    site.advance(15 * 60).await;
    site.login(ADA, PASSWORD).await.ok(200);
}
