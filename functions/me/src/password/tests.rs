use harness::{Bench, PASSWORD, Reply, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    password::Password,
    user::{Role, SessionId},
};

use crate::{App, router};

pub(super) const ADA: &str = "ada@example.com";
pub(super) const NEW: &str = "amber tractor 42!";
pub(super) const WRONG: &str = "violet tractor 43!";

pub(super) fn app(bench: &Bench) -> App {
    App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
}

pub(super) async fn ada() -> (Bench, SignedIn) {
    let bench = Bench::new().await;
    let ada = bench.signed_in(ADA, Role::TeamMember).await;
    bench.advance(SignedDuration::from_millis(1));
    (bench, ada)
}

pub(super) fn changing(caller: &SignedIn, current: &str, new: &str) -> Sample {
    Sample::of("me-password").by(caller).body(&json!({"current_password": current, "new_password": new}))
}

pub(super) async fn change(bench: &Bench, caller: &SignedIn, current: &str, new: &str) -> Reply {
    changing(caller, current, new).send(router(app(bench))).await
}

/// Whether Cognito takes the password.
pub(super) async fn is_password(bench: &Bench, caller: &SignedIn, password: &str) -> bool {
    bench.identity.log_in(Some(&caller.user.id), 0, &Password::new(password)).await.unwrap().is_some()
}

fn refused(reply: &Reply) {
    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
}

#[tokio::test]
async fn the_password_is_changed_every_session_ended_and_a_new_one_begun() {
    let (bench, ada) = ada().await;
    let elsewhere = bench.sign_in(&ada.user).await;

    let reply = change(&bench, &ada, PASSWORD, NEW).await;

    let members: Vec<_> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((reply.status, members.len()), (200, 5));
    let claims = bench.services.verify(reply.body["access_token"].as_str().unwrap()).unwrap();
    let after = bench.read(&ada.user.id).await;
    assert_eq!(
        after.sessions.keys().cloned().collect::<Vec<_>>(),
        [SessionId::new(claims["origin_jti"].as_str().unwrap())]
    );
    assert_eq!((after.link_version, after.version), (ada.user.link_version + 1, ada.user.version));
    assert!(after.claimed_until.is_none() && !after.password_change_begun);
    for old in [&ada, &elsewhere] {
        assert_eq!(change(&bench, old, NEW, PASSWORD).await.problem(), "unauthenticated");
        assert!(bench.identity.refresh(&old.refresh_token).await.unwrap().is_none());
    }
    assert!(is_password(&bench, &ada, NEW).await && !is_password(&bench, &ada, PASSWORD).await);
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"]);
    let text = bench.mails(ADA).await.remove(0).text.unwrap();
    assert!(text.contains("15 January 2026, 09:30 UTC"), "{text}");
}

#[tokio::test]
async fn changing_takes_these_calls_in_this_order() {
    let (bench, ada) = ada().await;

    let (reply, calls) = bench.calls(change(&bench, &ada, PASSWORD, NEW)).await;

    assert_eq!(reply.status, 200);
    let units = harness::write_units(&calls);
    let operations: Vec<_> = calls.into_iter().map(|call| call.operation).collect();
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.BatchGetItem",
        "Cognito.AdminInitiateAuth",
        // The first right password from this source is noted.
        "DynamoDB.UpdateItem",
        "DynamoDB.UpdateItem",
        "Cognito.AdminSetUserPassword",
        "Cognito.AdminUserGlobalSignOut",
        "DynamoDB.TransactWriteItems",
        "Cognito.AdminInitiateAuth",
        "DynamoDB.UpdateItem",
    ];
    assert_eq!(operations, expected);
    assert_eq!(units, 11);
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing_and_counts_like_a_failed_login() {
    let (bench, ada) = ada().await;
    let before = bench.read(&ada.user.id).await;

    let (reply, calls) = bench.calls(change(&bench, &ada, WRONG, NEW)).await;

    refused(&reply);
    assert!(!reply.headers.contains_key("www-authenticate"));
    assert_eq!((bench.read(&ada.user.id).await, harness::write_units(&calls)), (before, 1));
    let row = bench.rows_in("LOGINS#").await.remove(0);
    assert_eq!((&row["pk"], &row["passed_on"]), (&json!("LOGINS#ada@example.com"), &json!(1)));
}

