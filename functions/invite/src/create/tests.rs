//! What an API Owner's invitation does. Those of Consumer Admins have a file of their own.

pub(crate) use harness::portal;
use harness::{Bench, Reply, Sample, SignedIn, email};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::UserId,
        organisation::Placement,
        user::{Source, Status},
    },
    store::{Sentinel, Stage},
};

use super::*;
use crate::router;

pub(crate) fn app(bench: &Bench) -> App {
    App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
}

pub(crate) async fn send(bench: &Bench, sample: Sample) -> Reply {
    bench.advance(SignedDuration::from_millis(1));
    sample.send(router(app(bench))).await
}

/// An organisation with a default team and two more, and a Consumer Admin of the first of the two.
pub(crate) async fn acme(bench: &Bench) -> (OrganisationId, Vec<TeamId>, SignedIn) {
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let place = Placement { organisation_id: acme.clone(), team_ids: vec![teams[1].clone()] };
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, Some(place)).await;
    let admin = bench.sign_in(&admin).await;
    (acme, teams, admin)
}

pub(crate) async fn invite(bench: &Bench, caller: &SignedIn, body: &Value) -> Reply {
    send(bench, Sample::of("invite-create").by(caller).body(body)).await
}

pub(crate) fn ada(more: Value) -> Value {
    let mut body = json!({"email": " Ada@Example.com", "first_name": "Ada", "last_name": "Lovelace"});
    let Value::Object(more) = more else { panic!("{more}") };
    body.as_object_mut().unwrap().extend(more);
    body
}

/// The sentinel of an address.
pub(crate) async fn known(bench: &Bench, address: &str) -> Option<Sentinel> {
    bench.store.login_facts(&email(address)).await.unwrap().account
}

#[tokio::test]
async fn an_api_owner_invites_a_consumer_admin_into_the_default_place() {
    let (bench, owner) = portal().await;

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    let shown = json!({
        "id": reply.body["id"], "user_id": reply.body["user_id"],
        "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "role": "consumer_admin",
        "organisation": {"id": OrganisationId::default_organisation(), "name": "Default Organisation"},
        "teams": [{"id": TeamId::default_team(), "name": "Default team"}],
        "status": "pending", "delivery": "queued", "invited_by": owner.user.id,
        "sent_at": bench.now(), "expires_at": bench.now() + SignedDuration::from_hours(7 * 24),
    });
    assert_eq!((reply.status, &reply.body), (201, &shown));
    assert_eq!(reply.headers["location"], format!("/v1/invitations/{}", reply.body["id"].as_str().unwrap()));
    let user = bench.read(&UserId::parse(reply.body["user_id"].as_str().unwrap()).unwrap()).await;
    assert_eq!((user.status, user.source), (Status::Invited, Source::Invitation));
    assert_eq!(known(&bench, "ada@example.com").await.unwrap().stage, Stage::Invited);
    let mail = bench.mails("ada@example.com").await.remove(0);
    let text = mail.text.unwrap();
    assert!(
        text.contains("Grace Hopper invites you") && text.contains("Default Organisation (Default team)"),
        "{text}"
    );
    assert!(text.contains("22 January 2026"), "{text}");
}

#[tokio::test]
async fn an_owners_invitation_takes_one_batch_and_one_transaction_of_fourteen_units() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let body = ada(json!({"organisation_id": acme, "team_ids": [teams[1]]}));
    let sample = Sample::of("invite-create").by(&owner).body(&body);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 201);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert_eq!(harness::write_units(&calls), 14);
}

#[tokio::test]
async fn an_organisation_alone_means_its_default_team() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;

    let reply = invite(&bench, &owner, &ada(json!({"organisation_id": acme, "role": "team_member"}))).await;

    assert_eq!((reply.status, &reply.body["role"]), (201, &json!("team_member")));
    assert_eq!(reply.body["teams"], json!([{"id": teams[0], "name": "Acme team 0"}]));
    assert!(bench.mails("ada@example.com").await[0].text.as_ref().unwrap().contains("Acme (Acme team 0)"));
}

#[tokio::test]
async fn a_team_that_is_named_twice_counts_once() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let body = ada(json!({"organisation_id": acme, "team_ids": [teams[2], teams[1], teams[2]]}));

    let reply = invite(&bench, &owner, &body).await;

    let named: Vec<_> = reply.body["teams"].as_array().unwrap().iter().map(|team| &team["id"]).collect();
    assert_eq!((reply.status, named), (201, vec![&json!(teams[2]), &json!(teams[1])]));
}

#[tokio::test]
async fn an_api_owner_invites_another_who_has_no_place() {
    let (bench, owner) = portal().await;

    let reply = invite(&bench, &owner, &ada(json!({"role": "api_owner"}))).await;

    assert_eq!((reply.status, &reply.body["role"]), (201, &json!("api_owner")));
    assert_eq!((&reply.body["organisation"], &reply.body["teams"]), (&Value::Null, &json!([])));
    for place in [
        json!({"team_ids": [TeamId::default_team()]}),
        json!({"organisation_id": OrganisationId::default_organisation()}),
    ] {
        let mut body = ada(json!({"email": "b@example.com", "role": "api_owner"}));
        body.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        let field = format!("/{}", place.as_object().unwrap().keys().next().unwrap());
        assert_eq!(invite(&bench, &owner, &body).await.faults(), [(field.as_str(), "not_allowed")]);
    }
}

