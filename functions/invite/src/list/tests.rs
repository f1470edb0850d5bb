//! Who finds which invitations.

use harness::{Bench, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    organisation::Placement,
    user::{Role, Status},
};

use crate::{
    create::tests::{acme, ada, app, invite, portal, send},
    router,
};

async fn list(bench: &Bench, caller: &SignedIn, query: &str) -> Reply {
    send(bench, Sample::of("invite-list").by(caller).query(query)).await
}

fn emails(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["items"].as_array().unwrap().iter().map(|item| item["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn owners_find_all_and_admins_those_into_their_own_teams() {
    let (bench, owner) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let ask = async |email: &str, place: Value| {
        let mut body = ada(json!({"email": email}));
        let Value::Object(place) = place else { panic!("{place}") };
        body.as_object_mut().unwrap().extend(place);
        assert_eq!(invite(&bench, &owner, &body).await.status, 201);
    };
    ask("default@example.com", json!({})).await;
    ask("owner2@example.com", json!({"role": "api_owner"})).await;
    ask("one@example.com", json!({"organisation_id": acme, "team_ids": [teams[1]]})).await;
    ask("two@example.com", json!({"organisation_id": acme, "team_ids": [teams[2]]})).await;
    ask("both@example.com", json!({"organisation_id": acme, "team_ids": [teams[2], teams[1]]})).await;

    let (all, own) = (list(&bench, &owner, "").await, list(&bench, &admin, "").await);

    let expected =
        ["default@example.com", "owner2@example.com", "one@example.com", "two@example.com", "both@example.com"];
    assert_eq!(emails(&all), expected);
    assert_eq!(emails(&own), ["one@example.com", "both@example.com"]);
    assert_eq!(own.body["items"][1]["teams"], json!([{"id": teams[1], "name": "Acme team 1"}]));
    assert!(!all.body.to_string().contains("token"));
}

#[tokio::test]
async fn a_status_narrows_the_list_and_time_alone_makes_an_invitation_expired() {
    let (bench, owner) = portal().await;
    invite(&bench, &owner, &ada(json!({"email": "old@example.com"}))).await;
    bench.advance(SignedDuration::from_hours(7 * 24));
    let owner = bench.sign_in(&owner.user).await;
    invite(&bench, &owner, &ada(json!({"email": "new@example.com"}))).await;

    assert_eq!(emails(&list(&bench, &owner, "status=pending").await), ["new@example.com"]);
    assert_eq!(emails(&list(&bench, &owner, "status=expired").await), ["old@example.com"]);
    assert!(emails(&list(&bench, &owner, "status=revoked").await).is_empty());
    let refused = list(&bench, &owner, "status=lost&limit=0").await;
    assert_eq!(refused.faults(), [("/status", "unknown_choice"), ("/limit", "out_of_range")]);
}

#[tokio::test]
async fn delivery_tells_how_far_the_mail_has_come() {
    let (bench, owner) = portal().await;
    invite(&bench, &owner, &ada(json!({}))).await;
    let delivery = async || list(&bench, &owner, "").await.body["items"][0]["delivery"].clone();

    assert_eq!(delivery().await, "queued");
    bench.mails("ada@example.com").await;
    assert_eq!(delivery().await, "sent");
    let entry = bench.rows_in("OUTBOX#").await.into_iter().find(|row| row["event"] == "invitation").unwrap();
    let delete = bench.services.dynamodb().delete_item().table_name(bench.services.mail_table());
    let key = |name: &str| serde_dynamo::to_attribute_value(&entry[name]).unwrap();
    delete.key("pk", key("pk")).key("sk", key("sk")).send().await.unwrap();
    assert_eq!(delivery().await, "sent", "what was collected had been sent");
}

#[tokio::test]
async fn pages_show_every_invitation_once() {
    let (bench, owner) = portal().await;
    for number in 0..5 {
        invite(&bench, &owner, &ada(json!({"email": format!("person{number}@example.com")}))).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&bench, &owner, &format!("limit=2{cursor}")).await;
        seen.extend(emails(&page).into_iter().map(str::to_owned));
        let Some(next) = page.body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }

    assert_eq!(seen, (0..5).map(|number| format!("person{number}@example.com")).collect::<Vec<_>>());
    let foreign = list(&bench, &owner, &format!("status=pending{cursor}")).await;
    assert_eq!(foreign.faults(), [("/cursor", "invalid_cursor")]);
}

#[tokio::test]
async fn a_page_is_the_caller_one_query_and_two_batches() {
    let (bench, owner) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    for number in 0..10 {
        let body = json!({"email": format!("p{number}@example.com"), "organisation_id": acme, "team_ids": [teams[1]]});
        invite(&bench, &owner, &ada(body)).await;
    }
    for caller in [&owner, &admin] {
        let sample = Sample::of("invite-list").by(caller).query("");
        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.body["items"].as_array().unwrap().len(), 10);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(
            operations,
            ["DynamoDB.BatchGetItem", "DynamoDB.Query", "DynamoDB.BatchGetItem", "DynamoDB.BatchGetItem"]
        );
    }
}

#[tokio::test]
async fn team_members_and_strangers_find_none() {
    let (bench, _) = portal().await;
    let member = bench.signed_in("member@example.com", Role::TeamMember).await;
    let alone = bench.signed_in("alone@example.com", Role::ConsumerAdmin).await;

    assert_eq!(list(&bench, &member, "").await.problem(), "forbidden");
    assert!(emails(&list(&bench, &alone, "").await).is_empty());
    assert_eq!(send(&bench, Sample::of("invite-list")).await.status, 401);
}

#[tokio::test]
async fn one_invitation_is_read_by_whom_it_concerns() {
    let (bench, owner) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let into = async |team: usize, email: &str| {
        let body = json!({"email": email, "organisation_id": acme, "team_ids": [teams[team]]});
        invite(&bench, &owner, &ada(body)).await.body["id"].as_str().unwrap().to_owned()
    };
    let (own, other) = (into(1, "own@example.com").await, into(2, "other@example.com").await);
    let place = Placement { organisation_id: acme.clone(), team_ids: vec![teams[1].clone()] };
    let member = bench.person_at("member@example.com", Role::TeamMember, Status::Active, Some(place)).await;
    let member = bench.sign_in(&member).await;
    let read = async |caller: &SignedIn, id: &str| send(&bench, Sample::of("invite-read").by(caller).id(id)).await;

    assert_eq!(read(&owner, &other).await.body["email"], "other@example.com");
    assert_eq!(read(&admin, &own).await.body["email"], "own@example.com");
    assert_eq!(read(&admin, &other).await.problem(), "not-found");
    assert_eq!(read(&member, &own).await.problem(), "forbidden");
    for nothing in ["inv_01kf0ev11gzqq463a0qnbxxtp1", "nonsense", owner.user.id.as_str()] {
        assert_eq!(read(&owner, nothing).await.problem(), "not-found");
        assert_eq!(read(&member, nothing).await.problem(), "forbidden");
    }
}
