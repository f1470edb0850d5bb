//! Clients that lost an answer and send their request again.

use serde_json::{Value, json};

use crate::site::{Answer, OWNER, PASSWORD, Site};

/// Asserts that the repeat of a creation answers as the first did, and says so.
fn assert_repeated(first: &Answer, repeat: &Answer) {
    assert_eq!((repeat.status, &repeat.body), (first.status, &first.body));
    assert_eq!(repeat.headers.get("location"), first.headers.get("location"));
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(repeat.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn a_client_that_lost_an_answer_sends_its_request_again_and_creates_nothing_twice() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let create = async |path: &str, body: Value, key: &str| site.create_once(&owner, path, &body, key).await;

    let acme = create("/v1/organisations", json!({"name": "Acme"}), "acme").await;
    assert_repeated(&acme, &create("/v1/organisations", json!({"name": "Acme"}), "acme").await);
    let other = create("/v1/organisations", json!({"name": "Other"}), "acme").await;
    assert_eq!(other.refusal(), (422, "idempotency-key-reused"));

    let teams = format!("/v1/organisations/{}/teams", acme.body["id"].as_str().unwrap());
    let team = create(&teams, json!({"name": "Mobile"}), "mobile").await;
    assert_repeated(&team, &create(&teams, json!({"name": "Mobile"}), "mobile").await);
    let code = json!({"team_id": team.body["id"]});
    let drawn = create("/v1/invite-codes", code.clone(), "code").await;
    assert_repeated(&drawn, &create("/v1/invite-codes", code, "code").await);
    let company = json!({"name": "company", "label": "Company", "type": "string"});
    let defined = create("/v1/user-attributes", company.clone(), "company").await;
    assert_repeated(&defined, &create("/v1/user-attributes", company, "company").await);

    let person =
        json!({"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper", "password": PASSWORD});
    let grace = create("/v1/users", person.clone(), "grace").await;
    assert_repeated(&grace, &create("/v1/users", person, "grace").await);
    let invited = json!({"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"});
    let ada = create("/v1/invitations", invited.clone(), "ada").await;
    let mail = site.token("ada@example.com").await;
    assert_repeated(&ada, &create("/v1/invitations", invited, "ada").await);
    assert_eq!(site.token("ada@example.com").await, mail, "one mail was sent");

    let count = async |path: &str| site.get(&owner, path).await.ok(200)["items"].as_array().unwrap().len();
    assert_eq!((count("/v1/organisations").await, count(&teams).await, count("/v1/invite-codes").await), (2, 2, 1));
}
