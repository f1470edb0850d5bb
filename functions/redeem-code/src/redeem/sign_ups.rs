//! Sign-ups per source: redemptions count with registrations, under the limit that is set.

use harness::{Bench, CODE, Sample, write_units};
use tokio::task::JoinSet;

use super::tests::{app, body, redeem};
use crate::router;

const READ: &str = "DynamoDB.BatchGetItem";
const COUNTED: &str = "DynamoDB.UpdateItem";
const WRITTEN: &str = "DynamoDB.TransactWriteItems";

async fn limited(most: u32) -> Bench {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.set(|settings| settings.throttles.sign_ups = Some(most)).await;
    bench
}

fn address(number: usize) -> String {
    format!("person{number}@example.com")
}

async fn count_of(bench: &Bench, throttle: &str) -> Option<i64> {
    let rows = bench.rows_in(&format!("THROTTLE#{throttle}#")).await;
    rows.first().map(|row| row["count"].as_i64().unwrap())
}

#[tokio::test]
async fn over_the_limit_no_slot_is_taken_and_nothing_written() {
    let bench = limited(1).await;
    let (first, calls) = bench.calls(redeem(&bench, CODE, &address(0))).await;
    assert_eq!((first.status, write_units(&calls)), (202, 14 + 1));
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ, COUNTED, WRITTEN]);

    let (reply, calls) = bench.calls(redeem(&bench, CODE, &address(1))).await;

    assert_eq!((reply.status, reply.problem()), (429, "rate-limited"));
    assert_eq!(reply.headers["retry-after"], "3600");
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ]);
    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn known_addresses_count_and_answer_like_unknown_ones() {
    let bench = limited(2).await;
    let first = redeem(&bench, CODE, &address(0)).await;

    assert_eq!(redeem(&bench, CODE, &address(0)).await, first);

    assert_eq!(count_of(&bench, "signups").await, Some(2));
    assert_eq!(redeem(&bench, CODE, &address(0)).await.status, 429);
    assert_eq!(redeem(&bench, CODE, &address(1)).await.status, 429);
}

#[tokio::test]
async fn of_thirty_redemptions_at_once_exactly_ten_are_let_through() {
    let bench = limited(10).await;
    let mut requests = JoinSet::new();
    for number in 0..30 {
        let sample = Sample::of("redeem-code-redeem").body(&body(CODE, &address(number)));
        requests.spawn(sample.send(router(app(&bench))));
    }

    let replies = requests.join_all().await;

    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 20);
    let through = replies.iter().filter(|reply| reply.status == 202).count();
    assert_eq!((through, bench.used(CODE).await), (10, 10));
}

#[tokio::test]
async fn a_redemption_is_counted_once_however_often_it_is_decided_anew() {
    let bench = limited(9).await;
    let sample = Sample::of("redeem-code-redeem").body(&body(CODE, &address(0)));
    let rival = router(app(&bench));
    let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 202) };
    bench.services.calls().before_next(WRITTEN, meanwhile);

    let (reply, calls) = bench.calls(redeem(&bench, CODE, &address(0))).await;

    assert_eq!(reply.status, 202);
    assert_eq!(calls.iter().filter(|call| call.operation == WRITTEN).count(), 3, "the rival's, the lost one, the mail");
    assert_eq!(count_of(&bench, "signups").await, Some(2));
}

#[tokio::test]
async fn codes_that_let_nobody_in_do_not_count_as_sign_ups() {
    let bench = limited(1).await;
    bench.invite_code("SWITCHED-OFF", |code| code.active = false).await;
    bench.invite_code("USED-UP-CODE", |code| (code.quota, code.used) = (Some(1), 1)).await;

    for (code, status) in [("WRONG-CODE", 404), ("SWITCHED-OFF", 409), ("USED-UP-CODE", 409), (CODE, 202), (CODE, 429)]
    {
        assert_eq!(redeem(&bench, code, &address(0)).await.status, status, "{code}");
    }

    assert_eq!((count_of(&bench, "codes").await, count_of(&bench, "signups").await), (Some(1), Some(1)));
}

#[tokio::test]
async fn without_a_limit_no_sign_up_is_counted() {
    let bench = limited(1).await;
    bench.set(|settings| settings.throttles.sign_ups = None).await;

    for number in 0..3 {
        let (reply, calls) = bench.calls(redeem(&bench, CODE, &address(number))).await;
        assert_eq!((reply.status, write_units(&calls)), (202, 14));
        assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), [READ, WRITTEN]);
    }

    assert_eq!(count_of(&bench, "signups").await, None);
}
