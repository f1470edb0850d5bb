use std::sync::Arc;

use harness::{Bench, Call, PASSWORD, Reply, Sample};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    password::Password,
    transition::Transition,
    user::{Role, SessionId, Status, User},
};

use crate::{
    forgot_password::tests::forget,
    login::tests::{app, log_in, without_password},
    router,
};

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const NEW: &str = "amber tractor 42!";

/// Somebody whose first login has to change the password.
pub(crate) async fn due(role: Role) -> (Bench, User) {
    let bench = Bench::new().await;
    let ada = bench.person(ADA, role, Status::Active).await;
    bench.overwrite(&ada.id, "must_change_password", &json!(true)).await;
    let ada = bench.read(&ada.id).await;
    (bench, ada)
}

/// The session of a login that is challenged.
pub(crate) async fn challenged(bench: &Bench) -> String {
    bench.advance(SignedDuration::from_millis(1));
    let reply = log_in(bench, ADA, PASSWORD).await;
    assert_eq!((reply.status, &reply.body["challenge"]), (200, &json!("new_password_required")));
    reply.body["session"].as_str().unwrap().to_owned()
}

pub(crate) fn answering(address: &str, session: &str, password: &str) -> Sample {
    let body = json!({"email": address, "session": session, "new_password": password});
    Sample::of("login-challenge").body(&body)
}

pub(crate) async fn answer(bench: &Bench, session: &str, password: &str) -> Reply {
    answering(ADA, session, password).send(router(app(bench))).await
}

fn refused(reply: &Reply) {
    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
}

#[tokio::test]
async fn a_password_that_has_to_be_changed_gives_a_challenge_and_no_token() {
    let (bench, ada) = due(Role::TeamMember).await;

    let reply = log_in(&bench, ADA, PASSWORD).await;

    let members: Vec<_> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((reply.status, members), (200, vec!["challenge", "session"]));
    assert_eq!(reply.body["session"].as_str().unwrap().len(), 43);
    let after = bench.read(&ada.id).await;
    assert!(after.sessions.is_empty() && after.last_login_at.is_none());
    assert_eq!(after.challenge.unwrap().expires_at, bench.now() + SignedDuration::from_mins(15));
    let rows = format!("{:?}", bench.rows().await);
    assert!(!rows.contains(reply.body["session"].as_str().unwrap()) && !rows.contains(PASSWORD));
}

#[tokio::test]
async fn another_password_gives_the_tokens_of_the_first_session() {
    let (bench, ada) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;

    let reply = answer(&bench, &session, NEW).await;

    assert_eq!(reply.status, 200, "{reply:?}");
    let claims = bench.services.verify(reply.body["access_token"].as_str().unwrap()).unwrap();
    let after = bench.read(&ada.id).await;
    let sessions: Vec<_> = after.sessions.keys().map(SessionId::as_str).collect();
    assert_eq!(sessions, [claims["origin_jti"].as_str().unwrap()]);
    assert!(!after.must_change_password && after.challenge.is_none() && after.claimed_until.is_none());
    assert_eq!((after.link_version, after.version), (ada.link_version + 1, ada.version + 1));
    let account = bench.store.login_facts(&ada.email).await.unwrap().account.unwrap();
    assert_eq!(account.link_version, after.link_version);
    assert_eq!(log_in(&bench, ADA, NEW).await.status, 200);
    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 401);
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "password_changed"]);
}

#[tokio::test]
async fn the_password_is_changed_everything_else_ended_and_only_then_there_are_tokens() {
    let (bench, _) = due(Role::TeamMember).await;
    let (reply, asked) = bench.calls(log_in(&bench, ADA, PASSWORD)).await;
    let session = reply.body["session"].as_str().unwrap();

    let (reply, calls) = bench.calls(answer(&bench, session, NEW)).await;

    assert_eq!(reply.status, 200);
    // No session is opened, the login is counted, the challenge is written.
    let update = "DynamoDB.UpdateItem";
    assert_eq!(operations(asked), ["DynamoDB.BatchGetItem", "Cognito.AdminInitiateAuth", update, update, update]);
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.UpdateItem",
        "Cognito.AdminSetUserPassword",
        "Cognito.AdminUserGlobalSignOut",
        "DynamoDB.TransactWriteItems",
        "Cognito.AdminInitiateAuth",
        "DynamoDB.UpdateItem",
    ];
    assert_eq!(harness::write_units(&calls), 10);
    assert_eq!(operations(calls), expected);
}

