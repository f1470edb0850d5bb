//! What the endpoint does where nothing comes in between.

use harness::{Bench, PASSWORD, Reply, Sample, SignedIn, email};
use serde_json::{Value, json};
use shared::store::Opening;

use super::*;
use crate::{
    list::tests::{app, portal, send},
    router,
};

pub(crate) const ADA: &str = "ada@example.com";

pub(crate) async fn create(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
    send(bench, Sample::of("users-create").by(owner).body(body)).await
}

pub(crate) fn ada() -> Value {
    json!({"email": " Ada@Example.com", "first_name": "Ada", "last_name": " Lovelace ", "password": PASSWORD})
}

pub(crate) fn with(field: &str, value: impl serde::Serialize) -> Value {
    let mut body = ada();
    body[field] = json!(value);
    body
}

/// Logs in as the login function does.
async fn log_in(bench: &Bench, password: &str) -> Opening {
    let account = bench.store.login_facts(&email(ADA)).await.unwrap().account.unwrap();
    let tokens = bench.identity.log_in(Some(&account.user_id), 0, &Password::new(password)).await.unwrap().unwrap();
    bench.store.open_session(&account, &tokens.session, true, bench.now()).await.unwrap()
}

#[tokio::test]
async fn a_person_is_created_active_is_told_and_can_log_in() {
    let (bench, owner) = portal().await;

    let reply = send(&bench, Sample::of("users-create").by(&owner)).await;

    assert_eq!((reply.status, &reply.body["status"]), (201, &json!("active")));
    assert_eq!(log_in(&bench, "correct horse battery staple").await, Opening::Opened);
    assert_eq!(bench.mail_events(ADA).await, ["welcome"]);
    let text = bench.mails(ADA).await.remove(0).text.unwrap();
    assert!(text.contains("You can now log in") && !text.contains("correct horse"), "{text}");
}

#[tokio::test]
async fn a_person_is_created_inactive_where_nothing_is_said() {
    let (bench, owner) = portal().await;

    let reply = create(&bench, &owner, &ada()).await;

    let id = reply.body["id"].as_str().unwrap().to_owned();
    let shown = json!({
        "id": id,
        "email": ADA,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "status": "inactive",
        "role": "consumer_admin",
        "organisation": {"id": OrganisationId::default_organisation(), "name": "Default Organisation"},
        "teams": [{"id": TeamId::default_team(), "name": "Default team"}],
        "must_change_password": false,
        "source": "api_owner",
        "mail_status": "ok",
        "attributes": {},
        "created_at": bench.now(),
        "updated_at": bench.now(),
        "last_login_at": null,
    });
    assert_eq!((reply.status, &reply.body), (201, &shown));
    assert_eq!(reply.headers["location"], format!("/v1/users/{id}"));
    let read = send(&bench, Sample::of("users-read").id(&id).by(&owner)).await;
    assert_eq!(read.body, shown);
    assert_eq!(log_in(&bench, PASSWORD).await, Opening::WrongStatus(Status::Inactive));
    assert!(bench.mails(ADA).await.remove(0).text.unwrap().contains("It is not active yet"));
}

#[tokio::test]
async fn a_password_that_has_to_be_changed_opens_no_session() {
    let (bench, owner) = portal().await;
    let mut body = with("must_change_password", true);
    body["active"] = json!(true);

    let reply = create(&bench, &owner, &body).await;

    assert_eq!((reply.status, &reply.body["must_change_password"]), (201, &json!(true)));
    assert_eq!(log_in(&bench, PASSWORD).await, Opening::PasswordDue);
    assert_eq!(create(&bench, &owner, &with("must_change_password", "yes")).await.faults()[0].1, "not_a_boolean");
    let mut without = body.clone();
    without.as_object_mut().unwrap().remove("password");
    let expected = [("/active", "needs_password"), ("/must_change_password", "needs_password")];
    assert_eq!(create(&bench, &owner, &without).await.faults(), expected);
}

#[tokio::test]
async fn creating_is_a_row_a_cognito_user_and_a_state() {
    let (bench, owner) = portal().await;
    let sample = Sample::of("users-create").by(&owner);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 201);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = [
        "DynamoDB.BatchGetItem",
        "DynamoDB.TransactWriteItems",
        "Cognito.AdminCreateUser",
        "Cognito.AdminSetUserPassword",
        "DynamoDB.TransactWriteItems",
        "DynamoDB.BatchGetItem",
    ];
    assert_eq!(operations, expected);
}

