//! Two acceptances of one link, an acceptance beside a revocation, and crashes half-way.

use harness::{Bench, Fault, PASSWORD, Sample};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::user::{Role, Status, User},
    store::{PersonChanged, Places},
};

use super::tests::{accept, app_router, person};
use crate::create::tests::{ada, invited, known, portal};

async fn cognito_users(bench: &Bench) -> usize {
    let list = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
    list.send().await.unwrap().users().len()
}

#[tokio::test]
async fn of_two_acceptances_of_one_link_at_once_one_waits_its_turn() {
    let (bench, owner) = portal().await;
    let (_, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let (rival, same) = (app_router(&bench), token.clone());
    let meanwhile = async move {
        let body = json!({"token": same, "password": "what the rival chose"});
        let reply = Sample::of("invite-accept").body(&body).send(rival).await;
        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);

    assert_eq!(accept(&bench, &token, "what the rival chose").await.status, 410);
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation", "welcome"]);
    assert_eq!(cognito_users(&bench).await, 2);
}

/// Revokes the invitation just before the next call of `operation`.
fn revoke_before(bench: &Bench, owner: &harness::SignedIn, invitation: &Value, operation: &str) {
    let sample = Sample::of("invite-revoke").by(owner).id(invitation["id"].as_str().unwrap());
    let rival = app_router(bench);
    let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 204) };
    bench.services.calls().before_next(operation, meanwhile);
}

#[tokio::test]
async fn a_revocation_that_comes_first_wins_at_every_step() {
    for operation in ["DynamoDB.UpdateItem", "Cognito.AdminCreateUser", "Cognito.AdminSetUserPassword"] {
        let (bench, owner) = portal().await;
        let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
        revoke_before(&bench, &owner, &invitation, operation);

        let reply = accept(&bench, &token, PASSWORD).await;

        assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"), "{operation}");
        assert!(known(&bench, "ada@example.com").await.is_none(), "{operation}");
        // A Cognito user that the acceptance made is remembered until the sweep has deleted it.
        assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 1, "{operation}");
        assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"], "{operation}");
    }
}

#[tokio::test]
async fn a_revocation_right_before_the_last_step_wins_too() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    // The revocation's own transaction is let through before the acceptance's is sent.
    revoke_before(&bench, &owner, &invitation, "DynamoDB.TransactWriteItems");

    let reply = accept(&bench, &token, PASSWORD).await;

    assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"));
    assert!(known(&bench, "ada@example.com").await.is_none());
}

#[tokio::test]
async fn after_a_crash_the_same_link_works_once_the_claim_has_lapsed() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let hashed = shared::domain::link::PlainToken::parse(&token).unwrap().hashed();
    let link = bench.store.link_facts(&hashed).await.unwrap().link.unwrap();
    bench.store.claim(&link, Status::Invited, bench.now()).await.unwrap();

    let at_once = accept(&bench, &token, PASSWORD).await;
    bench.advance(SignedDuration::from_secs(60));
    let later = accept(&bench, &token, PASSWORD).await;

    assert_eq!((at_once.status, later.status), (503, 200));
    assert_eq!(person(&bench, &invitation).await.status, Status::Active);
}

#[tokio::test]
async fn whatever_fails_after_the_claim_leaves_the_link_usable_at_once() {
    for operation in ["Cognito.AdminCreateUser", "Cognito.AdminSetUserPassword", "DynamoDB.TransactWriteItems"] {
        let (bench, owner) = portal().await;
        let (_, token) = invited(&bench, &owner, &ada(json!({}))).await;
        bench.services.calls().fail_next(operation, Fault::refused("AccessDeniedException", "no"));

        let reply = accept(&bench, &token, PASSWORD).await;

        assert_eq!((reply.status, reply.problem()), (500, "internal"), "{operation}");
        assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200, "{operation}");
        assert_eq!(bench.mail_events("ada@example.com").await, ["invitation", "welcome"], "{operation}");
    }
}

#[tokio::test]
async fn a_lost_answer_of_the_last_step_accepts_once() {
    let (bench, owner) = portal().await;
    let (_, token) = invited(&bench, &owner, &ada(json!({}))).await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);

    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation", "welcome"]);
}

#[tokio::test]
async fn a_lost_answer_of_the_claim_finds_its_own_claim_again() {
    let (bench, owner) = portal().await;
    let (_, token) = invited(&bench, &owner, &ada(json!({}))).await;
    bench.services.calls().fail_next("DynamoDB.UpdateItem", Fault::dropped().after());

    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);

    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn who_is_made_an_owner_while_they_accept_is_let_in_as_one_by_the_same_link() {
    let (bench, owner) = portal().await;
    let (invitation, token) = invited(&bench, &owner, &ada(json!({}))).await;
    let before = person(&bench, &invitation).await;
    let after = User { role: Role::ApiOwner, ..before.clone() }.placed(None).following(&before, bench.now());
    let (store, origin) = (bench.store.clone(), bench.origin());
    let changed = async move {
        let changed = store.change_person(&before, &before, &after, &Places::default(), false, &origin).await.unwrap();
        assert!(matches!(changed, PersonChanged::Done));
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", changed);

    let overtaken = accept(&bench, &token, PASSWORD).await;
    let accepted = accept(&bench, &token, PASSWORD).await;

    assert_eq!((overtaken.status, overtaken.problem(), accepted.status), (503, "try-again", 200));
    assert_eq!(bench.rows_in("OWNERS").await[0]["active"], 2);
}
