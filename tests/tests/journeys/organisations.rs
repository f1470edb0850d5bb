//! Organisations with teams, and people who meet in them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{OWNER, PASSWORD, Site};

/// Creates something; it stands below the path of its list.
async fn create(site: &Site, owner: &str, path: &str, body: &Value) -> Value {
    let created = site.send(Method::POST, path, Some(owner), Some(body)).await;
    assert!(created.headers["location"].to_str().unwrap().starts_with(path), "{created:?}");
    created.ok(201)
}

#[tokio::test]
async fn people_of_a_team_see_each_other_and_nobody_else() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let acme = create(&site, &owner, "/v1/organisations", &json!({"name": "Acme"})).await;
    let teams = format!("/v1/organisations/{}/teams", acme["id"].as_str().unwrap());
    let mobile = create(&site, &owner, &teams, &json!({"name": "Mobile"})).await;
    let desk = create(&site, &owner, &teams, &json!({"name": "Desk"})).await;
    for (name, team) in [("grace", &mobile), ("ada", &mobile), ("joan", &desk)] {
        let body = json!({
            "email": format!("{name}@example.com"), "first_name": name, "last_name": "Hopper", "password": PASSWORD,
            "active": true, "organisation_id": acme["id"], "team_ids": [team["id"]],
        });
        let person = create(&site, &owner, "/v1/users", &body).await;
        assert_eq!(person["organisation"], json!({"id": acme["id"], "name": "Acme"}));
    }
    site.member("stranger@example.com").await;

    let grace = site.access("grace@example.com").await;
    let seen = site.get(&grace, "/v1/users").await.ok(200);
    let organisations = site.get(&owner, "/v1/organisations").await.ok(200);
    let listed = site.get(&owner, &teams).await.ok(200);

    let emails: Vec<_> = seen["items"].as_array().unwrap().iter().map(|person| &person["email"]).collect();
    assert_eq!(emails, ["grace@example.com", "ada@example.com"]);
    let names = |list: &Value| -> Vec<Value> {
        list["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect()
    };
    assert_eq!(names(&organisations), ["Default Organisation", "Acme"]);
    assert_eq!(names(&listed), ["Default team", "Mobile", "Desk"]);
    assert_eq!(site.get(&grace, "/v1/organisations").await.refusal(), (403, "forbidden"));
    assert_eq!(site.get(&grace, &teams).await.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn from_a_deleted_team_and_organisation_people_come_into_what_is_left_and_codes_and_invitations_stop() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let acme = create(&site, &owner, "/v1/organisations", &json!({"name": "Acme"})).await;
    let path = format!("/v1/organisations/{}", acme["id"].as_str().unwrap());
    let mobile = create(&site, &owner, &format!("{path}/teams"), &json!({"name": "Mobile"})).await;
    let place = json!({"organisation_id": acme["id"], "team_ids": [mobile["id"]]});
    let mut person = json!({"first_name": "Grace", "last_name": "Hopper"});
    person.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
    person["email"] = json!("joan@example.com");
    create(&site, &owner, "/v1/invitations", &person).await;
    let token = site.token("joan@example.com").await;
    (person["email"], person["password"], person["active"]) =
        (json!("grace@example.com"), json!(PASSWORD), json!(true));
    create(&site, &owner, "/v1/users", &person).await;
    let code = json!({"team_id": mobile["id"], "code": "SPRING-HACK-2026"});
    create(&site, &owner, "/v1/invite-codes", &code).await;
    let grace = site.access("grace@example.com").await;

    let team = format!("{path}/teams/{}", mobile["id"].as_str().unwrap());
    site.send(Method::DELETE, &team, Some(&owner), None).await.ok(204);

    let me = site.get(&grace, "/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["organisation"]["name"]), (&json!("consumer_admin"), &json!("Acme")));
    assert_eq!((&me["teams"][0]["name"], me["teams"].as_array().unwrap().len()), (&json!("Default team"), 1));
    let redemption = json!({
        "code": "SPRING-HACK-2026", "email": "late@example.com", "first_name": "Ada", "last_name": "Lovelace",
    });
    assert_eq!(site.post("/v1/invite-codes/redeem", redemption).await.refusal(), (409, "invite-code-inactive"));
    let code = site.get(&owner, "/v1/invite-codes/SPRING-HACK-2026").await.ok(200);
    assert_eq!(
        (&code["state"], &code["team"], &code["organisation"]["name"]),
        (&json!("inactive"), &Value::Null, &json!("Acme"))
    );
    let opened = site.post("/v1/invitations/preview", json!({"token": token})).await;
    assert_eq!(opened.refusal(), (410, "link-not-usable"));
    let accepted = site.post("/v1/invitations/accept", json!({"token": token, "password": PASSWORD})).await;
    assert_eq!(accepted.refusal(), (410, "link-not-usable"));
    let invitations = site.get(&owner, "/v1/invitations?status=revoked").await.ok(200);
    let revoked = invitations["items"].as_array().unwrap().iter().find(|item| item["email"] == "joan@example.com");
    assert_eq!(revoked.unwrap()["teams"], json!([]));

    site.send(Method::DELETE, &path, Some(&owner), None).await.ok(204);

    let me = site.get(&grace, "/v1/me").await.ok(200);
    assert_eq!((&me["role"], &me["organisation"]["name"]), (&json!("team_member"), &json!("Default Organisation")));
    assert_eq!(site.get(&owner, &path).await.refusal(), (404, "not-found"));
    let codes = site.get(&owner, "/v1/invite-codes?state=inactive").await.ok(200);
    assert_eq!((codes["items"].as_array().unwrap().len(), &codes["items"][0]["organisation"]), (1, &Value::Null));
    let default = "/v1/organisations/org_00000000000000000000000000";
    let stays = site.send(Method::DELETE, default, Some(&owner), None).await;
    assert_eq!(stays.refusal(), (409, "default-organisation"));
    let team = format!("{default}/teams/team_00000000000000000000000000");
    let stays = site.send(Method::DELETE, &team, Some(&owner), None).await;
    assert_eq!(stays.refusal(), (409, "default-team"));
}

#[tokio::test]
async fn a_new_name_is_shown_to_everybody_at_once_and_an_outdated_change_is_refused() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let acme = create(&site, &owner, "/v1/organisations", &json!({"name": "Acme"})).await;
    let path = format!("/v1/organisations/{}", acme["id"].as_str().unwrap());
    let mobile = create(&site, &owner, &format!("{path}/teams"), &json!({"name": "Mobile"})).await;
    let body = json!({
        "email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper", "password": PASSWORD,
        "active": true, "organisation_id": acme["id"], "team_ids": [mobile["id"]],
    });
    create(&site, &owner, "/v1/users", &body).await;
    let grace = site.access("grace@example.com").await;

    let tag = site.get(&owner, &path).await.headers["etag"].to_str().unwrap().to_owned();
    let renamed = site.change(&owner, &path, &tag, &json!({"name": "Apex"})).await;
    let outdated = site.change(&owner, &path, &tag, &json!({"name": "Other"})).await;
    let team = format!("{path}/teams/{}", mobile["id"].as_str().unwrap());
    site.send(Method::PATCH, &team, Some(&owner), Some(&json!({"name": "Desk"}))).await.ok(200);

    assert_eq!(renamed.ok(200)["name"], "Apex");
    assert_eq!(outdated.refusal(), (412, "version-mismatch"));
    let me = site.get(&grace, "/v1/me").await.ok(200);
    assert_eq!((&me["organisation"]["name"], &me["teams"][0]["name"]), (&json!("Apex"), &json!("Desk")));
}
