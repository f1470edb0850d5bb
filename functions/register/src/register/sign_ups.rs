//! Sign-ups per source: off by default, counted before anything is written, and the count is exact.

use harness::{Bench, Fault, PASSWORD, Reply, Sample, is_replay, write_units};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::user::Role;
use tokio::task::JoinSet;

use super::tests::app;
use crate::router;

const READ: &str = "DynamoDB.BatchGetItem";
const COUNTED: &str = "DynamoDB.UpdateItem";
const WRITTEN: &str = "DynamoDB.TransactWriteItems";

async fn limited(most: u32) -> Bench {
    let bench = Bench::new().await;
    bench.set(|settings| settings.throttles.sign_ups = Some(most)).await;
    bench
}

fn person(number: usize) -> Value {
    json!({"email": format!("person{number}@example.com"), "first_name": "Ada", "last_name": "Lovelace"})
}

fn ask(number: usize) -> Sample {
    Sample::of("register-register").body(&person(number))
}

async fn register(bench: &Bench, number: usize) -> Reply {
    ask(number).send(router(app(bench))).await
}

fn is_limited(reply: &Reply) -> bool {
    reply.status == 429 && reply.problem() == "rate-limited"
}

async fn counters(bench: &Bench) -> Vec<(String, i64)> {
    let rows = bench.rows_in("THROTTLE#").await;
    rows.iter().map(|row| (row["pk"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap())).collect()
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted() {
    let bench = Bench::new().await;
    for number in 0..12 {
        assert_eq!(register(&bench, number).await.status, 202);
    }

    let (reply, calls) = bench.calls(register(&bench, 12)).await;

    assert_eq!(reply.status, 202);
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ, WRITTEN]);
    assert_eq!(write_units(&calls), 10);
    assert_eq!(counters(&bench).await, []);
}

#[tokio::test]
async fn over_the_limit_nothing_is_written_and_the_visitor_is_told_when_to_come_back() {
    let bench = limited(2).await;
    register(&bench, 0).await;
    bench.advance(SignedDuration::from_mins(20));
    register(&bench, 1).await;
    let before = bench.rows_in("").await.len();

    let (reply, calls) = bench.calls(register(&bench, 2)).await;

    assert!(is_limited(&reply));
    assert_eq!(reply.headers["retry-after"], "2400");
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ]);
    assert_eq!(bench.rows_in("").await.len(), before);
    // Watching its calls has taken the registration a millisecond.
    bench.advance(SignedDuration::from_mins(40) - SignedDuration::from_millis(2));
    assert!(is_limited(&register(&bench, 2).await));
    bench.advance(SignedDuration::from_millis(1));
    assert_eq!([register(&bench, 2).await.status, register(&bench, 3).await.status], [202, 202]);
    assert!(is_limited(&register(&bench, 4).await));
}

#[tokio::test]
async fn under_a_limit_a_registration_takes_one_more_update_of_one_unit() {
    let bench = limited(10).await;
    for number in 0..2 {
        let (reply, calls) = bench.calls(register(&bench, number)).await;

        assert_eq!(reply.status, 202);
        assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ, COUNTED, WRITTEN]);
        assert_eq!(write_units(&calls), 11);
    }
    assert_eq!(counters(&bench).await, [("THROTTLE#signups#203.0.113.24".to_owned(), 2)]);
}

#[tokio::test]
async fn known_and_unknown_addresses_count_and_answer_alike() {
    let bench = limited(3).await;
    bench.person("person1@example.com", Role::TeamMember, shared::domain::user::Status::Active).await;
    let mut seen = Vec::new();
    for number in [0, 1, 0, 1, 2, 0] {
        let (mut reply, calls) = bench.calls(register(&bench, number)).await;
        reply.body["request_id"] = Value::Null;
        seen.push((reply.status, reply.body, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()));
    }

    let (through, refused) = seen.split_at(3);
    assert!(through.iter().all(|one| one.0 == 202 && *one == through[0]), "{through:?}");
    assert!(refused.iter().all(|one| one.0 == 429 && *one == refused[0]), "{refused:?}");
}

#[tokio::test]
async fn of_thirty_registrations_at_once_exactly_ten_are_let_through() {
    let bench = limited(10).await;
    let mut requests = JoinSet::new();
    for number in 0..30 {
        requests.spawn(ask(number).send(router(app(&bench))));
    }

    let replies = requests.join_all().await;

    assert_eq!(replies.iter().filter(|reply| reply.status == 202).count(), 10);
    assert_eq!(replies.iter().filter(|reply| is_limited(reply)).count(), 20);
    assert_eq!(bench.rows_in("EMAIL#").await.len(), 10);
}

