//! The end of an account: one's own, and somebody else's.

use reqwest::Method;
use serde_json::json;

use crate::site::{Answer, OWNER, PASSWORD, Site};

const ADA: &str = "ada@example.com";

async fn delete(site: &Site, token: &str, path: &str) -> Answer {
    site.send(Method::DELETE, path, Some(token), None).await
}

#[tokio::test]
async fn who_leaves_is_a_stranger_and_may_register_again() {
    let site = Site::open().await;
    let first = site.member(ADA).await;
    let tokens = site.login(ADA, PASSWORD).await.ok(200);
    let (access, elsewhere) = (tokens["access_token"].as_str().unwrap(), site.access(ADA).await);

    assert_eq!(delete(&site, access, "/v1/me").await.status, 204);

    for token in [access, &elsewhere] {
        assert_eq!(site.get(token, "/v1/me").await.refusal(), (401, "unauthenticated"));
    }
    assert_eq!(site.login(ADA, PASSWORD).await.refusal(), (401, "invalid-credentials"));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(site.post("/v1/auth/refresh", refresh).await.refusal(), (401, "invalid-refresh-token"));
    let second = site.member(ADA).await;
    assert_ne!(first, second);
    site.access(ADA).await;
    let owner = site.access(OWNER).await;
    assert_eq!(site.get(&owner, &format!("/v1/users/{first}")).await.refusal(), (404, "not-found"));
}

#[tokio::test]
async fn the_only_owner_cannot_leave_and_one_of_two_can() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    assert_eq!(delete(&site, &owner, "/v1/me").await.refusal(), (409, "last-api-owner"));
    let body = json!({"email": ADA, "first_name": "Ada", "last_name": "Lovelace", "role": "api_owner"});
    site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&body)).await.ok(201);
    let accept = json!({"token": site.token(ADA).await, "password": PASSWORD});
    site.post("/v1/invitations/accept", accept).await.ok(200);

    assert_eq!(delete(&site, &owner, "/v1/me").await.status, 204);

    let ada = site.access(ADA).await;
    assert_eq!(delete(&site, &ada, "/v1/me").await.refusal(), (409, "last-api-owner"));
}

#[tokio::test]
async fn a_link_of_somebody_deleted_leads_nowhere() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    site.register(ADA).await.ok(202);
    let confirmation = site.token(ADA).await;
    let body = json!({"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper"});
    site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&body)).await.ok(201);
    let invitation = site.token("grace@example.com").await;

    for address in [ADA, "grace@example.com"] {
        let id = site.id(&owner, address).await;
        assert_eq!(delete(&site, &owner, &format!("/v1/users/{id}")).await.status, 204);
        assert_eq!(delete(&site, &owner, &format!("/v1/users/{id}")).await.refusal(), (404, "not-found"));
    }

    for (path, token) in [("/v1/registrations/confirm", confirmation), ("/v1/invitations/accept", invitation)] {
        let used = site.post(path, json!({"token": token, "password": PASSWORD})).await;
        assert_eq!(used.refusal(), (410, "link-not-usable"));
    }
    let invitations = site.get(&owner, "/v1/invitations").await.ok(200);
    // Where the portal is deployed its owner came by one as well.
    let mut left = invitations["items"].as_array().unwrap().iter();
    assert!(left.all(|invitation| invitation["email"] == OWNER), "{invitations}");
}
