//! People as they see and manage each other in the live portal.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, OWNER, PASSWORD, Site};

/// Acme with two teams; Grace is the Consumer Admin of one, Ada and Joan are in it, Eve is in the other.
struct Acme {
    site: Site,
    owner: String,
    organisation: Value,
    mobile: Value,
    desk: Value,
}

impl Acme {
    async fn open() -> Self {
        let site = Site::open().await;
        let owner = site.access(OWNER).await;
        let organisation = post(&site, &owner, "/v1/organisations", json!({"name": "Acme"})).await.ok(201);
        let teams = format!("/v1/organisations/{}/teams", organisation["id"].as_str().unwrap());
        let mobile = post(&site, &owner, &teams, json!({"name": "Mobile"})).await.ok(201);
        let desk = post(&site, &owner, &teams, json!({"name": "Desk"})).await.ok(201);
        let acme = Self { site, owner, organisation, mobile, desk };
        acme.add("grace", json!({"active": true}), &acme.mobile).await;
        for (name, team) in [("ada", &acme.mobile), ("joan", &acme.mobile), ("eve", &acme.desk)] {
            let id = acme.add(name, json!({"active": name != "joan"}), team).await;
            acme.change(&acme.owner, &id, json!({"role": "team_member"})).await.ok(200);
        }
        acme
    }

    async fn add(&self, name: &str, more: Value, team: &Value) -> String {
        let mut body = json!({
            "email": format!("{name}@example.com"), "first_name": name, "last_name": "Hopper", "password": PASSWORD,
            "organisation_id": self.organisation["id"], "team_ids": [team["id"]],
        });
        let Value::Object(more) = more else { panic!("{more}") };
        body.as_object_mut().unwrap().extend(more);
        let person = post(&self.site, &self.owner, "/v1/users", body).await.ok(201);
        person["id"].as_str().unwrap().to_owned()
    }

    async fn change(&self, token: &str, id: &str, body: Value) -> Answer {
        self.site.send(Method::PATCH, &format!("/v1/users/{id}"), Some(token), Some(&body)).await
    }

    /// Whom somebody finds, by first name.
    async fn found(&self, token: &str, query: &str) -> Vec<String> {
        let page = self.site.get(token, &format!("/v1/users?{query}")).await.ok(200);
        let people = page["items"].as_array().unwrap().iter();
        people.map(|person| person["first_name"].as_str().unwrap().to_owned()).collect()
    }

    async fn id(&self, name: &str) -> String {
        self.site.id(&self.owner, &format!("{name}@example.com")).await
    }
}

async fn post(site: &Site, token: &str, path: &str, body: Value) -> Answer {
    site.send(Method::POST, path, Some(token), Some(&body)).await
}

#[tokio::test]
async fn an_owner_adds_somebody_with_an_organisation_teams_and_a_first_password() {
    let acme = Acme::open().await;
    let more = json!({"active": true, "must_change_password": true, "team_ids": [acme.mobile["id"], acme.desk["id"]]});

    let id = acme.add("mary", more, &acme.mobile).await;

    let mary = acme.site.get(&acme.owner, &format!("/v1/users/{id}")).await.ok(200);
    assert_eq!((&mary["status"], &mary["role"]), (&json!("active"), &json!("consumer_admin")));
    assert_eq!(mary["organisation"], json!({"id": acme.organisation["id"], "name": "Acme"}));
    let teams: Vec<&Value> = mary["teams"].as_array().unwrap().iter().map(|team| &team["name"]).collect();
    assert_eq!(teams, ["Mobile", "Desk"]);
    let login = acme.site.login("mary@example.com", PASSWORD).await.ok(200);
    assert_eq!(login["challenge"], "new_password_required");
}

#[tokio::test]
async fn a_team_member_sees_active_and_inactive_colleagues_and_changes_nobody() {
    let acme = Acme::open().await;
    let (ada, joan) = (acme.site.access("ada@example.com").await, acme.id("joan").await);

    let seen = acme.site.get(&ada, "/v1/users").await.ok(200);

    let seen = seen["items"].as_array().unwrap().iter();
    let seen: Vec<_> = seen.map(|person| (person["first_name"].clone(), person["status"].clone())).collect();
    let expected = [("grace", "active"), ("ada", "active"), ("joan", "inactive")];
    assert_eq!(seen, expected.map(|(name, status)| (json!(name), json!(status))));
    let renamed = acme.change(&ada, &joan, json!({"first_name": "Jo"})).await;
    assert_eq!(renamed.refusal(), (403, "forbidden"));
    assert_eq!(acme.site.act(&ada, &format!("/v1/users/{joan}/activate")).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn a_consumer_admin_finds_edits_and_places_colleagues_within_their_own_teams() {
    let acme = Acme::open().await;
    let grace = acme.site.access("grace@example.com").await;
    let (ada, eve, joan) = (acme.id("ada").await, acme.id("eve").await, acme.id("joan").await);

    assert_eq!(acme.found(&grace, "").await, ["grace", "ada", "joan"]);
    assert_eq!(acme.found(&grace, "q=AD").await, ["ada"]);
    assert_eq!(acme.found(&acme.owner, "q=AD").await, ["ada"]);
    assert_eq!(acme.found(&grace, "q=hop&role=team_member").await, ["ada", "joan"]);
    let edited = json!({"last_name": "Lovelace", "role": "consumer_admin", "team_ids": [acme.mobile["id"]]});
    let edited = acme.change(&grace, &ada, edited).await.ok(200);
    assert_eq!((&edited["last_name"], &edited["role"]), (&json!("Lovelace"), &json!("consumer_admin")));

    let elsewhere = acme.change(&grace, &ada, json!({"team_ids": [acme.desk["id"]]})).await;
    assert_eq!(elsewhere.refusal(), (422, "validation-failed"));
    assert_eq!(acme.change(&grace, &eve, json!({"first_name": "E"})).await.refusal(), (404, "not-found"));
    assert_eq!(acme.change(&grace, &joan, json!({"status": "active"})).await.refusal(), (422, "validation-failed"));
    assert_eq!(acme.site.act(&grace, &format!("/v1/users/{joan}/activate")).await.refusal(), (403, "forbidden"));
    let removed = acme.site.act(&grace, &format!("/v1/users/{joan}/remove")).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    assert_eq!(acme.found(&grace, "").await, ["grace", "ada"]);
}

#[tokio::test]
async fn an_owner_finds_out_why_somebody_cannot_log_in_or_sees_nobody() {
    let acme = Acme::open().await;
    acme.site.member("stranger@example.com").await;
    let (joan, stranger) = (acme.id("joan").await, acme.site.id(&acme.owner, "stranger@example.com").await);
    assert_eq!(acme.site.login("joan@example.com", PASSWORD).await.refusal(), (403, "account-inactive"));

    let inactive = acme.site.get(&acme.owner, &format!("/v1/users/{joan}/access")).await.ok(200);
    let alone = acme.site.get(&acme.owner, &format!("/v1/users/{stranger}/access")).await.ok(200);

    assert_eq!((&inactive["status"], &inactive["people"]["sees"]), (&json!("inactive"), &json!("nobody")));
    assert_eq!((&alone["status"], &alone["people"]["sees"]), (&json!("active"), &json!("oneself")));
    assert_eq!(alone["teams"][0]["shows_people"], false);
}