fn operations(calls: Vec<Call>) -> Vec<String> {
    calls.into_iter().map(|call| call.operation).collect()
}

#[tokio::test]
async fn the_audit_tells_of_the_change_and_of_no_password() {
    let (bench, ada) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;

    answer(&bench, &session, NEW).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["action"] == "user.password_changed");
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["actor"], &events[0]["target"]), (&json!("visitor"), &json!(ada.id)));
    assert_eq!(events[0]["changed"], json!(["password", "must_change_password"]));
    assert_eq!(events[0]["after"], json!({"must_change_password": false}));
    assert!(!format!("{:?}", bench.rows().await).contains(NEW));
}

#[tokio::test]
async fn a_refused_password_leaves_the_challenge_usable() {
    let (bench, _) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;

    let same = answer(&bench, &session, PASSWORD).await;
    let telling = answer(&bench, &session, "grace hopper").await;

    assert_eq!(same.faults(), [("/new_password", "password_unchanged")]);
    assert_eq!(telling.faults(), [("/new_password", "password_tells_name")]);
    assert_eq!(answer(&bench, &session, NEW).await.status, 200);
}

#[tokio::test]
async fn a_used_expired_replaced_foreign_or_invented_session_gets_the_logins_answer() {
    let (bench, _) = due(Role::TeamMember).await;
    bench.person("bob@example.com", Role::TeamMember, Status::Active).await;
    let replaced = challenged(&bench).await;
    let session = challenged(&bench).await;
    let (wrong, _) = bench.calls(log_in(&bench, "nobody@example.com", PASSWORD)).await;
    let mut answers = Vec::new();
    let mut ask = async |address: &str, session: &str| {
        answers.push(answering(address, session, NEW).send(router(app(&bench))).await.body["type"].clone());
    };
    ask(ADA, &replaced).await;
    ask(ADA, &"A".repeat(43)).await;
    ask(ADA, "no session").await;
    ask("bob@example.com", &session).await;
    ask("nobody@example.com", &session).await;
    bench.advance(SignedDuration::from_mins(15));
    ask(ADA, &session).await;
    let newest = challenged(&bench).await;
    assert_eq!(answer(&bench, &newest, NEW).await.status, 200);
    ask(ADA, &newest).await;

    assert_eq!(answers, vec![wrong.body["type"].clone(); 7]);
}

#[tokio::test]
async fn every_address_gets_the_same_answer_by_the_same_calls() {
    let (bench, _) = due(Role::TeamMember).await;
    bench.person("bob@example.com", Role::TeamMember, Status::Active).await;
    without_password(&bench).await;
    challenged(&bench).await;
    let ask = async |address: &str| {
        let sample = answering(address, &"A".repeat(43), NEW);
        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;
        (reply, operations(calls))
    };

    let known = ask(ADA).await;

    refused(&known.0);
    assert_eq!(known.1, ["DynamoDB.BatchGetItem", "DynamoDB.UpdateItem"]);
    for address in ["bob@example.com", "unconfirmed@example.com", "invited@example.com", "nobody@example.com"] {
        assert_eq!(ask(address).await, known, "{address}");
    }
}

#[tokio::test]
async fn a_portal_without_sign_in_challenges_and_changes_for_api_owners_alone() {
    let (bench, ada) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    bench.set(|settings| settings.sign_in = false).await;

    for reply in [log_in(&bench, ADA, PASSWORD).await, answer(&bench, &session, NEW).await] {
        assert_eq!((reply.status, reply.problem()), (403, "portal-closed"));
    }
    assert!(bench.read(&ada.id).await.must_change_password);
    bench.set(|settings| settings.sign_in = true).await;
    assert_eq!(answer(&bench, &session, NEW).await.status, 200);

    let (bench, _) = due(Role::ApiOwner).await;
    bench.set(|settings| settings.sign_in = false).await;
    let session = challenged(&bench).await;
    assert_eq!(answer(&bench, &session, NEW).await.status, 200);
}

