//! Sessions and tokens.

use reqwest::Method;
use serde_json::json;

use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn logging_out_ends_the_session_at_once_and_leaves_the_others() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let (one, other) =
        (site.login("ada@example.com", PASSWORD).await.ok(200), site.login("ada@example.com", PASSWORD).await.ok(200));
    let (token, others) = (one["access_token"].as_str().unwrap(), other["access_token"].as_str().unwrap());

    let body = json!({"refresh_token": one["refresh_token"]});
    let out = site.send(Method::POST, "/v1/auth/logout", Some(token), Some(&body)).await;

    assert_eq!(out.status, 204);
    assert_eq!(site.get(token, "/v1/me").await.refusal(), (401, "unauthenticated"));
    assert_eq!(site.post("/v1/auth/refresh", body).await.refusal(), (401, "invalid-refresh-token"));
    site.get(others, "/v1/me").await.ok(200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let (one, other) = (site.access("ada@example.com").await, site.access("ada@example.com").await);

    assert_eq!(site.act(&one, "/v1/auth/logout").await.status, 204);

    assert_eq!(site.get(&one, "/v1/me").await.status, 401);
    assert_eq!(site.get(&other, "/v1/me").await.status, 401);
}

#[tokio::test]
async fn a_refreshed_token_belongs_to_the_same_session() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let tokens = site.login("ada@example.com", PASSWORD).await.ok(200);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});

    let fresh = site.post("/v1/auth/refresh", refresh.clone()).await.ok(200);

    assert!(fresh["refresh_token"].is_null());
    let token = fresh["access_token"].as_str().unwrap();
    site.get(token, "/v1/me").await.ok(200);
    site.act(tokens["access_token"].as_str().unwrap(), "/v1/auth/logout").await;
    assert_eq!(site.get(token, "/v1/me").await.status, 401);
}

#[tokio::test]
async fn an_expired_access_token_is_refused_by_the_gateway_and_refreshed() {
    let site = Site::open_locally().await;
    site.member("ada@example.com").await;
    let tokens = site.login("ada@example.com", PASSWORD).await.ok(200);
    let token = tokens["access_token"].as_str().unwrap();

    site.advance(tokens["expires_in"].as_i64().unwrap() + 1).await;

    let refused = site.get(token, "/v1/me").await;
    assert_eq!((refused.status, &refused.body), (401, &json!({"message": "Unauthorized"})));
    assert!(refused.headers.contains_key("www-authenticate"));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let fresh = site.post("/v1/auth/refresh", refresh).await.ok(200);
    site.get(fresh["access_token"].as_str().unwrap(), "/v1/me").await.ok(200);
}

#[tokio::test]
async fn an_id_token_opens_nothing() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let tokens = site.login("ada@example.com", PASSWORD).await.ok(200);

    let refused = site.get(tokens["id_token"].as_str().unwrap(), "/v1/me").await;

    assert_eq!(refused.refusal(), (401, "unauthenticated"));
}
