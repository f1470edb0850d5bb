//! Switches that act at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{OWNER, PASSWORD, Site};

async fn set(site: &Site, settings: Value) -> Value {
    let owner = site.access(OWNER).await;
    site.send(Method::PATCH, "/v1/settings", Some(&owner), Some(&settings)).await.ok(200)
}

#[tokio::test]
async fn registration_can_be_switched_off_and_on_again() {
    let site = Site::open().await;

    set(&site, json!({"self_registration": false})).await;
    assert_eq!(site.register("ada@example.com").await.refusal(), (403, "registration-closed"));
    let form = site.send(Method::GET, "/v1/settings/public", None, None).await.ok(200);
    assert_eq!(form["self_registration"], false);

    set(&site, json!({"self_registration": true})).await;
    site.register("ada@example.com").await.ok(202);
}

#[tokio::test]
async fn a_client_reads_the_contract_and_is_answered_as_it_says() {
    let site = Site::open().await;

    let contract = site.send(Method::GET, "/v1/openapi.json", None, None).await.ok(200);

    let form = site.send(Method::GET, "/v1/settings/public", None, None).await.ok(200);
    let mut answered: Vec<_> = form.as_object().unwrap().keys().collect();
    let schema = &contract["paths"]["/v1/settings/public"]["get"]["responses"]["200"]["content"]["application/json"];
    let name = schema["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    let mut promised: Vec<_> =
        contract["components"]["schemas"][name]["properties"].as_object().unwrap().keys().collect();
    answered.sort();
    promised.sort();
    assert_eq!(answered, promised);
}

#[tokio::test]
async fn with_sign_in_switched_off_only_owners_get_in() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let tokens = site.login("ada@example.com", PASSWORD).await.ok(200);

    set(&site, json!({"sign_in": false})).await;

    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (403, "portal-closed"));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(site.post("/v1/auth/refresh", refresh).await.refusal(), (403, "portal-closed"));
    site.access(OWNER).await;
}

#[tokio::test]
async fn a_stricter_password_policy_holds_for_the_next_password() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);

    set(&site, json!({"password_policy": {"min_numerics": 4}})).await;

    let refused = site.confirm("ada@example.com").await;
    assert_eq!(refused.refusal(), (422, "validation-failed"));
    assert_eq!(refused.body["errors"][0]["code"], "password_too_few_digits");
    set(&site, json!({"password_policy": {"min_numerics": 0}})).await;
    site.confirm("ada@example.com").await.ok(200);
}

#[tokio::test]
async fn without_a_sender_what_needs_mail_says_so_and_people_are_created_all_the_same() {
    let site = Site::open().await;
    set(&site, json!({"sender": null})).await;
    let owner = site.access(OWNER).await;
    let person = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});

    assert_eq!(site.register("ada@example.com").await.refusal(), (409, "mail-not-configured"));
    let invited = site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&person)).await;
    assert_eq!(invited.refusal(), (409, "mail-not-configured"));
    let forgotten = site.post("/v1/auth/forgot-password", json!({"email": OWNER})).await;
    assert_eq!(forgotten.refusal(), (409, "mail-not-configured"));

    let mut with_password = person;
    with_password["password"] = json!(PASSWORD);
    with_password["active"] = json!(true);
    site.send(Method::POST, "/v1/users", Some(&owner), Some(&with_password)).await.ok(201);
    site.access("ada@example.com").await;
}

#[tokio::test]
async fn sign_ups_of_one_source_are_limited_once_an_owner_says_so_and_for_an_hour() {
    let site = Site::open().await;
    for name in ["ada", "grace", "edsger"] {
        site.register(&format!("{name}@example.com")).await.ok(202);
    }

    let set_to = set(&site, json!({"throttles": {"sign_ups": 2}})).await;

    assert_eq!(set_to["throttles"], json!({"unknown_codes": 10, "sign_ups": 2}));
    for name in ["barbara", "barbara"] {
        site.register(&format!("{name}@example.com")).await.ok(202);
    }
    assert_eq!(site.register("donald@example.com").await.refusal(), (429, "rate-limited"));
    site.advance(3600).await;
    site.register("donald@example.com").await.ok(202);
    assert_eq!(set(&site, json!({"throttles": {"sign_ups": null}})).await["throttles"]["sign_ups"], Value::Null);
}

#[tokio::test]
async fn without_confirmation_a_registration_takes_a_password_and_with_it_again_a_link() {
    let site = Site::open().await;
    let register = async |email: &str, password: Option<&str>| {
        let body = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace", "password": password});
        site.post("/v1/registrations", body).await
    };

    set(&site, json!({"email_confirmation": false, "auto_approve": true})).await;
    assert_eq!(register("ada@example.com", None).await.refusal(), (422, "validation-failed"));
    assert_eq!(register("ada@example.com", Some(PASSWORD)).await.ok(202), json!({"next": "log_in"}));
    site.access("ada@example.com").await;

    set(&site, json!({"email_confirmation": true})).await;
    assert_eq!(register("grace@example.com", Some(PASSWORD)).await.refusal(), (422, "validation-failed"));
    assert_eq!(register("grace@example.com", None).await.ok(202), json!({"next": "confirm_email"}));
}

#[tokio::test]
async fn the_next_mails_are_of_the_new_name_go_to_the_new_addresses_and_last_as_long_as_is_said() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let invite = async |email: &str| {
        let person = json!({"email": email, "first_name": "Grace", "last_name": "Hopper"});
        site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&person)).await.ok(201)
    };
    let days = |invitation: &Value| {
        let at = |field: &str| invitation[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        at("expires_at").duration_since(at("sent_at")).as_hours() / 24
    };
    let subject = async |to: &str| site.mails(to).await[0]["subject"].as_str().unwrap().to_owned();
    invite("before@example.com").await;
    assert_eq!(subject("before@example.com").await, "You are invited to Developer portal");

    let changes = json!({
        "portal_name": "Example APIs", "invitation_days": 30,
        "owner_notification_addresses": ["desk@example.com"],
    });
    set(&site, changes).await;

    let invitation = invite("after@example.com").await;
    assert_eq!(subject("after@example.com").await, "You are invited to Example APIs");
    assert_eq!(days(&invitation), 30);
    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    assert_eq!(site.mail_events("desk@example.com").await, ["registration_pending"]);
    assert!(!site.mail_events(OWNER).await.contains(&"registration_pending".to_owned()));
}
