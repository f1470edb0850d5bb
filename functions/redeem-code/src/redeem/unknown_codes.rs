//! Codes that are not there: counted per source, and the count is exact.

use harness::{Bench, CODE, Reply, Sample};
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::tests::{app, body, known, redeem};
use crate::router;

const ADA: &str = "ada@example.com";

async fn guess(bench: &Bench, address: &str, code: &str) -> Reply {
    Sample::of("redeem-code-redeem").from_source(address).body(&body(code, ADA)).send(router(app(bench))).await
}

fn is_unknown(reply: &Reply) -> bool {
    reply.status == 404 && reply.problem() == "invite-code-unknown"
}

#[tokio::test]
async fn the_eleventh_unknown_code_in_ten_minutes_is_refused_and_told_when_to_come_back() {
    let bench = Bench::new().await;
    for number in 0..10 {
        assert!(is_unknown(&redeem(&bench, &format!("WRONG-CODE-{number}"), ADA).await));
    }
    bench.advance(SignedDuration::from_secs(30));

    let reply = redeem(&bench, "WRONG-CODE-10", ADA).await;

    assert_eq!((reply.status, reply.problem()), (429, "rate-limited"));
    assert_eq!(reply.headers["retry-after"], "570");
    bench.advance(SignedDuration::from_secs(570) - SignedDuration::from_millis(1));
    assert_eq!(redeem(&bench, "WRONG-CODE-10", ADA).await.status, 429);
    bench.advance(SignedDuration::from_millis(1));
    for number in 0..10 {
        assert!(is_unknown(&redeem(&bench, &format!("WRONG-CODE-{number}"), ADA).await));
    }
    assert_eq!(redeem(&bench, "WRONG-CODE-10", ADA).await.status, 429);
}

#[tokio::test]
async fn an_unknown_code_is_one_read_and_one_update_and_over_the_limit_one_read() {
    let bench = Bench::new().await;
    let mut seen = Vec::new();
    for _ in 0..12 {
        let (_, calls) = bench.calls(redeem(&bench, "WRONG-CODE", ADA)).await;
        seen.push(calls.into_iter().map(|call| call.operation).collect::<Vec<_>>());
    }

    let (counted, refused) = seen.split_at(10);
    assert!(counted.iter().all(|calls| *calls == ["DynamoDB.BatchGetItem", "DynamoDB.UpdateItem"]), "{counted:?}");
    assert!(refused.iter().all(|calls| *calls == ["DynamoDB.BatchGetItem"]), "{refused:?}");
}

#[tokio::test]
async fn of_thirty_unknown_codes_at_once_exactly_ten_are_let_through() {
    let bench = Bench::new().await;
    let mut requests = JoinSet::new();
    for number in 0..30 {
        let sample = Sample::of("redeem-code-redeem").body(&body(&format!("WRONG-CODE-{number}"), ADA));
        requests.spawn(sample.send(router(app(&bench))));
    }

    let replies = requests.join_all().await;

    assert_eq!(replies.iter().filter(|reply| is_unknown(reply)).count(), 10);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 20);
}

#[tokio::test]
async fn a_window_that_others_fill_or_open_meanwhile_counts_as_it_stands() {
    let bench = Bench::new().await;
    for _ in 0..9 {
        redeem(&bench, "WRONG-CODE", ADA).await;
    }
    let rival = router(app(&bench));
    let meanwhile = async move {
        let reply = Sample::of("redeem-code-redeem").body(&body("WRONG-CODE", ADA)).send(rival).await;
        assert!(is_unknown(&reply));
    };
    bench.services.calls().before_next("DynamoDB.UpdateItem", meanwhile);

    assert_eq!(redeem(&bench, "WRONG-CODE", ADA).await.status, 429);
}

#[tokio::test]
async fn a_known_code_is_served_however_many_unknown_ones_came_before() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    for _ in 0..11 {
        redeem(&bench, "WRONG-CODE", ADA).await;
    }

    let (reply, calls) = bench.calls(redeem(&bench, CODE, ADA)).await;

    assert_eq!((reply.status, calls.len()), (202, 2));
}

#[tokio::test]
async fn sources_are_counted_apart_and_a_network_of_ipv6_together() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.throttles.unknown_codes = 1).await;

    for (address, status) in [
        ("203.0.113.7", 404),
        ("203.0.113.7", 429),
        ("203.0.113.8", 404),
        ("2001:db8:0:1:a::1", 404),
        ("2001:db8:0:1:b::2", 429),
        ("2001:db8:0:2::1", 404),
    ] {
        assert_eq!(guess(&bench, address, "WRONG-CODE").await.status, status, "{address}");
    }
}

#[tokio::test]
async fn the_limit_is_a_setting_with_effect_at_once() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.throttles.unknown_codes = 2).await;
    for expected in [404, 404, 429] {
        assert_eq!(redeem(&bench, "WRONG-CODE", ADA).await.status, expected);
    }

    bench.set(|settings| settings.throttles.unknown_codes = 3).await;

    for expected in [404, 429] {
        assert_eq!(redeem(&bench, "WRONG-CODE", ADA).await.status, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_a_code_is_unknown_and_counts() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.throttles.unknown_codes = 3).await;
    for text in ["", "no", "not a code!"] {
        assert!(is_unknown(&redeem(&bench, text, ADA).await), "{text}");
    }

    assert_eq!(redeem(&bench, "##", ADA).await.status, 429);
    assert!(known(&bench, ADA).await.is_none());
}

#[tokio::test]
async fn the_counter_is_collected_when_its_window_is_over_and_not_before() {
    let bench = Bench::new().await;
    redeem(&bench, "WRONG-CODE", ADA).await;

    let counter = bench.rows_in("THROTTLE#").await.remove(0);

    let ends = (bench.now() + SignedDuration::from_mins(10)).as_millisecond();
    assert_eq!((&counter["count"], &counter["until"]), (&1.into(), &ends.into()));
    assert!(counter["collect_at"].as_i64().unwrap() * 1000 >= ends);
}
