//! Confirming: the good case, every refusal, every race.

use harness::{Bench, Fault, PASSWORD, Reply, Sample, email};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{email::MailDomain, settings::Settings, user::Role},
    store::{Claim, Sentinel, Stage},
};

use super::*;
use crate::{
    register::tests::{ada, app, register},
    router,
};

async fn confirm(bench: &Bench, token: &str, password: &str) -> Reply {
    let body = json!({"token": token, "password": password});
    Sample::of("register-confirm").body(&body).send(router(app(bench))).await
}

/// A portal with an owner and a registration, and the token that was mailed for it.
async fn registered() -> (Bench, String) {
    let bench = Bench::new().await;
    bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
    register(&bench, &ada()).await;
    let token = bench.token("ada@example.com").await;
    (bench, token)
}

async fn known(bench: &Bench) -> Sentinel {
    bench.store.registration_facts(&email("ada@example.com")).await.unwrap().known.unwrap()
}

async fn can_sign_in(bench: &Bench, password: &str) -> bool {
    let user_id = known(bench).await.user_id;
    bench.identity.log_in(Some(&user_id), 0, &Password::new(password)).await.unwrap().is_some()
}

#[tokio::test]
async fn a_confirmed_registration_waits_and_the_owners_are_told() {
    let (bench, token) = registered().await;

    let reply = confirm(&bench, &token, PASSWORD).await;

    assert_eq!((reply.status, &reply.body), (200, &json!({"next": "await_approval"})));
    let known = known(&bench).await;
    let user = bench.read(&known.user_id).await;
    assert_eq!((user.status, user.claimed_until), (Status::Pending, None));
    assert_eq!((known.stage, known.link_version), (Stage::Settled, user.link_version));
    assert!(can_sign_in(&bench, PASSWORD).await);
    assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
}

#[tokio::test]
async fn the_settings_at_the_confirmation_say_whether_it_waits() {
    let approve = |settings: &mut Settings, domain: Option<&str>| {
        settings.auto_approve = domain.is_none();
        settings.auto_approve_domains = domain.map(|domain| MailDomain::parse(domain).unwrap()).into_iter().collect();
    };
    for (domain, next, status) in [
        (None, "log_in", Status::Active),
        (Some("example.com"), "log_in", Status::Active),
        (Some("example.org"), "await_approval", Status::Pending),
    ] {
        let (bench, token) = registered().await;
        bench.set(|settings| approve(settings, domain)).await;

        let reply = confirm(&bench, &token, PASSWORD).await;

        assert_eq!((reply.status, &reply.body), (200, &json!({"next": next})));
        assert_eq!(bench.read(&known(&bench).await.user_id).await.status, status);
        let told = bench.mail_events("owner@example.com").await;
        let mails = bench.mail_events("ada@example.com").await;
        if status == Status::Active {
            assert_eq!(
                (mails, told),
                (vec!["confirm_registration".into(), "welcome".into()], vec!["welcome".to_owned()])
            );
        } else {
            assert_eq!((mails.len(), told.len()), (1, 2));
        }
    }
}

#[tokio::test]
async fn the_addresses_of_the_settings_are_told_instead_each_in_a_mail_of_its_own() {
    let (bench, token) = registered().await;
    let set = vec![email("one@example.com"), email("two@example.com")];
    bench.set(|settings| settings.owner_notification_addresses = set).await;

    confirm(&bench, &token, PASSWORD).await;

    let mails = bench.mails("one@example.com").await;
    assert_eq!(mails.first().unwrap().to, "one@example.com");
    assert_eq!(bench.mail_events("two@example.com").await, ["registration_pending"]);
    assert_eq!(bench.mail_events("owner@example.com").await, ["welcome"]);
}

#[tokio::test]
async fn confirming_takes_a_batch_a_claim_and_a_transaction_and_two_calls_of_cognito() {
    let (bench, token) = registered().await;

    let (reply, calls) = bench.calls(confirm(&bench, &token, PASSWORD)).await;

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
    assert!(harness::write_units(&calls) <= 14);
}

