//! Failed logins: who waits, who is still served, and what counting them costs.

use harness::{Bench, Fault, PASSWORD, Reply, Sample};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::user::{Role, Status};

use super::tests::{app, log_in, log_in_from};
use crate::router;

const ADA: &str = "ada@example.com";
const WRONG: &str = "violet tractor 43!";
const ELSEWHERE: &str = "198.51.100.7";

async fn ada() -> Bench {
    let bench = Bench::new().await;
    bench.person(ADA, Role::TeamMember, Status::Active).await;
    bench
}

/// A portal where Ada has logged in from the samples' source.
async fn at_home() -> Bench {
    let bench = ada().await;
    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
    bench
}

async fn fail(bench: &Bench, times: usize) {
    for _ in 0..times {
        refused(&log_in(bench, ADA, WRONG).await);
    }
}

fn refused(reply: &Reply) {
    assert_eq!((reply.status, reply.problem()), (401, "invalid-credentials"));
}

/// The operations of a login, its answer and its write units.
async fn watched(bench: &Bench, password: &str) -> (u16, Vec<String>, usize) {
    let (reply, calls) = bench.calls(log_in(bench, ADA, password)).await;
    let units = harness::write_units(&calls);
    (reply.status, calls.into_iter().map(|call| call.operation).collect(), units)
}

