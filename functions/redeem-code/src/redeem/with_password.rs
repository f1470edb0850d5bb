//! Redeeming where addresses are not confirmed: the slot is taken with the row and given back with it.

use harness::{Bench, CODE, Fault, PASSWORD, Reply};
use jiff::SignedDuration;
use serde_json::json;
use shared::{
    domain::{
        email::MailDomain,
        user::{Role, Status},
    },
    store::Stage,
};

use super::tests::{body, known, person, redeem, send};

const ADA: &str = "ada@example.com";

async fn portal() -> Bench {
    let bench = Bench::new().await;
    bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
    bench.set(|settings| settings.email_confirmation = false).await;
    bench.invite_code(CODE, |code| code.quota = Some(2)).await;
    bench.invite_code("WITH-APPROVAL", |code| code.auto_approve = false).await;
    bench
}

async fn with_password(bench: &Bench, code: &str, password: &str) -> Reply {
    let mut body = body(code, ADA);
    body["password"] = json!(password);
    send(bench, &body).await
}

#[tokio::test]
async fn the_code_decides_whether_the_person_is_in_at_once_or_waits() {
    for (code, next, status, mails, told) in [
        (CODE, "log_in", Status::Active, vec!["welcome"], vec!["welcome"]),
        ("WITH-APPROVAL", "await_approval", Status::Pending, vec![], vec!["welcome", "registration_pending"]),
    ] {
        let bench = portal().await;

        let reply = with_password(&bench, code, PASSWORD).await;

        assert_eq!((reply.status, &reply.body), (202, &json!({"next": next})));
        let user = person(&bench, ADA).await;
        assert_eq!((user.status, user.identity_due), (status, None));
        assert_eq!(user.redemption.unwrap().confirmed_at, Some(bench.now()));
        assert_eq!(known(&bench, ADA).await.unwrap().stage, Stage::Settled);
        assert_eq!(bench.used(code).await, 1);
        assert_eq!(bench.mail_events(ADA).await, mails);
        assert_eq!(bench.mail_events("owner@example.com").await, told);
    }
}

#[tokio::test]
async fn settings_that_approve_let_in_whom_the_code_would_let_wait_and_tell_of_no_address() {
    let bench = portal().await;
    bench.set(|settings| settings.auto_approve_domains = vec![MailDomain::parse("example.com").unwrap()]).await;

    let mut replies = Vec::new();
    for _ in 0..2 {
        replies.push(with_password(&bench, "WITH-APPROVAL", PASSWORD).await);
        bench.advance(SignedDuration::from_millis(1));
    }

    for reply in replies {
        assert_eq!((reply.status, reply.body), (202, json!({"next": "log_in"})));
    }
    assert_eq!(person(&bench, ADA).await.status, Status::Active);
    assert_eq!(bench.mail_events(ADA).await, ["welcome", "already_registered"]);
    assert_eq!(bench.mail_events("owner@example.com").await, ["welcome"]);
}

#[tokio::test]
async fn a_password_is_needed_and_judged_before_a_slot_is_taken() {
    let bench = portal().await;

    assert_eq!(redeem(&bench, CODE, ADA).await.faults(), [("/password", "required")]);
    let reply = with_password(&bench, CODE, "lovelace1").await;
    assert_eq!(reply.faults(), [("/password", "password_too_short"), ("/password", "password_tells_name")]);
    assert_eq!(bench.used(CODE).await, 0);
}

#[tokio::test]
async fn what_cognito_refuses_gives_the_slot_back() {
    let bench = portal().await;
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);

    let reply = with_password(&bench, CODE, PASSWORD).await;

    assert_eq!(reply.faults(), [("/password", "password_refused")]);
    assert_eq!(bench.used(CODE).await, 0);
    assert!(known(&bench, ADA).await.is_none());
    assert_eq!((with_password(&bench, CODE, PASSWORD).await.status, bench.used(CODE).await), (202, 1));
}

#[tokio::test]
async fn a_code_deleted_or_created_anew_meanwhile_gets_no_slot_back_and_keeps_nobody() {
    for anew in [false, true] {
        let bench = std::sync::Arc::new(portal().await);
        let (delete, then) = (bench.delete_code(&bench.code(CODE).await.unwrap()), bench.clone());
        // As the owner would find it after the first step.
        let meanwhile = async move {
            drop(delete);
            then.delete_code(&then.code(CODE).await.unwrap()).await;
            if anew {
                then.invite_code(CODE, |code| code.used = 7).await;
            }
        };
        bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);
        let refused = Fault::refused("InvalidPasswordException", "no");
        bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);

        let reply = with_password(&bench, CODE, PASSWORD).await;

        assert_eq!(reply.faults(), [("/password", "password_refused")]);
        assert!(known(&bench, ADA).await.is_none());
        assert_eq!(bench.code(CODE).await.map(|code| code.used), anew.then_some(7));
    }
}

#[tokio::test]
async fn contention_at_the_last_step_gives_the_slot_back() {
    let bench = portal().await;
    let calls = std::sync::Arc::clone(bench.services.calls());
    let meanwhile = async move { calls.fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9)) };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    let first = with_password(&bench, CODE, PASSWORD).await;

    assert_eq!((first.status, first.problem(), bench.used(CODE).await), (503, "try-again", 0));
    assert_eq!((with_password(&bench, CODE, PASSWORD).await.status, bench.used(CODE).await), (202, 1));
}

#[tokio::test]
async fn a_known_address_gets_the_same_answer_and_no_slot() {
    for code in [CODE, "WITH-APPROVAL"] {
        let bench = portal().await;
        let first = with_password(&bench, code, PASSWORD).await;

        let second = with_password(&bench, code, "another fine one").await;

        assert_eq!((second.status, second.body), (first.status, first.body));
        assert_eq!((bench.used(code).await, bench.rows_in("USER#").await.len()), (1, 2));
        assert!(bench.mail_events(ADA).await.contains(&"already_registered".to_owned()));
    }
}

#[tokio::test]
async fn an_account_just_being_made_is_told_to_wait() {
    let bench = portal().await;
    let code = bench.code(CODE).await.unwrap();
    let new = shared::http::Applicant {
        email: harness::email(ADA),
        first_name: shared::domain::name::Name::given("Ada"),
        last_name: shared::domain::name::Name::given("Lovelace"),
        password: None,
        attributes: serde_json::Map::new(),
    };
    let place = shared::domain::organisation::Placement::default_place();
    let start = shared::domain::user::Start::Becoming(Status::Active);
    let new = new.team_member(place, shared::domain::user::Source::InviteCode, start);
    bench.store.begin_redemption(&code, new, &bench.origin()).await.unwrap();

    let reply = with_password(&bench, CODE, PASSWORD).await;

    assert_eq!((reply.status, reply.problem(), bench.used(CODE).await), (503, "try-again", 1));
}
