//! Creating people by hand, and who sees whom.

use reqwest::Method;
use serde_json::json;

use crate::site::{OWNER, PASSWORD, Site};

#[tokio::test]
async fn an_owner_creates_a_consumer_admin_with_a_password() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let body = json!({
        "email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper", "password": PASSWORD, "active": true,
    });

    let created = site.send(Method::POST, "/v1/users", Some(&owner), Some(&body)).await;

    let location = created.headers["location"].to_str().unwrap().to_owned();
    let person = created.ok(201);
    assert_eq!((&person["role"], &person["status"]), (&json!("consumer_admin"), &json!("active")));
    assert_eq!(site.get(&owner, &location).await.ok(200), person);
    site.access("grace@example.com").await;
    let again = site.send(Method::POST, "/v1/users", Some(&owner), Some(&body)).await;
    assert_eq!(again.refusal(), (409, "email-taken"));
}

#[tokio::test]
async fn who_is_created_inactive_logs_in_once_they_are_activated() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let body =
        json!({"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper", "password": PASSWORD});

    let person = site.send(Method::POST, "/v1/users", Some(&owner), Some(&body)).await.ok(201);

    assert_eq!(person["status"], "inactive");
    assert_eq!(site.login("grace@example.com", PASSWORD).await.refusal(), (403, "account-inactive"));
    let id = person["id"].as_str().unwrap();
    site.act(&owner, &format!("/v1/users/{id}/activate")).await.ok(200);
    site.access("grace@example.com").await;
    assert_eq!(site.mail_events("grace@example.com").await, ["welcome", "activated"]);
}

#[tokio::test]
async fn strangers_in_the_default_organisation_do_not_see_each_other() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let grace = site.member("grace@example.com").await;
    let ada = site.access("ada@example.com").await;

    let seen = site.get(&ada, "/v1/users").await.ok(200);

    let emails: Vec<_> = seen["items"].as_array().unwrap().iter().map(|person| person["email"].clone()).collect();
    assert_eq!(emails, ["ada@example.com"]);
    assert_eq!(site.get(&ada, &format!("/v1/users/{grace}")).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn the_waiting_queue_is_paged_the_longest_waiting_first() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let mut expected = Vec::new();
    for number in 0..5 {
        let email = format!("person{number}@example.com");
        site.register(&email).await.ok(202);
        site.confirm(&email).await.ok(200);
        site.advance(1).await;
        expected.push(email);
    }

    let (mut seen, mut path) = (Vec::new(), "/v1/users?status=pending&limit=2".to_owned());
    loop {
        let page = site.get(&owner, &path).await.ok(200);
        let people = page["items"].as_array().unwrap();
        assert!(people.len() <= 2);
        seen.extend(people.iter().map(|person| person["email"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/users?status=pending&limit=2&cursor={cursor}");
    }

    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_member_made_an_admin_manages_their_team_with_the_token_they_have() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let grace = site.member("grace@example.com").await;
    let token = site.access("grace@example.com").await;
    let acme = site.send(Method::POST, "/v1/organisations", Some(&owner), Some(&json!({"name": "Acme"}))).await.ok(201);
    let ada = site.member("ada@example.com").await;
    assert_eq!(site.get(&token, &format!("/v1/users/{ada}")).await.refusal(), (403, "forbidden"));

    for (person, role) in [(&grace, "consumer_admin"), (&ada, "team_member")] {
        let (path, body) = (format!("/v1/users/{person}"), json!({"organisation_id": acme["id"], "role": role}));
        site.send(Method::PATCH, &path, Some(&owner), Some(&body)).await.ok(200);
    }

    let path = format!("/v1/users/{ada}");
    let renamed = site.send(Method::PATCH, &path, Some(&token), Some(&json!({"first_name": "Augusta"}))).await.ok(200);
    assert_eq!((&renamed["first_name"], &renamed["organisation"]["name"]), (&json!("Augusta"), &json!("Acme")));
    assert_eq!(site.get(&token, &path).await.ok(200), renamed);
}

#[tokio::test]
async fn an_owner_corrects_an_address_both_are_told_and_the_new_one_logs_in() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let ada = site.member("ada@exmaple.com").await;
    let token = site.access("ada@exmaple.com").await;
    let (path, body) = (format!("/v1/users/{ada}"), json!({"email": "ada@example.com"}));

    let changed = site.send(Method::PATCH, &path, Some(&owner), Some(&body)).await.ok(200);

    assert_eq!(changed["email"], "ada@example.com");
    assert_eq!(site.get(&token, "/v1/me").await.ok(200)["email"], "ada@example.com");
    assert_eq!(site.mail_events("ada@exmaple.com").await.last().unwrap(), "email_changed");
    assert_eq!(site.mail_events("ada@example.com").await, ["email_changed"]);
    let known = site.login("nobody@example.com", PASSWORD).await;
    let old = site.login("ada@exmaple.com", PASSWORD).await;
    assert_eq!((old.refusal(), &old.body["detail"]), (known.refusal(), &known.body["detail"]));
    site.access("ada@example.com").await;
    let forgotten = site.post("/v1/auth/forgot-password", json!({"email": "ada@example.com"})).await;
    assert_eq!(forgotten.status, 202);
    let reset = json!({"token": site.token("ada@example.com").await, "password": "amber tractor 42!"});
    site.post("/v1/auth/reset-password", reset).await.ok(200);
    site.member("ada@exmaple.com").await;
}

#[tokio::test]
async fn an_invitation_sent_to_a_wrong_address_is_accepted_at_the_right_one() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let invitee = json!({"email": "grace@exmaple.com", "first_name": "Grace", "last_name": "Hopper"});
    let invitation = site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&invitee)).await.ok(201);
    let wrong = site.token("grace@exmaple.com").await;
    let path = format!("/v1/users/{}", invitation["user_id"].as_str().unwrap());

    let body = json!({"email": "grace@example.com"});
    site.send(Method::PATCH, &path, Some(&owner), Some(&body)).await.ok(200);

    let accept = |token: &str| json!({"token": token, "password": PASSWORD});
    let refused = site.post("/v1/invitations/accept", accept(&wrong)).await;
    assert_eq!(refused.refusal(), (410, "link-not-usable"));
    let token = site.token("grace@example.com").await;
    site.post("/v1/invitations/accept", accept(&token)).await.ok(200);
    site.access("grace@example.com").await;
    assert_eq!(site.mail_events("grace@exmaple.com").await, ["invitation"]);
}
