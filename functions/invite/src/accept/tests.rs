//! Looking at an invitation, and accepting it.

use axum::Router;
use harness::{Bench, Fault, PASSWORD, Reply, Sample, email};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{ids::UserId, user::Role},
    store::Stage,
};

use super::*;
use crate::{
    create::tests::{acme, ada, app, invited, known, portal, send},
    router,
};

pub(crate) fn app_router(bench: &Bench) -> Router {
    router(app(bench))
}

pub(crate) async fn accept(bench: &Bench, token: &str, password: &str) -> Reply {
    send(bench, Sample::of("invite-accept").body(&json!({"token": token, "password": password}))).await
}

pub(crate) async fn preview(bench: &Bench, token: &str) -> Reply {
    send(bench, Sample::of("invite-preview").body(&json!({"token": token}))).await
}

pub(crate) async fn person(bench: &Bench, invitation: &Value) -> User {
    bench.read(&UserId::parse(invitation["user_id"].as_str().unwrap()).unwrap()).await
}

async fn signs_in(bench: &Bench, address: &str, password: &str) -> bool {
    let user_id = known(bench, address).await.unwrap().user_id;
    bench.identity.log_in(Some(&user_id), 0, &Password::new(password)).await.unwrap().is_some()
}

#[tokio::test]
async fn who_accepts_is_in_at_once_with_the_password_that_they_chose() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;

    let reply = accept(&bench, &token, PASSWORD).await;

    assert_eq!((reply.status, &reply.body), (200, &json!({"next": "log_in"})));
    let user = person(&bench, &invitation).await;
    assert_eq!((user.status, user.role, user.claimed_until), (Status::Active, Role::ConsumerAdmin, None));
    let sentinel = known(&bench, "ada@example.com").await.unwrap();
    assert_eq!((sentinel.stage, sentinel.link_version, sentinel.invitation), (Stage::Settled, user.link_version, None));
    assert!(signs_in(&bench, "ada@example.com", PASSWORD).await);
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation", "welcome"]);
    let listed = send(&bench, Sample::of("invite-list").by(&owner).query("status=accepted")).await;
    assert_eq!(listed.body["items"][0]["id"], invitation["id"]);
}

#[tokio::test]
async fn accepting_takes_a_batch_a_claim_and_a_transaction_and_two_calls_of_cognito() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    let (_, token) = invited(&bench, &admin, &ada(json!({"team_ids": [teams[1]]}))).await;
    let sample = Sample::of("invite-accept").body(&json!({"token": token, "password": PASSWORD}));

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.UpdateItem",
        "Cognito.AdminCreateUser",
        "Cognito.AdminSetUserPassword",
        "DynamoDB.TransactWriteItems",
    ];
    assert_eq!(operations, expected);
    assert!(harness::write_units(&calls) <= 16, "{}", harness::write_units(&calls));
}

#[tokio::test]
async fn the_invitee_may_correct_their_names_and_the_password_is_judged_by_those() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let accept = async |password: &str| {
        let body = json!({"token": token, "password": password, "first_name": "Augusta", "last_name": "King"});
        send(&bench, Sample::of("invite-accept").body(&body)).await
    };

    assert_eq!(accept("my augusta engine").await.faults(), [("/password", "password_tells_name")]);
    assert_eq!(accept("my lovelace engine").await.status, 200);

    let user = person(&bench, &invitation).await;
    assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Augusta", "King"));
    let events = bench.rows_in("AUDIT#").await;
    let event = events.iter().find(|event| event["action"] == "invitation.accepted").unwrap();
    assert_eq!(event["changed"], json!(["user_id", "first_name", "last_name", "status"]));
    assert!(!event.to_string().contains("Augusta"));
}

#[tokio::test]
async fn an_invited_api_owner_is_counted_once_in() {
    let (bench, owner) = portal().await;
    let (_, token) = invited(&bench, &owner, &ada(json!({"role": "api_owner"}))).await;
    let active = async || bench.rows_in("OWNERS").await[0]["active"].clone();
    assert_eq!(active().await, 1);

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);

    assert_eq!(active().await, 2);
    let told = bench.store.owners_to_notify(&bench.store.settings().await.unwrap()).await.unwrap();
    assert!(told.contains(&email("ada@example.com")));
}

