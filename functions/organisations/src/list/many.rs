//! Ten thousand organisations, and as many teams of one: a page costs what it costs among few.

use harness::{Bench, Sample};
use serde_json::{Value, json};
use shared::{
    domain::ids::{OrganisationId, TeamId},
    store::keys,
};

use crate::{
    body::tests::{app, names, portal, send},
    router,
};

const MANY: u32 = 10_000;

async fn organisations(bench: &Bench) {
    let row = |number: u32| {
        let id = OrganisationId::new(bench.now(), u128::from(number));
        let at = bench.now().as_millisecond();
        json!({
            "pk": format!("ORG#{id}"), "sk": "ORG", "id": id, "name": format!("Number {number}"),
            "default_team_id": TeamId::new(bench.now(), u128::from(number)), "created_at": at, "updated_at": at,
            "list_pk": keys::ALL_ORGANISATIONS, "list_sk": id,
        })
    };
    bench.put_rows(&(0..MANY).map(row).collect::<Vec<Value>>()).await;
}

async fn teams(bench: &Bench) -> OrganisationId {
    let (acme, _) = bench.organisation("Acme", 0).await;
    let row = |number: u32| {
        let id = TeamId::new(bench.now(), u128::from(number));
        let at = bench.now().as_millisecond();
        json!({
            "pk": format!("TEAM#{id}"), "sk": "TEAM", "id": id, "name": format!("Number {number}"),
            "organisation_id": acme, "created_at": at, "updated_at": at,
            "group_pk": keys::teams_of(&acme), "group_sk": id,
        })
    };
    bench.put_rows(&(0..MANY).map(row).collect::<Vec<Value>>()).await;
    acme
}

#[tokio::test]
async fn a_page_of_ten_thousand_takes_the_caller_one_query_and_one_batch_wherever_it_is() {
    let (bench, owner) = portal().await;
    organisations(&bench).await;
    let acme = teams(&bench).await;
    let lists = [
        // The Default Organisation and that of the teams; its default team.
        (Sample::of("organisations-list").by(&owner), MANY as usize + 2),
        (Sample::of("organisations-list-teams").by(&owner).id(&acme), MANY as usize + 1),
    ];

    for (list, total) in lists {
        let mut query = String::new();
        for _ in 0..3 {
            let (reply, calls) = bench.calls(list.clone().query(&query).send(router(app(&bench)))).await;
            assert_eq!(names(&reply).len(), 25);
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.Query", "DynamoDB.BatchGetItem"]);
            query = format!("cursor={}", reply.body["next_cursor"].as_str().unwrap());
        }
        let (mut seen, mut query) = (0, "limit=100".to_owned());
        loop {
            let reply = send(&bench, list.clone().query(&query)).await;
            seen += names(&reply).len();
            let Some(cursor) = reply.body["next_cursor"].as_str() else { break };
            query = format!("limit=100&cursor={cursor}");
        }
        assert_eq!(seen, total);
    }
}
