//! Mails that come back or are called spam.

use reqwest::Method;
use serde_json::json;

use crate::{
    invitations::{accept, invite},
    site::{OWNER, PASSWORD, Site},
};

#[tokio::test]
async fn an_invitation_that_bounced_is_shown_and_nothing_more_is_sent_there() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let invitation = invite(&site, &owner, "ada@example.com", json!({})).await.ok(201);
    let path = format!("/v1/invitations/{}", invitation["id"].as_str().unwrap());

    site.bounce("ada@example.com", "bounce").await;

    assert_eq!(site.get(&owner, &path).await.ok(200)["delivery"], "bounced");
    let person = format!("/v1/users/{}", invitation["user_id"].as_str().unwrap());
    assert_eq!(site.get(&owner, &person).await.ok(200)["mail_status"], "bounced");
    site.act(&owner, &format!("{path}/resend")).await.ok(202);
    assert_eq!(site.mails("ada@example.com").await.len(), 1);
    assert_eq!(site.get(&owner, &path).await.ok(200)["delivery"], "bounced");

    // The mailbox is there now: the owner allows mail again, and the invitation sent again arrives.
    let allowed = site.send(Method::PATCH, &person, Some(&owner), Some(&json!({"mail_status": "ok"}))).await.ok(200);
    assert_eq!(allowed["mail_status"], "ok");
    site.act(&owner, &format!("{path}/resend")).await.ok(202);
    assert_eq!(site.mails("ada@example.com").await.len(), 2);
    assert_eq!(site.get(&owner, &path).await.ok(200)["delivery"], "sent");
    accept(&site, "ada@example.com").await.ok(200);
}

#[tokio::test]
async fn who_complains_gets_no_more_mail_and_still_logs_in() {
    let site = Site::open().await;
    let id = site.member("ada@example.com").await;
    let before = site.mails("ada@example.com").await.len();

    site.bounce("ada@example.com", "complaint").await;

    site.post("/v1/auth/forgot-password", json!({"email": "ada@example.com"})).await.ok(202);
    assert_eq!(site.mails("ada@example.com").await.len(), before);
    let owner = site.access(OWNER).await;
    assert_eq!(site.get(&owner, &format!("/v1/users/{id}")).await.ok(200)["mail_status"], "complained");
    site.login("ada@example.com", PASSWORD).await.ok(200);
}

#[tokio::test]
async fn a_full_mailbox_gets_the_next_mail() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);

    site.bounce("ada@example.com", "transient").await;

    site.post("/v1/registrations/resend", json!({"email": "ada@example.com"})).await.ok(202);
    assert_eq!(site.mails("ada@example.com").await.len(), 2);
    site.confirm("ada@example.com").await.ok(200);
}

#[tokio::test]
async fn only_what_was_sent_bounces_and_only_as_mail_does() {
    let site = Site::open_locally().await;
    site.register("ada@example.com").await.ok(202);
    let id = site.mails("ada@example.com").await[0]["id"].as_str().unwrap().to_owned();
    let post = async |path: &str| site.send(Method::POST, path, None, None).await.status;

    assert_eq!(post("/_local/mail/nothing/bounce").await, 404);
    assert_eq!(post(&format!("/_local/mail/{id}/bounce?kind=vanish")).await, 422);
}
