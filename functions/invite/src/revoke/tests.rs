//! Revoking.

use harness::{Bench, Fault, PASSWORD, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::{
    ids::UserId,
    user::{Role, Status},
};

use crate::{
    accept::tests::{accept, app_router},
    create::tests::{acme, ada, invite, invited, known, portal, send},
};

pub(crate) async fn revoke(bench: &Bench, caller: &SignedIn, id: &Value) -> Reply {
    send(bench, Sample::of("invite-revoke").by(caller).id(id.as_str().unwrap())).await
}

/// How many items of state are left that name somebody.
async fn traces(bench: &Bench, user_id: &Value) -> Vec<String> {
    let rows = bench.rows().await.into_iter();
    let kept = ["AUDIT#", "OUTBOX#", "LINK#", "INVITATION#", "UNFINISHED#"];
    let partitions = rows.filter(|row| row.to_string().contains(user_id.as_str().unwrap()));
    let partitions = partitions.map(|row| row["pk"].as_str().unwrap().to_owned());
    partitions.filter(|pk| !kept.iter().any(|prefix| pk.starts_with(prefix))).collect()
}

#[tokio::test]
async fn the_link_is_dead_and_whoever_came_in_by_it_is_gone() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;

    let reply = revoke(&bench, &owner, &invitation["id"]).await;

    assert_eq!((reply.status, &reply.body), (204, &Value::Null));
    assert_eq!(accept(&bench, &token, PASSWORD).await.problem(), "link-not-usable");
    assert_eq!(traces(&bench, &invitation["user_id"]).await, [""; 0]);
    let listed = send(&bench, Sample::of("invite-list").by(&owner).query("status=revoked")).await;
    assert_eq!(listed.body["items"][0]["id"], invitation["id"]);
    assert_eq!(invite(&bench, &owner, &ada(json!({}))).await.status, 201, "the address is free");
}

#[tokio::test]
async fn revoking_is_final_and_may_be_repeated() {
    let (bench, owner) = portal().await;
    let (invitation, _) = invited(&bench, &owner, &ada(json!({}))).await;
    revoke(&bench, &owner, &invitation["id"]).await;
    let before = bench.rows().await;

    assert_eq!(revoke(&bench, &owner, &invitation["id"]).await.status, 204);

    assert_eq!(bench.rows().await, before);
}

#[tokio::test]
async fn what_was_accepted_is_not_revoked() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    accept(&bench, &token, PASSWORD).await;

    let reply = revoke(&bench, &owner, &invitation["id"]).await;

    assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
    assert_eq!(reply.body["invitation_status"], "accepted");
}

#[tokio::test]
async fn an_admin_revokes_what_is_wholly_theirs() {
    let (bench, owner) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let into = async |email: &str, teams: Value| {
        invite(&bench, &owner, &ada(json!({"email": email, "organisation_id": acme, "team_ids": teams}))).await.body
    };
    let own = into("own@example.com", json!([teams[1]])).await;
    let both = into("both@example.com", json!([teams[1], teams[2]])).await;
    let other = into("other@example.com", json!([teams[2]])).await;
    bench.set(|settings| settings.consumer_admin_invitations = false).await;

    assert_eq!(revoke(&bench, &admin, &own["id"]).await.status, 204, "taking back is no inviting");
    assert_eq!(revoke(&bench, &admin, &both["id"]).await.problem(), "forbidden");
    assert_eq!(revoke(&bench, &admin, &other["id"]).await.problem(), "not-found");
}

#[tokio::test]
async fn an_invitation_of_an_address_elsewhere_is_revoked_and_its_account_stays() {
    let (bench, _) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    let settled = bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    let body = ada(json!({"email": "settled@example.com", "team_ids": [teams[1]]}));
    let invitation = invite(&bench, &admin, &body).await.body;

    assert_eq!(revoke(&bench, &admin, &invitation["id"]).await.status, 204);

    assert_eq!(bench.read(&settled.id).await, settled);
    assert_eq!(invite(&bench, &admin, &body).await.status, 201, "none waits any more");
}

#[tokio::test]
async fn an_acceptance_that_comes_first_wins() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let rival = app_router(&bench);
    let meanwhile = async move {
        let body = json!({"token": token, "password": PASSWORD});
        assert_eq!(Sample::of("invite-accept").body(&body).send(rival).await.status, 200);
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = revoke(&bench, &owner, &invitation["id"]).await;

    assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
    let user_id = UserId::parse(invitation["user_id"].as_str().unwrap()).unwrap();
    assert_eq!(bench.read(&user_id).await.status, Status::Active);
}

#[tokio::test]
async fn a_revocation_that_fails_leaves_everything() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let refused = Fault::refused("AccessDeniedException", "no");
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", refused);

    assert_eq!(revoke(&bench, &owner, &invitation["id"]).await.problem(), "internal");

    assert!(known(&bench, "ada@example.com").await.is_some());
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}