#[tokio::test]
async fn looking_shows_the_offer_and_uses_nothing_up() {
    let (bench, _) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let (invitation, token) = invited(&bench, &admin, &ada(json!({"team_ids": [teams[1]]}))).await;
    let before = bench.rows().await;

    let reply = preview(&bench, &token).await;

    let shown = json!({
        "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "role": "team_member",
        "organisation": {"id": acme, "name": "Acme"}, "teams": [{"id": teams[1], "name": "Acme team 1"}],
        "expires_at": invitation["expires_at"],
    });
    assert_eq!((reply.status, &reply.body), (200, &shown));
    assert_eq!(bench.rows().await, before);
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn used_expired_unknown_and_malformed_links_get_one_answer_on_both_routes() {
    let (bench, owner) = portal().await;
    let (_, used) = invited(&bench, &owner, &ada(json!({}))).await;
    accept(&bench, &used, PASSWORD).await;
    let (_, expired) = invited(&bench, &owner, &ada(json!({"email": "late@example.com"}))).await;
    bench.advance(SignedDuration::from_hours(7 * 24));
    let unknown = "A".repeat(43);
    for route in ["invite-accept", "invite-preview"] {
        let mut answers = Vec::new();
        for token in [used.as_str(), &expired, &unknown, "no token"] {
            let mut body = json!({"token": token, "password": PASSWORD});
            if route == "invite-preview" {
                body.as_object_mut().unwrap().remove("password");
            }
            let mut reply = send(&bench, Sample::of(route).body(&body)).await;
            assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"), "{route} {token}");
            reply.body["request_id"] = Value::Null;
            answers.push((reply.body, reply.headers));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{route}");
    }
}

#[tokio::test]
async fn a_link_works_until_the_last_moment() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let expires_at: jiff::Timestamp = invitation["expires_at"].as_str().unwrap().parse().unwrap();
    // `send` moves the clock by a millisecond.
    bench.advance(expires_at.duration_since(bench.now()) - SignedDuration::from_millis(2));

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_link_to_confirm_accepts_nothing() {
    let (bench, _) = portal().await;
    let new = shared::domain::user::NewUser {
        email: email("new@example.com"),
        first_name: Name::given("New"),
        last_name: Name::given("Comer"),
        role: Role::TeamMember,
        placement: Some(shared::domain::organisation::Placement::default_place()),
        source: shared::domain::user::Source::SelfRegistration,
        start: shared::domain::user::Start::As(Status::Unconfirmed),
    };
    bench.store.register(new, &bench.origin()).await.unwrap();
    let token = bench.token("new@example.com").await;

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 410);
    assert_eq!(preview(&bench, &token).await.status, 410);
}

#[tokio::test]
async fn a_refused_password_leaves_the_link_usable() {
    let (bench, owner) = portal().await;
    let (_, token) = invited(&bench, &owner, &ada(json!({}))).await;

    assert_eq!(accept(&bench, &token, "green sky").await.faults(), [("/password", "password_too_short")]);
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);
    assert_eq!(accept(&bench, &token, PASSWORD).await.faults(), [("/password", "password_refused")]);
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn every_fault_of_a_body_is_named() {
    let (bench, _) = portal().await;
    let body = json!({"token": 1, "first_name": "", "last_name": 2, "role": "api_owner"});

    let reply = send(&bench, Sample::of("invite-accept").body(&body)).await;

    let expected = [
        ("/token", "not_a_string"),
        ("/password", "required"),
        ("/first_name", "invalid_name"),
        ("/last_name", "not_a_string"),
        ("/role", "unknown_field"),
    ];
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn the_inviter_going_leaves_the_link_and_the_team_going_does_not() {
    let (bench, owner) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let (_, stays) = invited(&bench, &admin, &ada(json!({"team_ids": [teams[1]]}))).await;
    let second = ada(json!({"email": "b@example.com", "organisation_id": acme, "team_ids": [teams[2]]}));
    let (_, stops) = invited(&bench, &owner, &second).await;
    bench
        .store
        .transition(&admin.user, shared::domain::transition::Transition::Deactivate, None, &bench.origin())
        .await
        .unwrap();
    bench.erase_team(&teams[2]).await;

    assert_eq!(accept(&bench, &stays, PASSWORD).await.status, 200);
    assert_eq!(preview(&bench, &stops).await.status, 410);
    assert_eq!(accept(&bench, &stops, PASSWORD).await.status, 410);
}
