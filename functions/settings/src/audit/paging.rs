//! Pages of the audit trail: what they cost, where they end, and that together they hold every event once.

use std::collections::BTreeSet;

use harness::{Bench, Sample, SignedIn};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::audit::{Actor, AuditEvent, Origin};

use super::tests::{ask, column, record};
use crate::change::tests::{portal, send};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn event(at: Timestamp, random: u128, action: &str, target: &str, actor: &Actor) -> AuditEvent {
    let origin = Origin { actor: actor.clone(), request_id: "r".to_owned(), now: at, repeatable: None };
    AuditEvent::new(&origin, random, action, Some(target))
}

/// Every id of the list that `query` asks for, page by page, and how many queries its pages made at most.
async fn walk(bench: &Bench, owner: &SignedIn, query: &str) -> (Vec<String>, usize) {
    let (mut ids, mut most, mut cursor) = (Vec::new(), 0, String::new());
    for _ in 0..200 {
        let (reply, calls) = bench.calls(ask(bench, owner, &format!("{query}{cursor}"))).await;
        ids.extend(column(&reply, "id").into_iter().map(str::to_owned));
        most = most.max(calls.iter().filter(|call| call.operation == "DynamoDB.Query").count());
        assert!(calls.len() <= 3, "{calls:?}");
        match reply.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, most),
        }
    }
    panic!("the list of {query} does not end")
}

