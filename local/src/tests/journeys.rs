//! People on their way in, past everything that the portal is made of.

use reqwest::Method;
use serde_json::{Value, json};

use super::Site;

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn a_person_registers_confirms_is_approved_and_logs_in() {
    let site = Site::new().await;
    site.register("ada@example.com").await;
    let confirmation = json!({"token": site.token("ada@example.com").await, "password": PASSWORD});

    let confirmed = site.post("/v1/registrations/confirm", &confirmation).await;
    assert_eq!(confirmed.json::<Value>().await.unwrap(), json!({"next": "await_approval"}));
    assert_eq!(site.log_in("ada@example.com", PASSWORD).await.status(), 403);

    let owner = site.owner_token().await;
    let queue = site.request(Method::GET, "/v1/users?status=pending").bearer_auth(&owner).send().await.unwrap();
    let queue: Value = queue.json().await.unwrap();
    let id = queue["items"][0]["id"].as_str().unwrap();
    let approval = site.request(Method::POST, &format!("/v1/users/{id}/approve")).bearer_auth(&owner);
    assert_eq!(approval.send().await.unwrap().status(), 200);

    let token = site.access_token("ada@example.com", PASSWORD).await;
    let me = site.request(Method::GET, "/v1/me").bearer_auth(token).send().await.unwrap();
    assert_eq!(me.json::<Value>().await.unwrap()["status"], "active");
    let mail = site.mail("ada@example.com").await;
    assert_eq!(mail.iter().map(|mail| &mail["event"]).collect::<Vec<_>>(), ["approved", "confirm_registration"]);
}

#[tokio::test]
async fn the_moved_clock_ends_tokens() {
    let site = Site::new().await;
    let token = site.owner_token().await;
    let me = || site.request(Method::GET, "/v1/me").bearer_auth(&token).send();
    assert_eq!(me().await.unwrap().status(), 200);

    site.advance(3_600).await;

    let refused = me().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers()["www-authenticate"].to_str().unwrap().contains("the token has expired"));
}

#[tokio::test]
async fn a_schedule_that_the_moved_clock_passed_starts_by_itself() {
    let site = Site::new().await;
    site.register("late@example.com").await;
    site.portal.services().calls().forget();

    site.advance(8 * 86_400).await;

    super::until(async || {
        let calls = site.portal.services().calls().operations();
        calls.iter().any(|call| call == "DynamoDB.TransactWriteItems")
    })
    .await;
    // It never runs twice at once, so this one comes after it.
    let again: Value = site.post("/_local/run/expire", &json!({})).await.json().await.unwrap();
    assert_eq!(again["unconfirmed_deleted"], 0);
}

#[tokio::test]
async fn a_scheduled_function_runs_when_it_is_asked_to_and_reports() {
    let site = Site::new().await;

    let ran = site.post("/_local/run/expire", &json!({})).await;
    assert_eq!(ran.status(), 200);
    assert_eq!(ran.json::<Value>().await.unwrap()["failures"], 0);
    assert_eq!(site.post("/_local/run/deliver-mail", &json!({})).await.status(), 404);
}

#[tokio::test]
async fn two_portals_share_nothing() {
    let (one, other) = tokio::join!(Site::new(), Site::new());

    one.register("ada@example.com").await;
    one.advance(86_400).await;

    assert_eq!(one.mail("ada@example.com").await.len(), 1);
    assert_eq!(other.mail("ada@example.com").await.len(), 0);
    assert!(one.portal.time().clock().now() > other.portal.time().clock().now());
}

#[tokio::test]
async fn the_local_pages_are_there() {
    let site = Site::new().await;

    for path in ["/_local", "/_local/", "/_local/health", "/_local/mailbox", "/_local/mail"] {
        assert_eq!(site.get(path).await.status(), 200, "{path}");
    }
    for path in ["/_local/nothing", "/_local/mail/1"] {
        assert_eq!(site.get(path).await.status(), 404, "{path}");
    }
}
