//! Registrations that are sent again with the same `Idempotency-Key`.

use harness::{Bench, Creating, Fault, PASSWORD, Reply, Sample, assert_replays, email, is_replay};
use serde_json::{Value, json};
use shared::domain::user::Role;

use super::{
    tests::{ada, app},
    *,
};
use crate::router;

fn keyed(body: &Value) -> Sample {
    Sample::of("register-register").body(body).header("idempotency-key", "k")
}

async fn register(bench: &Bench, body: &Value) -> Reply {
    keyed(body).send(router(app(bench))).await
}

fn person(number: usize, password: Option<&str>) -> Value {
    let email = format!("person{number}@example.com");
    json!({"email": email, "first_name": "Ada", "last_name": "Lovelace", "password": password})
}

/// A portal in which an API Owner hears of registrations with a password.
async fn without_confirmation() -> Bench {
    let bench = Bench::new().await;
    bench.person("owner@example.com", Role::ApiOwner, Status::Active).await;
    bench.set(|settings| settings.email_confirmation = false).await;
    bench
}

#[tokio::test]
async fn a_repeat_registers_nobody_more_and_mails_nobody_more() {
    let bench = Bench::new().await;
    let ask = |number| Sample::of("register-register").body(&person(number, None));

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 202 }.is_repeatable().await;

    assert_eq!(bench.mail_events("person2@example.com").await, ["confirm_registration"]);
}

#[tokio::test]
async fn a_repeat_for_a_known_address_mails_its_holder_once() {
    let bench = Bench::new().await;
    for number in 0..9 {
        bench.person(&format!("person{number}@example.com"), Role::TeamMember, Status::Active).await;
    }
    let ask = |number| Sample::of("register-register").body(&person(number, None));

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 202 }.is_repeatable().await;

    assert_eq!(bench.mail_events("person2@example.com").await, ["welcome", "already_registered"]);
}

#[tokio::test]
async fn a_repeat_with_a_password_registers_nobody_more_for_a_new_address_or_a_known_one() {
    for known in [false, true] {
        let bench = without_confirmation().await;
        for number in 0..9 {
            if known {
                bench.person(&format!("person{number}@example.com"), Role::TeamMember, Status::Active).await;
            }
        }
        let ask = |number| Sample::of("register-register").body(&person(number, Some(PASSWORD)));

        Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 202 }.is_repeatable().await;

        assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
    }
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_answers_by_the_same_calls_at_the_first_and_at_the_repeat() {
    let bench = Bench::new().await;
    bench.person("person0@example.com", Role::TeamMember, Status::Active).await;
    let ask = async |number: usize| {
        let sample = || keyed(&person(number, None)).from_source(&format!("203.0.113.{number}"));
        let both = async { [sample().send(router(app(&bench))).await, sample().send(router(app(&bench))).await] };
        let (replies, calls) = bench.calls(both).await;
        (replies, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
    };

    let (known, unknown) = (ask(0).await, ask(1).await);

    assert_eq!(known, unknown);
    assert_eq!(known.1.len(), 3);
    assert!(is_replay(&known.0[1]));
}

#[tokio::test]
async fn a_repeat_finishes_a_registration_that_was_cut_off_after_the_row() {
    let bench = without_confirmation().await;
    let lost = Fault::refused("AccessDeniedException", "instead of the answer").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);
    assert_eq!(register(&bench, &person(0, Some(PASSWORD))).await.status, 500);

    let repeat = register(&bench, &person(0, Some(PASSWORD))).await;

    assert_eq!((repeat.status, &repeat.body), (202, &json!({"next": "await_approval"})));
    assert!(is_replay(&repeat));
    let known = bench.store.registration_facts(&email("person0@example.com")).await.unwrap().known.unwrap();
    assert_eq!(bench.read(&known.user_id).await.status, Status::Pending);
    assert_eq!(bench.mail_events("owner@example.com").await, ["welcome", "registration_pending"]);
}

#[tokio::test]
async fn a_password_that_cognito_refuses_leaves_no_record() {
    let bench = without_confirmation().await;
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);
    assert_eq!(register(&bench, &person(0, Some(PASSWORD))).await.status, 422);
    assert!(bench.rows_in("RECORD#").await.is_empty());

    let mended = register(&bench, &person(0, Some("another fine tractor"))).await;

    assert!(mended.status == 202 && !is_replay(&mended), "{mended:?}");
}

#[tokio::test]
async fn a_key_from_another_source_is_another_key() {
    let bench = Bench::new().await;
    let first = register(&bench, &ada()).await;

    let elsewhere = keyed(&ada()).from_source("203.0.113.99").send(router(app(&bench))).await;

    assert!(elsewhere.status == first.status && !is_replay(&elsewhere), "{elsewhere:?}");
    assert_replays(&register(&bench, &ada()).await, &first);
}

#[tokio::test]
async fn a_repeat_is_answered_also_where_registration_has_been_closed_since() {
    let bench = Bench::new().await;
    let first = register(&bench, &ada()).await;
    bench.set(|settings| settings.self_registration = false).await;

    assert_replays(&register(&bench, &ada()).await, &first);
}

#[tokio::test]
async fn no_record_of_a_visitor_tells_who_they_are() {
    let bench = Bench::new().await;

    register(&bench, &ada()).await;

    let records = bench.rows_in("RECORD#").await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record["created"], json!({"status": "unconfirmed"}));
    assert!(!record.to_string().contains("203.0.113"));
}

#[tokio::test]
async fn a_repeat_of_what_is_done_is_not_judged_by_newer_rules() {
    let bench = without_confirmation().await;
    let first = register(&bench, &person(0, Some(PASSWORD))).await;
    bench.set(|settings| settings.password_policy.min_length = 100).await;

    assert_replays(&register(&bench, &person(0, Some(PASSWORD))).await, &first);
}

#[tokio::test]
async fn a_repeat_whose_creation_is_undone_meanwhile_is_told_to_try_again_and_then_creates_anew() {
    let bench = without_confirmation().await;
    let lost = Fault::refused("AccessDeniedException", "instead of the answer").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);
    register(&bench, &person(0, Some(PASSWORD))).await;
    let known = bench.store.registration_facts(&email("person0@example.com")).await.unwrap().known.unwrap();
    let begun = bench.read(&known.user_id).await;
    let (store, origin) = (bench.store.clone(), bench.origin());
    bench.services.calls().before_next("DynamoDB.BatchGetItem", async {});
    let undone = async move { assert!(store.undo_creation(&begun, &origin).await.unwrap()) };
    bench.services.calls().before_next("DynamoDB.BatchGetItem", undone);

    let repeat = register(&bench, &person(0, Some(PASSWORD))).await;

    assert_eq!((repeat.status, repeat.problem()), (503, "try-again"));
    let anew = register(&bench, &person(0, Some(PASSWORD))).await;
    assert!(anew.status == 202 && !is_replay(&anew), "{anew:?}");
}

#[tokio::test]
async fn a_repeat_for_somebody_who_was_deleted_since_gets_the_first_answer() {
    let bench = without_confirmation().await;
    let first = register(&bench, &person(0, Some(PASSWORD))).await;
    let known = bench.store.registration_facts(&email("person0@example.com")).await.unwrap().known.unwrap();
    bench.erase(&known.user_id).await;

    assert_replays(&register(&bench, &person(0, Some(PASSWORD))).await, &first);
}
