//! Coming in by an invitation.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, OWNER, PASSWORD, Site};

const SEVEN_DAYS: i64 = 7 * 24 * 60 * 60;

/// Sends a body as somebody.
async fn post(site: &Site, token: &str, path: &str, body: Value) -> Answer {
    site.send(Method::POST, path, Some(token), Some(&body)).await
}

/// Invites an address.
pub async fn invite(site: &Site, token: &str, email: &str, more: Value) -> Answer {
    let mut body = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace"});
    let Value::Object(more) = more else { panic!("{more}") };
    body.as_object_mut().unwrap().extend(more);
    post(site, token, "/v1/invitations", body).await
}

/// Accepts the newest invitation of an address.
pub async fn accept(site: &Site, email: &str) -> Answer {
    let token = site.token(email).await;
    site.post("/v1/invitations/accept", json!({"token": token, "password": PASSWORD})).await
}

/// An organisation with a team in which an invited Consumer Admin is at work: the team's id and the admin's token.
pub async fn partner(site: &Site, owner: &str) -> (String, String) {
    let organisation = post(site, owner, "/v1/organisations", json!({"name": "Acme"})).await.ok(201);
    let id = organisation["id"].as_str().unwrap();
    let team = post(site, owner, &format!("/v1/organisations/{id}/teams"), json!({"name": "Engines"})).await.ok(201);
    let team = team["id"].as_str().unwrap().to_owned();
    invite(site, owner, "admin@example.com", json!({"organisation_id": id, "team_ids": [team]})).await.ok(201);
    accept(site, "admin@example.com").await.ok(200);
    (team, site.access("admin@example.com").await)
}

/// "Manual Creation by API Owners", step 6: without an initial password the "Send Invite" action mails the way in.
#[tokio::test]
async fn an_owner_creates_somebody_without_a_password_and_sends_the_invitation_later() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let body = json!({"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper"});
    let person = post(&site, &owner, "/v1/users", body).await.ok(201);
    assert_eq!((&person["status"], &person["role"]), (&json!("invited"), &json!("consumer_admin")));
    assert!(site.mails("grace@example.com").await.is_empty());
    assert_eq!(site.login("grace@example.com", PASSWORD).await.refusal(), (401, "invalid-credentials"));

    let path = format!("/v1/users/{}/invite", person["id"].as_str().unwrap());
    site.act(&owner, &path).await.ok(201);

    accept(&site, "grace@example.com").await.ok(200);
    site.access("grace@example.com").await;
    assert_eq!(site.act(&owner, &path).await.refusal(), (409, "password-already-set"));
}

/// "Invitation by API Consumer Admins": role and teams are chosen, the invitee gets a mail, is inactive until the
/// registration is completed and then in the admin's organisation.
#[tokio::test]
async fn a_consumer_admin_invites_a_colleague_who_sees_the_offer_accepts_and_is_seen() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let (team, admin) = partner(&site, &owner).await;

    let more = json!({"role": "team_member", "team_ids": [team]});
    let invitation = invite(&site, &admin, "ada@example.com", more).await.ok(201);
    assert_eq!((&invitation["status"], &invitation["organisation"]["name"]), (&json!("pending"), &json!("Acme")));
    let people = site.get(&admin, "/v1/users").await.ok(200);
    let ada = people["items"].as_array().unwrap().iter().find(|person| person["email"] == "ada@example.com").unwrap();
    assert_eq!(ada["status"], "invited");
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (401, "invalid-credentials"));

    let token = site.token("ada@example.com").await;
    let offer = site.post("/v1/invitations/preview", json!({"token": token})).await.ok(200);
    assert_eq!((&offer["organisation"]["name"], &offer["teams"][0]["name"]), (&json!("Acme"), &json!("Engines")));
    accept(&site, "ada@example.com").await.ok(200);

    let token = site.access("ada@example.com").await;
    let me = site.get(&token, "/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["organisation"]["name"]), (&json!("team_member"), &json!("Acme")));
    let listed = site.get(&admin, "/v1/invitations?status=accepted").await.ok(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][1]["delivery"], "sent");
    assert_eq!(site.get(&token, "/v1/invitations").await.refusal(), (403, "forbidden"));
}

