//! In by a shared code.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, OWNER, PASSWORD, Site};

async fn as_owner(site: &Site, method: Method, path: &str, body: Value) -> Answer {
    let owner = site.access(OWNER).await;
    site.send(method, path, Some(&owner), Some(&body)).await
}

/// The Default Organisation's team, as any portal has it.
fn team() -> Value {
    json!("team_00000000000000000000000000")
}

async fn redeem(site: &Site, code: &str, email: &str) -> Answer {
    let body = json!({"code": code, "email": email, "first_name": "Ada", "last_name": "Lovelace"});
    site.post("/v1/invite-codes/redeem", body).await
}

#[tokio::test]
async fn an_owner_makes_a_code_and_who_redeems_it_confirms_logs_in_and_sees_the_team() {
    let site = Site::open().await;
    let (_, team) = site.organisation("Acme", "Acme team").await;
    let code = as_owner(&site, Method::POST, "/v1/invite-codes", json!({"team_id": team, "quota": 2})).await;
    assert_eq!(code.status, 201);
    let path = code.headers["location"].to_str().unwrap().to_owned();
    let text = code.body["code"].as_str().unwrap();

    let typed = text.to_lowercase().replace('-', " ");
    assert_eq!(redeem(&site, &typed, "ada@example.com").await.ok(202), json!({"next": "confirm_email"}));
    assert_eq!(site.login("ada@example.com", PASSWORD).await.refusal(), (401, "invalid-credentials"));
    assert_eq!(site.confirm("ada@example.com").await.ok(200), json!({"next": "log_in"}));

    let ada = site.access("ada@example.com").await;
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["organisation"]["name"], &me["teams"][0]["name"]), (&json!("Acme"), &json!("Acme team")));
    assert_eq!((&me["source"], &me["role"]), (&json!("invite_code"), &json!("team_member")));
    assert_eq!(site.mail_events("ada@example.com").await, ["confirm_registration", "welcome"]);
    let owner = site.access(OWNER).await;
    let shown = site.get(&owner, &path).await.ok(200);
    assert_eq!((&shown["used"], &shown["remaining"]), (&json!(1), &json!(1)));
    let redemptions = site.get(&owner, &format!("{path}/redemptions")).await.ok(200);
    let redemption = &redemptions["items"][0];
    assert_eq!(
        (&redemption["user"]["email"], &redemption["user"]["status"]),
        (&json!("ada@example.com"), &json!("active"))
    );
    assert!(redemption["confirmed_at"].as_str() > redemption["redeemed_at"].as_str(), "{redemption}");
}

#[tokio::test]
async fn a_hackathon_lets_in_as_many_as_it_has_places_and_gives_those_back_that_nobody_confirms() {
    let site = Site::open().await;
    let body = json!({"team_id": team(), "quota": 3, "code": "HACK-2026", "auto_approve": false});
    as_owner(&site, Method::POST, "/v1/invite-codes", body.clone()).await.ok(201);
    assert_eq!(as_owner(&site, Method::POST, "/v1/invite-codes", body).await.refusal(), (409, "invite-code-taken"));

    for name in ["ada", "grace", "mary"] {
        redeem(&site, "hack-2026", &format!("{name}@example.com")).await.ok(202);
    }
    let late = redeem(&site, "hack-2026", "joan@example.com").await;
    assert_eq!(late.refusal(), (409, "invite-code-exhausted"));
    assert_eq!(site.confirm("ada@example.com").await.ok(200), json!({"next": "await_approval"}));

    let path = "/v1/invite-codes/HACK-2026";
    let lower = as_owner(&site, Method::PATCH, path, json!({"quota": 2})).await;
    assert_eq!(lower.refusal(), (409, "quota-below-used"));
    as_owner(&site, Method::PATCH, path, json!({"quota": 4})).await.ok(200);
    redeem(&site, "hack-2026", "joan@example.com").await.ok(202);

    site.advance(7 * 24 * 3600 + 1).await;
    site.sweep().await;
    let owner = site.access(OWNER).await;
    assert_eq!(site.get(&owner, path).await.ok(200)["used"], 1);
    as_owner(&site, Method::PATCH, path, json!({"active": false})).await.ok(200);
    assert_eq!(redeem(&site, "hack-2026", "late@example.com").await.refusal(), (409, "invite-code-inactive"));
    as_owner(&site, Method::DELETE, path, json!({})).await.ok(204);
    assert_eq!(redeem(&site, "hack-2026", "late@example.com").await.refusal(), (404, "invite-code-unknown"));
}

#[tokio::test]
async fn with_registration_switched_off_a_code_is_the_way_in() {
    let site = Site::open().await;
    as_owner(&site, Method::PATCH, "/v1/settings", json!({"self_registration": false})).await.ok(200);
    let body = json!({"team_id": team(), "code": "BY-CODE-ALONE"});
    as_owner(&site, Method::POST, "/v1/invite-codes", body).await.ok(201);

    assert_eq!(site.register("ada@example.com").await.refusal(), (403, "registration-closed"));
    redeem(&site, "BY-CODE-ALONE", "ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
    site.access("ada@example.com").await;
}

#[tokio::test]
async fn guessing_codes_ends_after_ten_and_a_right_one_still_works() {
    let site = Site::open().await;
    as_owner(&site, Method::POST, "/v1/invite-codes", json!({"team_id": team(), "code": "RIGHT-CODE"})).await.ok(201);
    for number in 0..10 {
        let guess = redeem(&site, &format!("WRONG-CODE-{number}"), "ada@example.com").await;
        assert_eq!(guess.refusal(), (404, "invite-code-unknown"));
    }

    let refused = redeem(&site, "WRONG-CODE", "ada@example.com").await;

    assert_eq!(refused.refusal(), (429, "rate-limited"));
    assert!(refused.headers.contains_key("retry-after"));
    redeem(&site, "RIGHT-CODE", "ada@example.com").await.ok(202);
}

#[tokio::test]
async fn who_made_a_code_hears_when_it_is_nearly_used_up_and_three_days_before_it_ends() {
    let site = Site::open().await;
    let end = shared::clock::Clock::system().now() + jiff::SignedDuration::from_hours(10 * 24);
    let body = json!({"team_id": team(), "quota": 2, "code": "HACK-2026", "expires_at": end.to_string()});
    as_owner(&site, Method::POST, "/v1/invite-codes", body).await.ok(201);
    let told = async |event: &str| {
        let mails = site.mails(OWNER).await;
        mails.into_iter().filter(|mail| mail["event"] == event).collect::<Vec<_>>()
    };

    redeem(&site, "HACK-2026", "ada@example.com").await.ok(202);
    site.sweep().await;
    let with_one_left = told("invite_code_low").await.len();
    site.advance(7 * 24 * 3600 - 3600).await;
    site.sweep().await;
    let too_early = told("invite_code_expiring").await.len();
    site.advance(3600 + 60).await;
    for _ in 0..2 {
        site.sweep().await;
    }

    assert_eq!((with_one_left, too_early), (0, 0));
    let mails = told("invite_code_expiring").await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0]["text"].as_str().unwrap().contains("HACK-2026"), "{}", mails[0]);
    for name in ["grace", "mary"] {
        redeem(&site, "HACK-2026", &format!("{name}@example.com")).await.ok(202);
    }
    for _ in 0..2 {
        site.sweep().await;
    }
    let mails = told("invite_code_low").await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["subject"], "An invite code for Developer portal is used up");
}