#[tokio::test]
async fn a_window_that_others_fill_or_open_meanwhile_counts_as_it_stands() {
    for (before, status) in [(0, 202), (1, 429)] {
        let bench = limited(2).await;
        for number in 0..before {
            register(&bench, number).await;
        }
        let rival = router(app(&bench));
        let meanwhile = async move { assert_eq!(ask(8).send(rival).await.status, 202) };
        bench.services.calls().before_next(COUNTED, meanwhile);

        assert_eq!(register(&bench, 9).await.status, status, "{before} before");
        assert_eq!(counters(&bench).await[0].1, 2);
    }
}

#[tokio::test]
async fn what_is_refused_anyway_does_not_count() {
    let bench = limited(1).await;
    let with_password = || {
        let mut body = person(0);
        body["password"] = json!(PASSWORD);
        Sample::of("register-register").body(&body)
    };
    let invalid = Sample::of("register-register").body(&json!({"email": "ada"}));

    assert_eq!(invalid.send(router(app(&bench))).await.status, 422);
    assert_eq!(with_password().send(router(app(&bench))).await.status, 422);
    bench.set(|settings| settings.self_registration = false).await;
    assert_eq!(register(&bench, 0).await.status, 403);
    bench.set(|settings| (settings.self_registration, settings.sender) = (true, None)).await;
    assert_eq!(register(&bench, 0).await.status, 409);

    assert_eq!(counters(&bench).await, []);
}

#[tokio::test]
async fn with_a_password_too_nothing_happens_over_the_limit() {
    let bench = limited(1).await;
    bench.set(|settings| settings.email_confirmation = false).await;
    let ask = async |number| {
        let mut body = person(number);
        body["password"] = json!(PASSWORD);
        bench.calls(Sample::of("register-register").body(&body).send(router(app(&bench)))).await
    };
    assert_eq!(ask(0).await.0.status, 202);

    let (reply, calls) = ask(1).await;

    assert!(is_limited(&reply));
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ]);
}

#[tokio::test]
async fn sources_are_counted_apart() {
    let bench = limited(1).await;

    for (number, (address, status)) in
        [("203.0.113.7", 202), ("203.0.113.7", 429), ("203.0.113.8", 202), ("2001:db8::1", 202), ("2001:db8::2", 429)]
            .into_iter()
            .enumerate()
    {
        let reply = ask(number).from_source(address).send(router(app(&bench))).await;
        assert_eq!(reply.status, status, "{address}");
    }
}

#[tokio::test]
async fn a_limit_that_is_raised_lowered_or_lifted_holds_from_the_next_registration_on() {
    let bench = limited(1).await;
    assert_eq!(register(&bench, 0).await.status, 202);

    for (number, (most, status)) in
        [(Some(1), 429), (Some(2), 202), (Some(2), 429), (None, 202), (Some(1), 429)].into_iter().enumerate()
    {
        bench.set(|settings| settings.throttles.sign_ups = most).await;
        assert_eq!(register(&bench, number + 1).await.status, status, "{most:?}");
    }
}

#[tokio::test]
async fn a_repeat_is_answered_over_the_limit_and_does_not_count() {
    let bench = limited(1).await;
    let keyed = || ask(0).header("idempotency-key", "k");
    let first = keyed().send(router(app(&bench))).await;

    let repeat = keyed().send(router(app(&bench))).await;

    assert_eq!((first.status, repeat.status, &repeat.body), (202, 202, &first.body));
    assert!(is_replay(&repeat));
    assert_eq!(counters(&bench).await[0].1, 1);
}

#[tokio::test]
async fn of_two_equal_requests_at_once_the_second_is_a_repeat_also_where_the_first_fills_the_window() {
    let bench = limited(1).await;
    let keyed = || ask(0).header("idempotency-key", "k");
    let rival = router(app(&bench));
    let sample = keyed();
    let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 202) };
    bench.services.calls().before_next(COUNTED, meanwhile);

    let reply = keyed().send(router(app(&bench))).await;

    assert_eq!(reply.status, 202);
    assert!(is_replay(&reply));
    assert_eq!(bench.mail_events("person0@example.com").await, ["confirm_registration"]);
}

#[tokio::test]
async fn where_counting_fails_nobody_is_registered_and_nothing_is_told() {
    let bench = limited(1).await;
    bench.services.calls().fail_next(COUNTED, Fault::refused("AccessDeniedException", "arn:secret"));

    let reply = register(&bench, 0).await;

    assert_eq!((reply.status, reply.problem()), (500, "internal"));
    assert!(!reply.body.to_string().contains("arn:"));
    assert_eq!(bench.rows_in("EMAIL#").await.len(), 0);
}