/// "Invite new users to their Organisation (if enabled)": only into one's own teams.
#[tokio::test]
async fn a_consumer_admin_invites_nobody_into_other_places() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let (_, admin) = partner(&site, &owner).await;
    let other = post(&site, &owner, "/v1/organisations", json!({"name": "Other"})).await.ok(201);
    let path = format!("/v1/organisations/{}/teams", other["id"].as_str().unwrap());
    let team = post(&site, &owner, &path, json!({"name": "Theirs"})).await.ok(201);

    for more in [json!({"team_ids": [team["id"]]}), json!({"organisation_id": other["id"]}), json!({})] {
        let refused = invite(&site, &admin, "ada@example.com", more).await;
        assert_eq!(refused.refusal(), (422, "validation-failed"));
    }
    assert!(site.mails("ada@example.com").await.is_empty());
}

/// "Receive an invitation from the portal admin": an API Owner invites a further API Owner.
#[tokio::test]
async fn an_invited_api_owner_runs_the_portal() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    invite(&site, &owner, "ada@example.com", json!({"role": "api_owner"})).await.ok(201);

    accept(&site, "ada@example.com").await.ok(200);

    let ada = site.access("ada@example.com").await;
    site.get(&ada, "/v1/settings").await.ok(200);
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["organisation"]), (&json!("api_owner"), &Value::Null));
}

#[tokio::test]
async fn a_revoked_or_replaced_link_is_dead_and_a_revoked_address_can_be_invited_again() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let invitation = invite(&site, &owner, "ada@example.com", json!({})).await.ok(201);
    let path = format!("/v1/invitations/{}", invitation["id"].as_str().unwrap());
    let first = site.token("ada@example.com").await;
    site.act(&owner, &format!("{path}/resend")).await.ok(202);
    let second = site.token("ada@example.com").await;

    assert_eq!(site.send(Method::DELETE, &path, Some(&owner), None).await.status, 204);

    for token in [first, second] {
        let body = json!({"token": token, "password": PASSWORD});
        assert_eq!(site.post("/v1/invitations/accept", body).await.refusal(), (410, "link-not-usable"));
    }
    assert_eq!(site.act(&owner, &format!("{path}/resend")).await.refusal(), (409, "wrong-status"));
    invite(&site, &owner, "ada@example.com", json!({})).await.ok(201);
    accept(&site, "ada@example.com").await.ok(200);
}

#[tokio::test]
async fn an_invitation_expires_whether_the_sweep_has_run_or_not() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    invite(&site, &owner, "ada@example.com", json!({})).await.ok(201);
    site.token("ada@example.com").await;
    site.advance(SEVEN_DAYS).await;

    assert_eq!(accept(&site, "ada@example.com").await.refusal(), (410, "link-not-usable"));
    let owner = site.access(OWNER).await;
    let listed = site.get(&owner, "/v1/invitations?status=expired").await.ok(200);
    assert_eq!(listed["items"][0]["email"], "ada@example.com");
    site.sweep().await;
    site.advance(SEVEN_DAYS * 5).await;
    site.sweep().await;
    let owner = site.access(OWNER).await;
    let people = site.get(&owner, "/v1/users?status=invited").await.ok(200);
    assert!(people["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_consumer_admin_does_not_learn_who_has_an_account_elsewhere() {
    let site = Site::open().await;
    site.member("known@example.com").await;
    let owner = site.access(OWNER).await;
    let (team, admin) = partner(&site, &owner).await;
    let ask = async |email: &str| {
        let mut answer = invite(&site, &admin, email, json!({"team_ids": [team]})).await;
        for own in ["id", "user_id", "email", "sent_at", "expires_at"] {
            assert!(answer.body[own].is_string(), "{answer:?}");
            answer.body[own] = Value::Null;
        }
        for own in ["x-request-id", "apigw-requestid", "date", "location", "content-length"] {
            answer.headers.remove(own);
        }
        (answer.status, answer.body, answer.headers)
    };

    assert_eq!(ask("known@example.com").await, ask("unknown@example.com").await);

    assert_eq!(site.mail_events("known@example.com").await.last().unwrap(), "already_registered");
    assert_eq!(invite(&site, &owner, "known@example.com", json!({})).await.refusal(), (409, "email-taken"));
}
