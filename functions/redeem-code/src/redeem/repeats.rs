//! Redemptions that are sent again with the same `Idempotency-Key`.

use harness::{Bench, CODE, Creating, Fault, PASSWORD, Reply, Sample, assert_replays, is_replay};
use serde_json::{Value, json};
use shared::domain::user::Role;

use super::{
    tests::{app, body, person},
    *,
};
use crate::router;

fn number(number: usize) -> Value {
    body(CODE, &format!("person{number}@example.com"))
}

fn keyed(body: &Value) -> Sample {
    Sample::of("redeem-code-redeem").body(body).header("idempotency-key", "k")
}

async fn redeem(bench: &Bench, body: &Value) -> Reply {
    keyed(body).send(router(app(bench))).await
}

#[tokio::test]
async fn a_repeat_takes_no_second_slot() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    let ask = |n| Sample::of("redeem-code-redeem").body(&number(n));

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 202 }.is_repeatable().await;

    let people = bench.rows_in("USER#").await.len();
    assert_eq!(bench.used(CODE).await, u64::try_from(people).unwrap());
}

#[tokio::test]
async fn a_repeat_for_a_known_address_mails_its_holder_once() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    for n in 0..9 {
        bench.person(&format!("person{n}@example.com"), Role::TeamMember, Status::Active).await;
    }
    let ask = |n| Sample::of("redeem-code-redeem").body(&number(n));

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 202 }.is_repeatable().await;

    assert_eq!(bench.used(CODE).await, 0);
    assert_eq!(bench.mail_events("person2@example.com").await, ["welcome", "already_registered"]);
}

#[tokio::test]
async fn a_repeat_with_a_password_takes_no_second_slot() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.email_confirmation = false).await;
    bench.invite_code(CODE, |_| {}).await;
    let ask = |n| {
        let mut body = number(n);
        body["password"] = json!(PASSWORD);
        Sample::of("redeem-code-redeem").body(&body)
    };

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 202 }.is_repeatable().await;

    let people = bench.rows_in("USER#").await.len();
    assert_eq!(bench.used(CODE).await, u64::try_from(people).unwrap());
    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
}

#[tokio::test]
async fn whoever_took_the_last_slot_is_not_told_that_it_is_gone() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(1)).await;

    let first = redeem(&bench, &number(0)).await;

    assert_eq!(first.status, 202);
    assert_replays(&redeem(&bench, &number(0)).await, &first);
    bench.change_code(CODE, |code| code.active = false).await;
    assert_replays(&redeem(&bench, &number(0)).await, &first);
    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn of_two_equal_requests_for_the_last_slot_one_takes_it_and_both_are_told_so() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(1)).await;
    let (rival, same) = (router(app(&bench)), keyed(&number(0)));
    let meanwhile = async move { assert_eq!(same.send(rival).await.status, 202) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let second = redeem(&bench, &number(0)).await;

    assert!(second.status == 202 && is_replay(&second), "{second:?}");
    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn a_repeat_finishes_a_redemption_that_was_cut_off_and_an_undone_one_leaves_no_record() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.email_confirmation = false).await;
    bench.invite_code(CODE, |code| code.quota = Some(1)).await;
    let mut body = number(0);
    body["password"] = json!(PASSWORD);
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);
    assert_eq!(redeem(&bench, &body).await.status, 422);
    assert!(bench.rows_in("RECORD#").await.is_empty());
    let lost = Fault::refused("AccessDeniedException", "instead of the answer").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);
    assert_eq!(redeem(&bench, &body).await.status, 500);

    let repeat = redeem(&bench, &body).await;

    assert_eq!((repeat.status, &repeat.body), (202, &json!({"next": "log_in"})));
    assert!(is_replay(&repeat));
    assert_eq!(person(&bench, "person0@example.com").await.status, Status::Active);
    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn a_repeat_of_what_is_done_is_not_judged_by_newer_rules() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.email_confirmation = false).await;
    bench.invite_code(CODE, |_| {}).await;
    let mut body = number(0);
    body["password"] = json!(PASSWORD);
    let first = redeem(&bench, &body).await;
    assert_eq!(first.status, 202);
    bench.set(|settings| settings.password_policy.min_length = 100).await;

    assert_replays(&redeem(&bench, &body).await, &first);
}
