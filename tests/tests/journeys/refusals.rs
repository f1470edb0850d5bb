//! What nobody gets past.

use reqwest::Method;
use serde_json::json;

use crate::site::{OWNER, Site};

/// Every route that needs a token.
const AUTHORISED: [(Method, &str); 12] = [
    (Method::GET, "/v1/me"),
    (Method::GET, "/v1/users"),
    (Method::POST, "/v1/users"),
    (Method::GET, "/v1/users/usr_00000000000000000000000000"),
    (Method::POST, "/v1/users/usr_00000000000000000000000000/approve"),
    (Method::POST, "/v1/users/usr_00000000000000000000000000/reject"),
    (Method::POST, "/v1/users/usr_00000000000000000000000000/reopen"),
    (Method::POST, "/v1/users/usr_00000000000000000000000000/activate"),
    (Method::POST, "/v1/users/usr_00000000000000000000000000/deactivate"),
    (Method::POST, "/v1/auth/logout"),
    (Method::GET, "/v1/settings"),
    (Method::PATCH, "/v1/settings"),
];

/// Those of them that API Owners alone may use.
fn owners_only() -> impl Iterator<Item = &'static (Method, &'static str)> {
    AUTHORISED.iter().filter(|(method, path)| {
        path.contains("/v1/users/")
            || path.starts_with("/v1/settings")
            || (method == Method::POST && *path == "/v1/users")
    })
}

#[tokio::test]
async fn without_a_token_the_gateway_lets_nobody_through() {
    let site = Site::open().await;
    for (method, path) in AUTHORISED {
        for token in [None, Some("junk"), Some("eyJhbGciOiJub25lIn0.e30.")] {
            let refused = site.send(method.clone(), path, token, None).await;
            assert_eq!((refused.status, &refused.body), (401, &json!({"message": "Unauthorized"})), "{method} {path}");
            // API Gateway's header, which the emulator leaves out.
            assert!(!site.is_local() || refused.headers.contains_key("www-authenticate"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_team_member_is_refused_before_the_body_is_looked_at() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let ada = site.access("ada@example.com").await;
    for (method, path) in owners_only() {
        let refused = site.send(method.clone(), path, Some(&ada), Some(&json!({"nonsense": 1}))).await;
        assert_eq!(refused.refusal(), (403, "forbidden"), "{method} {path}");
    }
}

#[tokio::test]
async fn unknown_people_are_not_found() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    for id in ["usr_00000000000000000000000000", "nobody", "%00", "%2e%2e", "org_00000000000000000000000000"] {
        assert_eq!(site.get(&owner, &format!("/v1/users/{id}")).await.status, 404, "{id}");
        assert_eq!(site.act(&owner, &format!("/v1/users/{id}/approve")).await.status, 404, "{id}");
    }
}

#[tokio::test]
async fn unknown_routes_are_answered_by_the_gateway() {
    let site = Site::open().await;
    for (method, path) in [(Method::GET, "/v1/nothing"), (Method::PUT, "/v1/me"), (Method::DELETE, "/")] {
        let answer = site.send(method, path, None, None).await;
        assert_eq!((answer.status, answer.body), (404, json!({"message": "Not Found"})), "{path}");
    }
}

#[tokio::test]
async fn every_answer_of_a_function_carries_the_headers_of_the_contract() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let answers = [
        site.get(&owner, "/v1/me").await,
        site.get(&owner, "/v1/users/nobody").await,
        site.register("ada@example.com").await,
        site.register("not an address").await,
    ];
    for answer in answers {
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert!(!id.is_empty());
        if answer.status >= 400 {
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(answer.body["request_id"], id);
            assert_eq!(answer.body["status"], answer.status);
        }
    }
}
