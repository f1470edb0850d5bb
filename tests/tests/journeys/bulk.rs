//! Inviting many at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    invitations::{accept, partner},
    site::{OWNER, Site},
};

const BULK: &str = "/v1/invitations/bulk";

/// The rows' outcomes.
fn outcomes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_owner_tries_a_table_out_sends_it_and_sends_it_again_with_more() {
    let site = Site::open().await;
    site.member("known@example.com").await;
    let owner = site.access(OWNER).await;
    let (team, _) = partner(&site, &owner).await;
    let organisation = site.get(&owner, "/v1/organisations").await.ok(200)["items"][1]["id"].clone();
    let place = format!("{},{team}", organisation.as_str().unwrap());
    let table = format!(
        "email,first_name,last_name,organisation_id,team_ids,role\r\n\
         ada@example.com,Ada,\"Lovelace, Countess\",{place},team_member\r\n\
         grace@example.com,Grace,Hopper,,,\r\n\
         known@example.com,Known,Already,,,\r\n\
         nobody,No,Body,,,\r\n"
    );

    let tried = site.upload(&owner, &format!("{BULK}?dry_run=true"), &table).await.ok(200);
    assert_eq!(outcomes(&tried), ["would_invite", "would_invite", "already_registered", "invalid"]);
    assert!(site.mails("ada@example.com").await.is_empty());
    let done = site.upload(&owner, BULK, &table).await.ok(200);
    assert_eq!(outcomes(&done), ["invited", "invited", "already_registered", "invalid"]);
    let mended = table.replace("nobody,", "mary@example.com,");
    let again = site.upload(&owner, BULK, &mended).await.ok(200);
    assert_eq!(outcomes(&again), ["already_invited", "already_invited", "already_registered", "invited"]);

    for address in ["ada@example.com", "grace@example.com", "mary@example.com"] {
        assert_eq!(site.mail_events(address).await, ["invitation"], "{address}");
    }
    accept(&site, "ada@example.com").await.ok(200);
    let ada = site.access("ada@example.com").await;
    let me = site.get(&ada, "/v1/me").await.ok(200);
    assert_eq!((&me["last_name"], &me["organisation"]["name"]), (&json!("Lovelace, Countess"), &json!("Acme")));
    assert_eq!(me["teams"][0]["id"], team.as_str());
}

#[tokio::test]
async fn a_consumer_admins_upload_does_not_tell_who_has_an_account_elsewhere() {
    let site = Site::open().await;
    site.member("known@example.com").await;
    let owner = site.access(OWNER).await;
    let (team, admin) = partner(&site, &owner).await;
    let row = |email: &str| json!({"email": email, "first_name": "A", "last_name": "B", "team_ids": [team]});
    let rows = json!({"rows": [row("known@example.com"), row("unknown@example.com"), row("admin@example.com")]});
    let send = async || site.send(Method::POST, BULK, Some(&admin), Some(&rows)).await.ok(200);

    assert_eq!(outcomes(&send().await), ["invited", "invited", "already_registered"]);
    assert_eq!(outcomes(&send().await), ["already_invited", "already_invited", "already_registered"]);

    assert_eq!(site.mail_events("known@example.com").await.last().unwrap(), "already_registered");
    let listed = site.get(&admin, "/v1/invitations?status=pending").await.ok(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}
