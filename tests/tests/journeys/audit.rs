//! What happened is found again.

use serde_json::json;

use crate::site::{OWNER, Site};

#[tokio::test]
async fn an_approval_is_found_by_who_gave_it_who_got_it_what_it_was_and_when_and_is_exported() {
    let site = Site::open().await;
    let ada = site.member("ada@example.com").await;
    site.advance(60).await;
    site.member("grace@example.com").await;
    let owner = site.access(OWNER).await;
    let owner_id = site.id(&owner, OWNER).await;

    let approvals = site.get(&owner, &format!("/v1/audit-events?action=user.approved&target={ada}")).await.ok(200);
    let approval = &approvals["items"][0];
    assert_eq!(approvals["items"].as_array().unwrap().len(), 1);
    assert_eq!(approval["actor"], json!({"kind": "user", "id": owner_id}));
    assert_eq!(
        (&approval["before"], &approval["after"]),
        (&json!({"status": "pending"}), &json!({"status": "active"}))
    );
    assert!(!approvals.to_string().contains('@'));

    let until = approval["at"].as_str().unwrap();
    let by_owner = site.get(&owner, &format!("/v1/audit-events?actor={owner_id}&limit=100")).await.ok(200);
    let up_to_then = site.get(&owner, &format!("/v1/audit-events?to={until}&limit=100")).await.ok(200);
    let since = site.get(&owner, &format!("/v1/audit-events?from={until}&action=user.approved")).await.ok(200);
    let ids = |list: &serde_json::Value| -> Vec<_> {
        list["items"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect()
    };
    assert!(ids(&by_owner).contains(&approval["id"]));
    assert!(!ids(&up_to_then).contains(&approval["id"]));
    assert_eq!((ids(&since).len(), &ids(&since)[1]), (2, &approval["id"]));

    let lines = site.lines(&owner, "/v1/audit-events").await;
    let whole = site.get(&owner, "/v1/audit-events?limit=100").await.ok(200);
    assert_eq!(lines, *whole["items"].as_array().unwrap());
    assert!(lines.contains(approval));
}

#[tokio::test]
async fn a_consumer_reads_no_audit() {
    let site = Site::open().await;
    site.member("ada@example.com").await;
    let ada = site.access("ada@example.com").await;

    assert_eq!(site.get(&ada, "/v1/audit-events").await.refusal(), (403, "forbidden"));
}
