//! Ten thousand people: a page costs what it costs among ten.

use harness::Sample;
use serde_json::{Value, json};
use shared::domain::ids::UserId;

use super::tests::{app, list, who};
use crate::{change::tests::Acme, router};

const MANY: u32 = 10_000;

/// Ten thousand people like one who is there, in team 1, with addresses and last names of their own.
async fn crowd() -> Acme {
    let acme = Acme::new().await;
    let model = acme.member("model", &[1]).await;
    let person = acme.bench.rows_in(&format!("USER#{}", model.id)).await.remove(0);
    let mut membership = acme.bench.rows_in(&format!("TEAM#{}", acme.teams[1])).await;
    membership.retain(|row| row["sk"] == format!("USER#{}", model.id));
    let mut rows: Vec<Value> = Vec::new();
    for number in 0..MANY {
        let id = UserId::new(acme.bench.now(), u128::from(number));
        let (mut person, mut membership) = (person.clone(), membership[0].clone());
        let (email, last_name) = (format!("crowd{number:05}@example.com"), format!("Crow{number:05}"));
        person["email_key"] = json!(format!("{email}#{id}"));
        person["last_name_key"] = json!(format!("{}#{id}", last_name.to_lowercase()));
        person["first_name_key"] = json!(format!("grace#{id}"));
        (person["email"], person["last_name"]) = (json!(email), json!(last_name));
        (person["pk"], person["id"], person["list_sk"]) = (json!(format!("USER#{id}")), json!(id), json!(id));
        person["queue_sk"] = json!(format!("{:015}#{id}", acme.bench.now().as_millisecond()));
        (membership["sk"], membership["user_id"]) = (json!(format!("USER#{id}")), json!(id));
        rows.extend([person, membership]);
    }
    acme.bench.put_rows(&rows).await;
    acme
}

#[tokio::test]
async fn a_page_of_ten_thousand_people_takes_no_more_calls_than_one_of_ten() {
    let acme = crowd().await;
    let (organisation, team) = (format!("organisation_id={}", acme.id), format!("team_id={}", acme.teams[1]));
    for (caller, query, queries) in [
        (&acme.owner, "", 1),
        (&acme.owner, "status=active", 1),
        (&acme.owner, "role=team_member", 1),
        (&acme.owner, &organisation, 1),
        (&acme.owner, &team, 1),
        (&acme.owner, "q=crowd", 1),
        (&acme.owner, "q=crow0", 3),
        (&acme.admin, "", 2),
        (&acme.admin, "q=crowd", 2),
    ] {
        let sample = Sample::of("users-list").by(caller).query(query);

        let (reply, calls) = acme.bench.calls(sample.send(router(app(&acme.bench)))).await;

        assert!(!who(&reply).is_empty(), "{query}");
        let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
        assert_eq!(count("DynamoDB.Query"), queries, "{query}");
        assert!(count("DynamoDB.BatchGetItem") <= 3, "{query}");
        assert_eq!(calls.len(), queries + count("DynamoDB.BatchGetItem"), "{query}");
    }
    let found = list(&acme.bench, &acme.owner, "q=CROWD09999").await;
    assert_eq!(who(&found), ["crowd09999"]);
}
