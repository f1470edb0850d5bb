//! What a Consumer Admin's invitation does, and what it does not tell.

use harness::{Bench, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{organisation::Placement, user::Status};

use super::{
    tests::{acme, ada, app, invite, known, portal, send},
    *,
};
use crate::router;

#[tokio::test]
async fn a_consumer_admin_invites_a_team_member_into_a_team_of_theirs() {
    let (bench, _) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;

    let reply = invite(&bench, &admin, &ada(json!({"team_ids": [teams[1]]}))).await;

    assert_eq!((reply.status, &reply.body["role"]), (201, &json!("team_member")));
    assert_eq!(reply.body["organisation"], json!({"id": acme, "name": "Acme"}));
    assert_eq!(reply.body["teams"], json!([{"id": teams[1], "name": "Acme team 1"}]));
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn a_consumer_admin_chooses_the_role_but_makes_no_api_owner() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    let body = |role: &str| ada(json!({"team_ids": [teams[1]], "role": role}));

    assert_eq!(invite(&bench, &admin, &body("api_owner")).await.faults(), [("/role", "not_allowed")]);
    assert_eq!(invite(&bench, &admin, &body("consumer_admin")).await.body["role"], "consumer_admin");
}

#[tokio::test]
async fn teams_that_are_not_the_admins_and_organisations_are_refused() {
    let (bench, _) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let (_, others) = bench.organisation("Other", 0).await;
    let cases = [
        (json!({"team_ids": [teams[2]]}), ("/team_ids", "unknown_team")),
        (json!({"team_ids": [teams[1], teams[2]]}), ("/team_ids", "unknown_team")),
        (json!({"team_ids": [others[0]]}), ("/team_ids", "unknown_team")),
        (json!({"team_ids": [TeamId::default_team()]}), ("/team_ids", "unknown_team")),
        (json!({"team_ids": [teams[1]], "organisation_id": acme}), ("/organisation_id", "not_allowed")),
        // They are not in the default team, so there is none that could be meant.
        (json!({}), ("/team_ids", "required")),
    ];
    for (place, fault) in cases {
        let reply = invite(&bench, &admin, &ada(place.clone())).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![fault]), "{place}");
    }
    assert!(known(&bench, "ada@example.com").await.is_none());
}

#[tokio::test]
async fn an_admin_of_the_default_team_need_not_name_it() {
    let (bench, _) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let place = Placement { organisation_id: acme, team_ids: vec![teams[1].clone(), teams[0].clone()] };
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, Some(place)).await;
    let admin = bench.sign_in(&admin).await;

    let reply = invite(&bench, &admin, &ada(json!({}))).await;

    assert_eq!((reply.status, &reply.body["teams"]), (201, &json!([{"id": teams[0], "name": "Acme team 0"}])));
}

#[tokio::test]
async fn nobody_invites_into_the_team_where_strangers_meet() {
    let (bench, _) = portal().await;
    let stranger = bench.signed_in("stranger@example.com", Role::ConsumerAdmin).await;

    let reply = invite(&bench, &stranger, &ada(json!({}))).await;

    assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
}

#[tokio::test]
async fn their_invitations_can_be_switched_off_and_owners_go_on() {
    let (bench, owner) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.set(|settings| settings.consumer_admin_invitations = false).await;

    let refused = invite(&bench, &admin, &ada(json!({"team_ids": [teams[1]]}))).await;

    assert_eq!((refused.status, refused.problem()), (403, "invitations-closed"));
    assert_eq!(invite(&bench, &owner, &ada(json!({}))).await.status, 201);
}

/// The answer without what every answer has of its own.
fn stripped(mut reply: Reply) -> (u16, Value, Vec<String>) {
    for own in ["id", "user_id", "email", "sent_at", "expires_at"] {
        assert!(reply.body[own].is_string(), "{own}: {reply:?}");
        reply.body[own] = Value::Null;
    }
    (reply.status, reply.body, reply.headers.keys().cloned().collect())
}