#[tokio::test]
async fn a_refused_password_leaves_the_link_usable() {
    let (bench, token) = registered().await;

    let reply = confirm(&bench, &token, "ada lovelace").await;

    assert_eq!(reply.faults(), [("/password", "password_tells_name")]);
    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_password_that_cognito_refuses_leaves_the_link_usable() {
    let (bench, token) = registered().await;
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);

    assert_eq!(confirm(&bench, &token, PASSWORD).await.faults(), [("/password", "password_refused")]);
    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn cognito_being_down_leaves_the_link_usable() {
    let (bench, token) = registered().await;
    let refused = Fault::refused("AccessDeniedException", "no");
    bench.services.calls().fail_next("Cognito.AdminCreateUser", refused);

    let reply = confirm(&bench, &token, PASSWORD).await;

    assert_eq!((reply.status, reply.problem()), (500, "internal"));
    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_of_the_claim_finds_its_own_claim_again() {
    let (bench, token) = registered().await;
    bench.services.calls().fail_next("DynamoDB.UpdateItem", Fault::dropped().after());

    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);

    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn a_link_works_once() {
    let (bench, token) = registered().await;
    confirm(&bench, &token, PASSWORD).await;

    let again = confirm(&bench, &token, "another password of mine").await;

    assert_eq!((again.status, again.problem()), (410, "link-not-usable"));
    assert!(can_sign_in(&bench, PASSWORD).await);
}

#[tokio::test]
async fn unknown_malformed_expired_and_replaced_links_get_one_answer() {
    let (bench, token) = registered().await;
    let strip = |mut reply: Reply| {
        assert_eq!((reply.status, reply.problem()), (410, "link-not-usable"));
        reply.body["request_id"] = Value::Null;
        (reply.body, reply.headers)
    };
    let body = json!({"email": "ada@example.com"});
    Sample::of("register-resend").body(&body).send(router(app(&bench))).await;

    let replaced = strip(confirm(&bench, &token, PASSWORD).await);
    let unknown = strip(confirm(&bench, &"A".repeat(43), PASSWORD).await);
    let malformed = strip(confirm(&bench, "no token", PASSWORD).await);
    let newest = bench.token("ada@example.com").await;
    bench.advance(SignedDuration::from_hours(7 * 24));
    let expired = strip(confirm(&bench, &newest, PASSWORD).await);

    assert!(unknown == replaced && malformed == replaced && expired == replaced);
}

#[tokio::test]
async fn a_link_works_until_the_last_moment_of_its_seven_days() {
    let (bench, token) = registered().await;
    bench.advance(SignedDuration::from_hours(7 * 24) - SignedDuration::from_millis(1));

    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn two_links_of_one_version_both_work_until_one_is_used() {
    let (bench, first) = registered().await;
    register(&bench, &ada()).await;
    let second = bench.token("ada@example.com").await;
    assert_ne!(first, second);

    assert_eq!(confirm(&bench, &first, PASSWORD).await.status, 200);
    assert_eq!(confirm(&bench, &second, PASSWORD).await.status, 410);
}

#[tokio::test]
async fn of_two_confirmations_at_once_one_waits_its_turn() {
    let (bench, token) = registered().await;
    let (rival, same) = (app(&bench), token.clone());
    let meanwhile = async move {
        let body = json!({"token": same, "password": "what the rival chose"});
        let reply = Sample::of("register-confirm").body(&body).send(router(rival)).await;
        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);

    assert!(can_sign_in(&bench, PASSWORD).await && !can_sign_in(&bench, "what the rival chose").await);
    assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
}

#[tokio::test]
async fn after_a_crash_the_same_link_works_once_the_claim_has_lapsed() {
    let (bench, token) = registered().await;
    let link = bench.store.link_facts(&PlainToken::parse(&token).unwrap().hashed()).await.unwrap().link.unwrap();
    let Claim::Yours(user) = bench.store.claim(&link, Status::Unconfirmed, bench.now()).await.unwrap() else {
        panic!("not claimed")
    };
    bench.identity.establish(&user.id, &user.email, &Password::new("chosen before the crash")).await.unwrap();

    let at_once = confirm(&bench, &token, PASSWORD).await;
    bench.advance(SignedDuration::from_secs(60));
    let later = confirm(&bench, &token, PASSWORD).await;

    assert_eq!((at_once.status, later.status), (503, 200));
    assert!(can_sign_in(&bench, PASSWORD).await);
}

#[tokio::test]
async fn a_registration_deleted_meanwhile_is_a_dead_link() {
    let (bench, token) = registered().await;
    let user = bench.read(&known(&bench).await.user_id).await;
    bench.advance(SignedDuration::from_hours(6 * 24));
    bench.store.delete_unconfirmed(&user, bench.now(), &bench.origin()).await.unwrap();

    assert_eq!(confirm(&bench, &token, PASSWORD).await.problem(), "link-not-usable");
}

#[tokio::test]
async fn both_fields_are_needed() {
    let (bench, _) = registered().await;

    let reply = Sample::of("register-confirm").body(&json!({})).send(router(app(&bench))).await;

    assert_eq!(reply.faults(), [("/token", "required"), ("/password", "required")]);
}

#[tokio::test]
async fn contention_at_the_last_step_does_not_hold_the_link() {
    let (bench, token) = registered().await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9));

    let first = confirm(&bench, &token, PASSWORD).await;

    assert_eq!((first.status, first.problem()), (503, "try-again"));
    assert_eq!(confirm(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_link_that_is_replaced_while_it_is_used_is_dead_and_the_new_one_works_at_once() {
    let (bench, token) = registered().await;
    let rival = app(&bench);
    let meanwhile = async move {
        let body = json!({"email": "ada@example.com"});
        assert_eq!(Sample::of("register-resend").body(&body).send(router(rival)).await.status, 202);
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    let late = confirm(&bench, &token, PASSWORD).await;

    assert_eq!((late.status, late.problem()), (410, "link-not-usable"));
    let newest = bench.token("ada@example.com").await;
    assert_eq!(confirm(&bench, &newest, PASSWORD).await.status, 200);
}