#[tokio::test]
async fn places_that_are_not_there_are_refused() {
    let (bench, owner) = portal().await;
    let (acme, _) = bench.organisation("Acme", 0).await;
    let (_, others) = bench.organisation("Other", 0).await;
    let cases = [
        (json!({"organisation_id": "org_01kf0ev11gzqq463a0qnbxxtp1"}), ("/organisation_id", "unknown_organisation")),
        (json!({"organisation_id": acme, "team_ids": [others[0]]}), ("/team_ids", "unknown_team")),
        (
            json!({"organisation_id": acme, "team_ids": ["team_01kf0ev11gzqq463a0qnbxxtp1"]}),
            ("/team_ids", "unknown_team"),
        ),
        (json!({"team_ids": ["sales"]}), ("/team_ids/0", "unknown_team")),
    ];
    for (place, fault) in cases {
        let reply = invite(&bench, &owner, &ada(place.clone())).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![fault]), "{place}");
    }
    assert!(known(&bench, "ada@example.com").await.is_none());
}

#[tokio::test]
async fn a_second_invitation_names_the_first_while_it_waits() {
    let (bench, owner) = portal().await;
    let first = invite(&bench, &owner, &ada(json!({}))).await;

    let second = invite(&bench, &owner, &ada(json!({}))).await;

    assert_eq!((second.status, second.problem()), (409, "invitation-pending"));
    assert_eq!(second.body["invitation_id"], first.body["id"]);
    bench.advance(SignedDuration::from_hours(7 * 24));
    let owner = bench.sign_in(&owner.user).await;
    assert_eq!(invite(&bench, &owner, &ada(json!({}))).await.problem(), "email-taken");
    assert_eq!(bench.rows_in("INVITATION#").await.len(), 1);
}

#[tokio::test]
async fn a_registered_address_is_taken_whatever_became_of_its_account() {
    let (bench, owner) = portal().await;
    for status in Status::ALL {
        let address = format!("{}@example.com", status.as_str());
        bench.person(&address, Role::TeamMember, status).await;
        let reply = invite(&bench, &owner, &ada(json!({"email": address}))).await;
        assert_eq!((reply.status, reply.problem()), (409, "email-taken"), "{status:?}");
    }
    assert!(bench.rows_in("INVITATION#").await.is_empty());
}

#[tokio::test]
async fn every_fault_of_a_body_is_named() {
    let (bench, owner) = portal().await;
    let body =
        json!({"email": "ada", "first_name": "", "role": "boss", "organisation_id": 7, "team_ids": "all", "x": 1});

    let reply = invite(&bench, &owner, &body).await;

    let expected = [
        ("/email", "invalid_email"),
        ("/first_name", "invalid_name"),
        ("/last_name", "required"),
        ("/role", "unknown_choice"),
        ("/team_ids", "not_a_list"),
        ("/organisation_id", "not_a_string"),
        ("/x", "unknown_field"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
}

#[tokio::test]
async fn rights_come_before_the_body() {
    let (bench, owner) = portal().await;
    let member = bench.signed_in("member@example.com", Role::TeamMember).await;
    let nonsense = json!({"nonsense": true});

    let refused = invite(&bench, &member, &nonsense).await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    let stranger = send(&bench, Sample::of("invite-create").body(&nonsense)).await;
    assert_eq!((stranger.status, stranger.problem()), (401, "unauthenticated"));
    assert_eq!(invite(&bench, &owner, &nonsense).await.status, 422);
}

#[tokio::test]
async fn without_a_sender_nobody_is_invited() {
    let (bench, owner) = portal().await;
    bench.set(|settings| settings.sender = None).await;

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    assert_eq!((reply.status, reply.problem()), (409, "mail-not-configured"));
}

#[tokio::test]
async fn the_audit_tells_of_it_without_name_or_address() {
    let (bench, owner) = portal().await;

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["target"] == reply.body["id"]);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["action"], &events[0]["after"]["user_id"]),
        (&json!("invitation.created"), &reply.body["user_id"])
    );
    let event = events[0].to_string();
    assert!(["example.com", "Ada", "Lovelace"].into_iter().all(|word| !event.contains(word)), "{event}");
}

#[tokio::test]
async fn an_invitation_works_as_long_as_the_setting_says() {
    let (bench, owner) = portal().await;
    bench.set(|settings| settings.invitation_days = 2).await;

    let reply = invite(&bench, &owner, &ada(json!({}))).await;

    assert_eq!(reply.body["expires_at"], json!(bench.now() + SignedDuration::from_hours(48)));
}

/// Invites an address; returns the invitation and the token that was mailed for it.
pub(crate) async fn invited(bench: &Bench, caller: &SignedIn, body: &Value) -> (Value, String) {
    let reply = invite(bench, caller, body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let token = bench.token(reply.body["email"].as_str().unwrap()).await;
    (reply.body, token)
}