async fn row(bench: &Bench) -> Value {
    let mut rows = bench.rows_in("LOGINS#").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[tokio::test]
async fn four_failures_in_a_row_cost_nothing() {
    let bench = at_home().await;

    fail(&bench, 4).await;

    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn from_the_fifth_on_each_failure_doubles_a_wait_and_nothing_is_asked_meanwhile() {
    let bench = at_home().await;
    fail(&bench, 5).await;

    let waiting = watched(&bench, PASSWORD).await;

    assert_eq!(waiting, (401, vec!["DynamoDB.BatchGetItem".to_owned()], 0));
    bench.advance(SignedDuration::from_secs(1));
    fail(&bench, 1).await;
    bench.advance(SignedDuration::from_millis(1999));
    refused(&log_in(&bench, ADA, PASSWORD).await);
    bench.advance(SignedDuration::from_millis(1));
    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_wait_is_never_longer_than_fifteen_minutes_and_a_right_password_ends_it() {
    let bench = at_home().await;
    for _ in 0..20 {
        bench.advance(SignedDuration::from_mins(15));
        fail(&bench, 1).await;
    }

    refused(&log_in(&bench, ADA, PASSWORD).await);
    bench.advance(SignedDuration::from_mins(15));

    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
    fail(&bench, 4).await;
    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn nobody_locks_a_person_out_of_where_they_have_logged_in() {
    let bench = at_home().await;
    let guess = async |source: &str| {
        let (reply, calls) = bench.calls(log_in_from(&bench, source, ADA, WRONG)).await;
        refused(&reply);
        calls.len() > 1
    };
    let mut asked = 0;
    for number in 0..30 {
        asked += usize::from(guess(ELSEWHERE).await) + usize::from(guess(&format!("203.0.113.{}", 100 + number)).await);
    }

    assert_eq!(asked, 4, "Cognito locks after five");
    refused(&log_in_from(&bench, ELSEWHERE, ADA, PASSWORD).await);
    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_stranger_to_the_address_is_served_again_fifteen_minutes_after_the_last_was_passed_on() {
    let bench = ada().await;
    fail(&bench, 4).await;
    refused(&log_in_from(&bench, ELSEWHERE, ADA, PASSWORD).await);

    bench.advance(SignedDuration::from_mins(15) - SignedDuration::from_millis(1));
    refused(&log_in_from(&bench, ELSEWHERE, ADA, PASSWORD).await);
    bench.advance(SignedDuration::from_millis(1));

    assert_eq!(log_in_from(&bench, ELSEWHERE, ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn one_network_of_64_bits_is_one_source() {
    let bench = ada().await;
    assert_eq!(log_in_from(&bench, "2001:db8:0:1::1", ADA, PASSWORD).await.status, 200);
    fail(&bench, 4).await;

    assert_eq!(log_in_from(&bench, "2001:db8:0:1:aaaa::9", ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_right_password_in_a_wrong_state_is_a_right_one() {
    let bench = Bench::new().await;
    bench.person(ADA, Role::TeamMember, Status::Pending).await;
    fail(&bench, 3).await;

    assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 403);

    let row = row(&bench).await;
    let sources: Vec<_> = row["sources"].as_object().unwrap().values().collect();
    assert_eq!(
        (&row["passed_on"], &sources[0]["failures"], &sources[0]["logged_in"]),
        (&json!(0), &json!(0), &json!(true))
    );
}

#[tokio::test]
async fn counting_costs_a_unit_where_a_login_fails_is_the_first_from_its_source_or_ends_failures() {
    let bench = ada().await;
    let operations = |further: &[&str]| {
        let every = ["DynamoDB.BatchGetItem", "Cognito.AdminInitiateAuth", "DynamoDB.UpdateItem"];
        every.iter().chain(further).map(|operation| (*operation).to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(watched(&bench, WRONG).await, (401, operations(&[]), 1));
    assert_eq!(watched(&bench, PASSWORD).await, (200, operations(&["DynamoDB.UpdateItem"]), 2), "the first");
    assert_eq!(watched(&bench, PASSWORD).await, (200, operations(&[]), 1));
    fail(&bench, 1).await;
    assert_eq!(watched(&bench, PASSWORD).await, (200, operations(&["DynamoDB.UpdateItem"]), 2), "it ends a failure");
    assert_eq!(watched(&bench, PASSWORD).await, (200, operations(&[]), 1));
}

#[tokio::test]
async fn two_failures_at_once_are_both_counted() {
    let bench = ada().await;
    let rival = app(&bench);
    let meanwhile = async move {
        let body = json!({"email": ADA, "password": WRONG});
        refused(&Sample::of("login-login").from_source(ELSEWHERE).body(&body).send(router(rival)).await);
    };
    bench.services.calls().before_next("DynamoDB.UpdateItem", meanwhile);

    fail(&bench, 1).await;

    let row = row(&bench).await;
    assert_eq!((&row["passed_on"], row["sources"].as_object().unwrap().len()), (&json!(2), 2));
    assert_eq!(bench.services.calls().outstanding(), 0);
}

#[tokio::test]
async fn what_cannot_be_counted_fails_no_login_and_forgives_no_password() {
    let bench = ada().await;
    let lost = || Fault::refused("ConditionalCheckFailedException", "The conditional request failed").times(5);
    let denied = || Fault::refused("AccessDeniedException", "no");
    for fault in [lost as fn() -> Fault, denied] {
        bench.services.calls().fail_next("DynamoDB.UpdateItem", fault());
        refused(&log_in(&bench, ADA, WRONG).await);
        let calls = std::sync::Arc::clone(bench.services.calls());
        // The first update is the session's; the counting is what follows.
        let after_the_session = async move { calls.fail_next("DynamoDB.UpdateItem", fault()) };
        bench.services.calls().before_next("DynamoDB.UpdateItem", after_the_session);
        assert_eq!(log_in(&bench, ADA, PASSWORD).await.status, 200);
        assert_eq!(bench.services.calls().outstanding(), 0);
    }
    assert!(bench.rows_in("LOGINS#").await.is_empty());
}

#[tokio::test]
async fn a_busy_cognito_counts_for_nothing() {
    let bench = ada().await;
    bench.services.calls().fail_next("Cognito.AdminInitiateAuth", Fault::throttled().times(3));

    assert_eq!(log_in(&bench, ADA, WRONG).await.status, 503);

    assert!(bench.rows_in("LOGINS#").await.is_empty());
}

#[tokio::test]
async fn the_row_goes_an_hour_after_the_last_failure_and_with_a_login_after_ninety_days() {
    let bench = ada().await;
    let seconds = |row: &Value| row["collect_at"].as_i64().unwrap() - bench.now().as_second();

    fail(&bench, 1).await;
    let failed = seconds(&row(&bench).await);
    log_in(&bench, ADA, PASSWORD).await;

    assert_eq!((failed, seconds(&row(&bench).await)), (3600, 90 * 24 * 3600));
}
