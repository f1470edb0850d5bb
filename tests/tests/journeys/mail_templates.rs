//! Mails in the owner's own words.

use reqwest::Method;
use serde_json::json;

use crate::site::{OWNER, PASSWORD, Site};

const INVITATION: &str = "/v1/email-templates/invitation";

#[tokio::test]
async fn an_owner_words_the_invitation_looks_at_it_and_the_invitee_gets_it_until_it_is_reset() {
    let site = Site::open().await;
    let owner = site.access(OWNER).await;
    let words = json!({
        "subject": "{{ first_name }}, join us",
        "text": "Dear {{ first_name }},\n\n{{ link }}\n\nopens the door.",
        "html": "<p>Dear {{ first_name }}, <a href=\"{{ link }}\">come in</a></p>",
    });
    let invite = async |email: &str| {
        let person = json!({"email": email, "first_name": "Ada <b>", "last_name": "Lovelace"});
        site.send(Method::POST, "/v1/invitations", Some(&owner), Some(&person)).await.ok(201);
        site.mails(email).await.remove(0)
    };

    let unlinked = json!({"subject": "Join us", "text": "Welcome", "html": "<p>Welcome</p>"});
    let refused = site.send(Method::PUT, INVITATION, Some(&owner), Some(&unlinked)).await;
    assert_eq!((refused.refusal().0, &refused.body["errors"][0]["code"]), (422, &json!("missing_variable")));
    let preview = site.send(Method::POST, &format!("{INVITATION}/preview"), Some(&owner), Some(&words)).await.ok(200);
    assert_eq!(preview["subject"], "Ada, join us");
    site.send(Method::PUT, INVITATION, Some(&owner), Some(&words)).await.ok(200);

    let mail = invite("ada@example.com").await;
    assert_eq!((&mail["subject"], &mail["event"]), (&json!("Ada <b>, join us"), &json!("invitation")));
    assert!(mail["html"].as_str().unwrap().starts_with("<p>Dear Ada &lt;b&gt;, <a href=\"http"));
    let token = site.token("ada@example.com").await;
    site.post("/v1/invitations/accept", json!({"token": token, "password": PASSWORD})).await.ok(200);
    let listed = site.get(&owner, "/v1/email-templates").await.ok(200);
    assert!(listed["items"].as_array().unwrap().iter().all(|item| item["changed"] == (item["event"] == "invitation")));

    assert_eq!(site.send(Method::DELETE, INVITATION, Some(&owner), None).await.status, 204);
    assert_eq!(invite("grace@example.com").await["subject"], "You are invited to Developer portal");
    let events = site.get(&owner, "/v1/audit-events?target=invitation").await.ok(200);
    let actions: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["email_template.reset", "email_template.changed"]);
}