#[tokio::test]
async fn the_audit_tells_of_it_without_name_or_address() {
    let (bench, owner) = portal().await;

    let reply = create(&bench, &owner, &with("active", true)).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["target"] == reply.body["id"]);
    events.sort_by_key(|event| event["action"].as_str().map(str::to_owned));
    let actions: Vec<_> = events.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["user.created", "user.password_set"]);
    assert_eq!(
        events[0]["after"],
        json!({
            "status": "inactive", "role": "consumer_admin",
            "organisation_id": "org_00000000000000000000000000", "team_ids": ["team_00000000000000000000000000"],
        })
    );
    assert_eq!(events[1]["after"], json!({"status": "active"}));
    for event in &events {
        assert_eq!(event["actor"], json!({"user": owner.user.id}));
        assert_eq!(event["request_id"], reply.headers["x-request-id"]);
        let event = event.to_string();
        assert!(["example.com", "Ada", "Lovelace", PASSWORD].into_iter().all(|word| !event.contains(word)));
    }
    assert!(bench.rows().await.iter().all(|row| !row.to_string().contains(PASSWORD)));
}

#[tokio::test]
async fn a_known_address_is_a_conflict_whatever_became_of_its_account() {
    let (bench, owner) = portal().await;
    for status in Status::ALL {
        bench.person(&format!("{}@example.com", status.as_str()), Role::TeamMember, status).await;
    }
    let people = bench.rows_in("USER#").await.len();
    for status in Status::ALL {
        let body = with("email", format!("{}@EXAMPLE.com", status.as_str()));
        let reply = create(&bench, &owner, &body).await;
        assert_eq!((reply.status, reply.problem()), (409, "email-taken"), "{status:?}");
    }
    assert_eq!(bench.rows_in("USER#").await.len(), people);
}

#[tokio::test]
async fn every_fault_of_a_body_is_named() {
    let (bench, owner) = portal().await;
    let body = json!({
        "email": "ada", "first_name": "", "password": 7, "active": "yes", "role": "api_owner",
        "organisation_id": "acme", "team_ids": "all",
    });

    let reply = create(&bench, &owner, &body).await;

    let expected = [
        ("/email", "invalid_email"),
        ("/first_name", "invalid_name"),
        ("/last_name", "required"),
        ("/password", "not_a_string"),
        ("/active", "not_a_boolean"),
        ("/organisation_id", "unknown_choice"),
        ("/team_ids", "not_a_list"),
        ("/role", "unknown_field"),
    ];
    assert_eq!((reply.status, reply.faults()), (422, expected.to_vec()));
}

#[tokio::test]
async fn the_password_is_held_to_the_policy_of_the_settings() {
    let (bench, owner) = portal().await;
    let faults = async |password: &str| {
        let reply = create(&bench, &owner, &with("password", password)).await;
        assert_eq!(reply.status, 422, "{password}");
        let faults = reply.faults().into_iter();
        faults.map(|(pointer, code)| format!("{pointer} {code}")).collect::<Vec<_>>().join(", ")
    };

    assert_eq!(faults("Lovelace1").await, "/password password_too_short, /password password_tells_name");
    assert_eq!(faults("123456789012").await, "/password password_common");
    assert_eq!(faults(" white space around ").await, "/password password_outer_space");
    bench.set(|settings| settings.password_policy.min_numerics = 3).await;
    assert_eq!(faults(PASSWORD).await, "/password password_too_few_digits");
    assert!(bench.store.login_facts(&email(ADA)).await.unwrap().account.is_none());
}

#[tokio::test]
async fn only_api_owners_create_people_and_rights_come_before_the_body() {
    let (bench, owner) = portal().await;
    let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
    let member = bench.signed_in("member@example.com", Role::TeamMember).await;
    let ask = |caller| Sample::of("users-create").by(caller).raw_body("{", "text/plain");
    for caller in [&admin, &member] {
        let reply = send(&bench, ask(caller)).await;
        assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    }
    for sample in [ask(&owner).without_token(), ask(&owner).claim("token_use", "id")] {
        let reply = send(&bench, sample).await;
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
        assert!(reply.headers.contains_key("www-authenticate"));
    }
    assert_eq!(send(&bench, ask(&owner)).await.status, 415);
    let malformed = Sample::of("users-create").by(&owner).raw_body("{", "application/json");
    assert_eq!(send(&bench, malformed).await.problem(), "malformed-json");
}