#[tokio::test]
async fn who_guesses_too_often_waits_and_cognito_is_not_asked() {
    let (bench, ada) = ada().await;
    for _ in 0..4 {
        refused(&change(&bench, &ada, WRONG, NEW).await);
    }

    let (reply, calls) = bench.calls(change(&bench, &ada, PASSWORD, NEW)).await;

    refused(&reply);
    assert!(calls.iter().all(|call| call.operation == "DynamoDB.BatchGetItem"), "{calls:?}");
    bench.advance(SignedDuration::from_mins(15));
    assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 200);
}

#[tokio::test]
async fn a_password_that_nobody_can_have_is_a_wrong_one_and_is_not_asked_for() {
    let (bench, ada) = ada().await;
    for password in ["", &"x".repeat(257)] {
        let (reply, calls) = bench.calls(change(&bench, &ada, password, NEW)).await;

        refused(&reply);
        assert_eq!(calls.len(), 2);
    }
}

#[tokio::test]
async fn the_new_password_is_judged_and_is_another_one() {
    let (bench, ada) = ada().await;

    let telling = change(&bench, &ada, PASSWORD, "hopper at").await;
    let same = change(&bench, &ada, PASSWORD, PASSWORD).await;

    let faults = [("/new_password", "password_too_short"), ("/new_password", "password_tells_name")];
    assert_eq!(telling.faults(), faults);
    assert_eq!(same.faults(), [("/new_password", "password_unchanged")]);
    assert_eq!(change(&bench, &ada, WRONG, "short").await.status, 401, "who does not know it is told nothing more");
    let after = bench.read(&ada.user.id).await;
    assert!(after.claimed_until.is_none() && !after.password_change_begun && after.has_session(&ada.session));
    assert_eq!(change(&bench, &ada, PASSWORD, NEW).await.status, 200);
}

#[tokio::test]
async fn a_portal_without_sign_in_changes_passwords_of_api_owners_alone() {
    let (bench, ada) = ada().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    bench.set(|settings| settings.sign_in = false).await;

    let reply = change(&bench, &ada, PASSWORD, NEW).await;

    assert_eq!((reply.status, reply.problem()), (403, "portal-closed"));
    assert!(is_password(&bench, &ada, PASSWORD).await);
    assert_eq!(change(&bench, &owner, PASSWORD, NEW).await.status, 200);
}

#[tokio::test]
async fn the_caller_comes_before_the_body() {
    let (bench, ada) = ada().await;
    let garbled = || Sample::of("me-password").by(&ada).raw_body("{", "text/plain");

    for sample in [garbled().without_token(), garbled().claim("token_use", "id"), garbled().claim("origin_jti", "x")] {
        let reply = sample.send(router(app(&bench))).await;
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
    }
    assert_eq!(garbled().send(router(app(&bench))).await.status, 415);
    let send = async |body: &Value| Sample::of("me-password").by(&ada).body(body).send(router(app(&bench))).await;
    assert_eq!(send(&json!({})).await.faults(), [("/current_password", "required"), ("/new_password", "required")]);
    let more = json!({"current_password": PASSWORD, "new_password": NEW, "email": "eve@example.com"});
    assert_eq!(send(&more).await.faults(), [("/email", "unknown_field")]);
}

#[tokio::test]
async fn the_audit_names_who_changed_it_and_no_password_is_stored() {
    let (bench, ada) = ada().await;
    change(&bench, &ada, PASSWORD, NEW).await;

    let rows = bench.rows().await;
    let event = rows.iter().find(|row| row["action"] == "user.password_changed").unwrap();

    assert_eq!((&event["actor"], &event["target"]), (&json!({"user": ada.user.id}), &json!(ada.user.id)));
    assert_eq!((&event["changed"], &event["after"]), (&json!(["password"]), &json!({})));
    let rows = format!("{rows:?}");
    assert!(!rows.contains(NEW) && !rows.contains(PASSWORD));
}
