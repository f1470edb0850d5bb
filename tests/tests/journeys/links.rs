//! Mailed links.

use reqwest::{Method, Url};
use serde_json::json;

use crate::site::{PASSWORD, Site};

const SEVEN_DAYS: i64 = 7 * 24 * 60 * 60;

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);
    let mails = site.mails("ada@example.com").await;
    let text = mails[0]["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.contains("#token=")).unwrap();
    let link = Url::parse(link).unwrap();
    let path = format!("{}#{}", link.path(), link.fragment().unwrap());

    // A scanner follows the link, the token in the fragment and in the query, with every method that is no POST.
    for path in [path.clone(), path.replace('#', "?"), "/v1/registrations/confirm".to_owned()] {
        // The emulator, in which the portal is deployed, answers OPTIONS by itself.
        for method in [Method::GET, Method::HEAD].into_iter().chain(site.is_local().then_some(Method::OPTIONS)) {
            assert_eq!(site.send(method, &path, None, None).await.status, 404);
        }
    }

    site.confirm("ada@example.com").await.ok(200);
}

#[tokio::test]
async fn a_new_mail_replaces_the_link_of_the_old_one() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);
    let old = site.token("ada@example.com").await;

    site.post("/v1/registrations/resend", json!({"email": "ada@example.com"})).await.ok(202);

    let body = json!({"token": old, "password": PASSWORD});
    assert_eq!(site.post("/v1/registrations/confirm", body).await.refusal(), (410, "link-not-usable"));
    site.confirm("ada@example.com").await.ok(200);
}

#[tokio::test]
async fn a_registration_that_nobody_confirms_makes_room_for_another() {
    let site = Site::open().await;
    site.register("ada@example.com").await.ok(202);
    let old = site.token("ada@example.com").await;

    site.advance(SEVEN_DAYS + 3600).await;
    let body = json!({"token": old, "password": PASSWORD});
    assert_eq!(site.post("/v1/registrations/confirm", body).await.refusal(), (410, "link-not-usable"));
    site.sweep().await;

    site.register("ada@example.com").await.ok(202);
    site.confirm("ada@example.com").await.ok(200);
}