#[tokio::test]
async fn ten_thousand_events_cost_a_page_what_ten_cost() {
    let (bench, owner) = portal().await;
    let began = bench.now();
    bench.advance(DAY * 40);
    let user = Actor::User(owner.user.id.clone());
    let events: Vec<_> = (0..10_000)
        .map(|number| {
            let at = began + SignedDuration::from_secs(number * 300);
            let (action, target) =
                (["user.approved", "user.rejected"][usize::try_from(number % 2).unwrap()], number % 100);
            event(at, 1, action, &format!("usr_{target}"), if number % 3 == 0 { &user } else { &Actor::Visitor })
        })
        .collect();
    record(&bench, &events).await;

    for (query, expected) in [
        ("limit=100", vec!["BatchGetItem", "Query"]),
        ("limit=100&action=user.approved", vec!["BatchGetItem", "Query", "BatchGetItem"]),
        ("limit=100&actor=visitor", vec!["BatchGetItem", "Query", "BatchGetItem"]),
        ("limit=100&target=usr_7", vec!["BatchGetItem", "Query", "BatchGetItem"]),
        ("limit=100&target=usr_8&action=user.approved&actor=visitor", vec!["BatchGetItem", "Query", "BatchGetItem"]),
    ] {
        let (reply, calls) = bench.calls(ask(&bench, &owner, query)).await;
        let operations: Vec<_> = calls.iter().map(|call| call.operation.trim_start_matches("DynamoDB.")).collect();
        assert_eq!(operations, expected, "{query}");
        assert!(column(&reply, "id").len() > 60, "{query}");
    }
    let (of_one, _) = walk(&bench, &owner, &format!("target=usr_6&actor={}&limit=100", owner.user.id)).await;
    let expected = events.iter().filter(|event| event.target.as_deref() == Some("usr_6") && event.actor == user);
    assert_eq!(of_one, expected.rev().map(|event| event.id.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn empty_months_end_no_list_and_no_page_makes_more_than_two_queries() {
    let (bench, owner) = portal().await;
    let began = bench.now();
    let old: Vec<_> = (0..3).map(|number| event(began, number, "user.approved", "usr_1", &Actor::System)).collect();
    let spring = event(began + DAY * 60, 1, "user.approved", "usr_1", &Actor::System);
    record(&bench, &old).await;
    record(&bench, std::slice::from_ref(&spring)).await;
    bench.advance(DAY * 365);

    let (ids, queries) = walk(&bench, &owner, "limit=2").await;

    let once: BTreeSet<_> = ids.iter().collect();
    assert_eq!((once.len(), queries), (ids.len(), 2));
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    assert!(old.iter().chain([&spring]).all(|event| ids.contains(&event.id.to_string())));
    assert_eq!(ids.len(), bench.rows_in("AUDIT#").await.len());
    let (bounded, calls) = bench.calls(ask(&bench, &owner, "from=2026-12-20T00:00:00Z")).await;
    assert_eq!((bounded.body, calls.len()), (json!({"items": [], "next_cursor": null}), 3));
}

#[tokio::test]
async fn a_span_holds_its_first_instant_and_not_its_last_whatever_else_is_asked() {
    let (bench, owner) = portal().await;
    bench.advance(DAY * 60);
    let midnight: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let moment = SignedDuration::from_millis(1);
    let at = [midnight - moment * 2, midnight - moment, midnight, midnight + moment];
    for random in [0, 7, 1 << 79] {
        let events = at.map(|at| event(at, random, "user.approved", "usr_1", &Actor::System));
        record(&bench, &events).await;
    }
    let (from, to) = (midnight - moment, midnight + moment);

    for filter in ["", "&actor=system", "&target=usr_1", "&action=user.approved", "&target=usr_1&actor=system"] {
        let (_, queries) = walk(&bench, &owner, &format!("from={from}&to={to}&limit=100{filter}")).await;
        let reply = ask(&bench, &owner, &format!("from={from}&to={to}&limit=100{filter}")).await;
        let times = column(&reply, "at");
        let expected = [["2026-03-01T00:00:00.000Z"; 3], ["2026-02-28T23:59:59.999Z"; 3]].concat();
        assert_eq!((times, queries <= 2), (expected, true), "{filter}");
        let empty = ask(&bench, &owner, &format!("from={from}&to={from}{filter}")).await;
        assert_eq!(empty.body, json!({"items": [], "next_cursor": null}));
    }
}

#[tokio::test]
async fn what_happens_while_pages_are_read_moves_none_of_them() {
    let (bench, owner) = portal().await;
    let now = bench.now();
    let events: Vec<_> = (0..6).map(|number| event(now, number, "user.approved", "usr_1", &Actor::System)).collect();
    record(&bench, &events).await;
    let first = ask(&bench, &owner, "target=usr_1&limit=3").await;
    bench.advance(DAY);
    record(&bench, &[event(bench.now(), 1, "user.rejected", "usr_1", &Actor::System)]).await;

    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = ask(&bench, &owner, &format!("target=usr_1&limit=3&cursor={cursor}")).await;

    let seen = [column(&first, "id"), column(&second, "id")].concat();
    assert_eq!(seen, events.iter().rev().map(|event| event.id.as_str()).collect::<Vec<_>>());
    let elsewhere = ask(&bench, &owner, &format!("target=usr_2&limit=3&cursor={cursor}")).await;
    assert_eq!(elsewhere.faults(), [("/cursor", "invalid_cursor")]);
}

async fn export(bench: &Bench, owner: &SignedIn, query: &str) -> (Vec<Value>, Option<String>) {
    let sample = Sample::of("settings-audit").by(owner).query(query);
    let reply = send(bench, sample.header("accept", "text/html;q=0.5, Application/X-NDJSON")).await;
    assert_eq!((reply.status, &reply.headers["content-type"]), (200, &json!("application/x-ndjson")));
    let lines = reply.body.as_str().unwrap_or_default().lines().map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), reply.headers.get("x-next-cursor").map(|next| next.as_str().unwrap().to_owned()))
}

#[tokio::test]
async fn an_export_has_an_event_on_each_line_and_goes_on_by_a_header() {
    let (bench, owner) = portal().await;
    let now = bench.now();
    let events: Vec<_> = (0..250).map(|number| event(now, number, "user.approved", "usr_1", &Actor::System)).collect();
    record(&bench, &events).await;

    let (first, next) = export(&bench, &owner, "target=usr_1&limit=200").await;
    let (rest, end) = export(&bench, &owner, &format!("target=usr_1&cursor={}", next.unwrap())).await;

    let lines: Vec<_> = first.iter().chain(&rest).collect();
    assert_eq!((first.len(), lines.len(), end), (200, 250, None));
    let listed = ask(&bench, &owner, "target=usr_1&limit=100").await;
    assert!(listed.body["items"].as_array().unwrap().iter().zip(&lines).all(|(item, line)| item == *line));
    let refused = send(
        &bench,
        Sample::of("settings-audit").by(&owner).header("accept", "application/x-ndjson").query("limit=1001"),
    );
    assert_eq!(refused.await.faults(), [("/limit", "out_of_range")]);
    let (none, end) = export(&bench, &owner, "target=usr_2").await;
    assert_eq!((none.len(), end), (0, None));
}

#[tokio::test]
async fn an_export_is_never_longer_than_an_answer_may_be() {
    let (bench, owner) = portal().await;
    let now = bench.now();
    let large = "x".repeat(30_000);
    let events =
        (0..150).map(|number| event(now, number, "user.approved", "usr_1", &Actor::System).change("quota", (), &large));
    let events: Vec<_> = events.collect();
    record(&bench, &events).await;

    let (mut lines, mut query) = (Vec::new(), "target=usr_1".to_owned());
    loop {
        let (some, next) = export(&bench, &owner, &query).await;
        assert!(some.iter().map(|line| line.to_string().len() + 1).sum::<usize>() <= super::MOST_BYTES);
        lines.extend(some);
        match next {
            Some(next) => query = format!("target=usr_1&cursor={next}"),
            None => break,
        }
    }

    let ids: Vec<_> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids, events.iter().rev().map(|event| event.id.as_str()).collect::<Vec<_>>());
}
