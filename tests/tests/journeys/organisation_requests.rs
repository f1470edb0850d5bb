//! People who ask for an organisation of their own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{OWNER, Site};

const REQUESTS: &str = "/v1/organisation-requests";

async fn set(site: &Site, owner: &str, settings: &Value) {
    site.send(Method::PATCH, "/v1/settings", Some(owner), Some(settings)).await.ok(200);
}

async fn ask(site: &Site, token: &str, name: &str) -> Value {
    site.send(Method::POST, REQUESTS, Some(token), Some(&json!({"name": name}))).await.ok(201)
}

async fn decide(site: &Site, owner: &str, asked: &Value, action: &str, body: &Value) -> Value {
    let path = format!("{REQUESTS}/{}/{action}", asked["id"].as_str().unwrap());
    site.send(Method::POST, &path, Some(owner), Some(body)).await.ok(200)
}

#[tokio::test]
async fn a_member_asks_for_an_organisation_gets_it_under_another_name_and_invites_into_it() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    site.member("ada@example.com").await;
    let ada = site.access("ada@example.com").await;
    let name = json!({"name": "Engines"});
    let closed = site.send(Method::POST, REQUESTS, Some(&ada), Some(&name)).await;
    assert_eq!(closed.refusal(), (403, "organisation-requests-closed"));
    set(&site, &owner, &json!({"organisation_requests": true})).await;

    let asked = ask(&site, &ada, "Engines").await;
    let again = site.send(Method::POST, REQUESTS, Some(&ada), Some(&name)).await;
    let queue = site.get(&owner, &format!("{REQUESTS}?status=pending")).await.ok(200);
    let approved = decide(&site, &owner, &asked, "approve", &json!({"name": "Engines Ltd"})).await;

    assert_eq!(again.refusal(), (409, "organisation-request-pending"));
    assert_eq!(queue["items"], json!([asked]));
    assert_eq!((&approved["status"], &approved["name"]), (&json!("approved"), &json!("Engines Ltd")));
    assert_eq!(site.mail_events(OWNER).await.last().unwrap(), "organisation_requested");
    assert_eq!(site.mail_events("ada@example.com").await.last().unwrap(), "organisation_approved");
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["organisation"]["name"]), (&json!("consumer_admin"), &json!("Engines Ltd")));
    assert_eq!(me["teams"][0]["name"], "Default team");
    let body = json!({"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper"});
    let invited = site.send(Method::POST, "/v1/invitations", Some(&ada), Some(&body)).await.ok(201);
    assert_eq!(invited["organisation"]["name"], "Engines Ltd");
    let own = site.get(&ada, REQUESTS).await.ok(200);
    assert_eq!((own["items"].as_array().unwrap().len(), &own["items"][0]["status"]), (1, &json!("approved")));
}

#[tokio::test]
async fn a_request_is_rejected_with_a_reason_and_another_is_approved_as_it_is_made() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    site.member("ada@example.com").await;
    let ada = site.access("ada@example.com").await;
    set(&site, &owner, &json!({"organisation_requests": true})).await;

    let asked = ask(&site, &ada, "Engines").await;
    let rejected = decide(&site, &owner, &asked, "reject", &json!({"reason": "We know no such company."})).await;
    set(&site, &owner, &json!({"organisation_requests_auto_approve": true})).await;
    let at_once = ask(&site, &ada, "Mills").await;

    assert_eq!((&rejected["status"], &at_once["status"]), (&json!("rejected"), &json!("approved")));
    let mails = site.mails("ada@example.com").await;
    assert_eq!(
        (&mails[0]["event"], &mails[1]["event"]),
        (&json!("organisation_approved"), &json!("organisation_rejected"))
    );
    assert!(mails[1]["text"].as_str().unwrap().contains("We know no such company."));
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["organisation"]["name"]), (&json!("consumer_admin"), &json!("Mills")));
    let more = site.send(Method::POST, REQUESTS, Some(&ada), Some(&json!({"name": "More"}))).await;
    assert_eq!(more.refusal(), (403, "forbidden"));
}