#[tokio::test]
async fn who_is_switched_off_after_the_challenge_changes_nothing() {
    let (bench, ada) = due(Role::TeamMember).await;
    let session = challenged(&bench).await;
    bench.store.transition(&ada, Transition::Deactivate, None, &bench.origin()).await.unwrap();

    refused(&answer(&bench, &session, NEW).await);

    assert!(bench.identity.log_in(Some(&ada.id), 0, &Password::new(NEW)).await.unwrap().is_none());
    let again = log_in(&bench, ADA, PASSWORD).await;
    assert_eq!((again.status, again.problem()), (403, "account-inactive"));
}

#[tokio::test]
async fn what_changes_while_the_challenge_is_posed_decides() {
    let changes = [
        ("status", json!("inactive"), (403, "account-inactive")),
        ("link_version", json!(99), (401, "invalid-credentials")),
        ("must_change_password", json!(false), (401, "invalid-credentials")),
    ];
    for (attribute, value, expected) in changes {
        let (bench, ada) = due(Role::TeamMember).await;
        challenged(&bench).await;
        let posed = bench.read(&ada.id).await.challenge;
        let meanwhile = bench.overwrite(&ada.id, attribute, &value);
        let calls = Arc::clone(bench.services.calls());
        // The first update looks for a session to open, the second writes the challenge.
        let then = async move { calls.before_next("DynamoDB.UpdateItem", meanwhile) };
        bench.services.calls().before_next("DynamoDB.UpdateItem", then);

        let reply = log_in(&bench, ADA, PASSWORD).await;

        assert_eq!((reply.status, reply.problem()), expected, "{attribute}");
        assert_eq!(bench.read(&ada.id).await.challenge, posed, "{attribute}");
        assert_eq!(bench.services.calls().outstanding(), 0);
    }
}

#[tokio::test]
async fn a_challenge_counts_only_for_the_version_and_the_flag_that_it_was_posed_for() {
    for (attribute, value) in [("link_version", json!(99)), ("must_change_password", json!(false))] {
        let (bench, ada) = due(Role::TeamMember).await;
        let session = challenged(&bench).await;
        bench.overwrite(&ada.id, attribute, &value).await;

        refused(&answer(&bench, &session, NEW).await);

        assert!(bench.identity.log_in(Some(&ada.id), 0, &Password::new(NEW)).await.unwrap().is_none(), "{attribute}");
    }
}

#[tokio::test]
async fn a_link_to_another_password_is_void_once_the_challenge_is_answered() {
    let (bench, _) = due(Role::TeamMember).await;
    forget(&bench, ADA).await;
    let token = bench.token(ADA).await;
    let session = challenged(&bench).await;
    answer(&bench, &session, NEW).await;

    let body = json!({"token": token, "password": "grey tractor 42!"});
    let reply = Sample::of("login-reset-password").body(&body).send(router(app(&bench))).await;

    assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"));
}

#[tokio::test]
async fn the_fields_are_needed_and_no_other_is_taken() {
    let bench = Bench::new().await;
    let send = async |body: &Value| Sample::of("login-challenge").body(body).send(router(app(&bench))).await;

    let missing = send(&json!({})).await;
    let wrong = send(&json!({"email": "ada", "session": 1, "new_password": [], "challenge": "x"})).await;

    assert_eq!(missing.faults(), [("/email", "required"), ("/session", "required"), ("/new_password", "required")]);
    let expected = [
        ("/email", "invalid_email"),
        ("/session", "not_a_string"),
        ("/new_password", "not_a_string"),
        ("/challenge", "unknown_field"),
    ];
    assert_eq!(wrong.faults(), expected);
}