/// Asks, and strips the answer; with the operations that were called.
async fn ask(
    bench: &Bench,
    admin: &SignedIn,
    address: &str,
    team: &TeamId,
) -> ((u16, Value, Vec<String>), Vec<String>) {
    let body = ada(json!({"email": address, "team_ids": [team]}));
    let sample = Sample::of("invite-create").by(admin).body(&body);
    let (reply, calls) = bench.calls(sample.send(router(app(bench)))).await;
    (stripped(reply), calls.into_iter().map(|call| call.operation).collect())
}

#[tokio::test]
async fn an_address_that_is_known_elsewhere_gets_the_same_answer_by_the_same_calls_as_an_unknown_one() {
    let (bench, owner) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    let elsewhere = ["active", "pending", "unconfirmed", "invited"];
    for name in &elsewhere[..3] {
        let status = Status::parse(name).unwrap();
        bench.person(&format!("{name}@example.com"), Role::TeamMember, status).await;
    }
    invite(&bench, &owner, &ada(json!({"email": "invited@example.com"}))).await;

    let unknown = ask(&bench, &admin, "new@example.com", &teams[1]).await;

    let expected = ["DynamoDB.BatchGetItem", "DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"];
    assert_eq!((unknown.0.0, unknown.1.as_slice()), (201, expected.map(str::to_owned).as_slice()));
    for name in elsewhere {
        let address = format!("{name}@example.com");
        let before = known(&bench, &address).await;
        assert_eq!(ask(&bench, &admin, &address, &teams[1]).await, unknown, "{name}");
        assert_eq!(known(&bench, &address).await, before, "{name}");
        assert_eq!(bench.mail_events(&address).await.last().unwrap(), "already_registered", "{name}");
    }
}

#[tokio::test]
async fn a_second_invitation_is_told_alike_whether_the_address_is_known_elsewhere_or_not() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    for address in ["settled@example.com", "new@example.com"] {
        let body = ada(json!({"email": address, "team_ids": [teams[1]]}));
        let first = invite(&bench, &admin, &body).await;
        let second = invite(&bench, &admin, &body).await;
        assert_eq!((second.status, second.problem()), (409, "invitation-pending"), "{address}");
        assert_eq!(second.body["invitation_id"], first.body["id"], "{address}");
    }
    bench.advance(SignedDuration::from_hours(7 * 24));
    let admin = bench.sign_in(&admin.user).await;
    for address in ["settled@example.com", "new@example.com"] {
        let body = ada(json!({"email": address, "team_ids": [teams[1]]}));
        assert_eq!(invite(&bench, &admin, &body).await.problem(), "email-taken", "{address}: its time has passed");
    }
}

#[tokio::test]
async fn whom_the_admin_sees_is_told_as_it_is() {
    let (bench, _) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let place = Placement { organisation_id: acme, team_ids: vec![teams[1].clone()] };
    bench.person_at("colleague@example.com", Role::TeamMember, Status::Active, Some(place)).await;

    let body = ada(json!({"email": "colleague@example.com", "team_ids": [teams[1]]}));
    let reply = invite(&bench, &admin, &body).await;

    assert_eq!((reply.status, reply.problem()), (409, "email-taken"));
}

#[tokio::test]
async fn an_invitation_of_an_address_elsewhere_creates_nobody_and_is_its_organisations_alone() {
    let (bench, owner) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    let people = bench.rows_in("USER#").await.len();

    invite(&bench, &admin, &ada(json!({"email": "settled@example.com", "team_ids": [teams[1]]}))).await;

    assert_eq!(bench.rows_in("USER#").await.len(), people);
    let listed = async |caller: &SignedIn| {
        let reply = send(&bench, Sample::of("invite-list").by(caller).query("")).await;
        reply.body["items"].as_array().unwrap().len()
    };
    assert_eq!((listed(&admin).await, listed(&owner).await), (1, 0));
    let text = bench.mails("settled@example.com").await.remove(0).text.unwrap();
    assert!(text.contains("somebody invited this address") && !text.contains("#token="), "{text}");
}
