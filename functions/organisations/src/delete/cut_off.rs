//! Deletions that do not get to their end, and who finishes them.

use std::collections::BTreeSet;

use harness::Bench;
use jiff::SignedDuration;
use serde_json::Value;
use shared::domain::ids::TeamId;

use super::tests::{at, delete, left_of};
use crate::body::tests::{names, portal, send};

/// Lets the request's time run out before its transaction number `number`.
pub(crate) fn run_out_of_time_at(bench: &Bench, number: usize) {
    for _ in 0..number {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(12)) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", pass);
}

#[tokio::test]
async fn five_thousand_people_are_moved_by_as_many_requests_as_it_takes() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    bench.crowd(&at(&acme, &teams), 5000).await;
    run_out_of_time_at(&bench, 2500);

    let cut_off = delete(&bench, &owner, &acme).await;
    let moved = bench
        .rows_in("USER#")
        .await
        .iter()
        .filter(|row| row["team_ids"][0] == "team_00000000000000000000000000")
        .count();
    let read = send(&bench, harness::Sample::of("organisations-read").by(&owner).id(&acme)).await;
    let list = send(&bench, harness::Sample::of("organisations-list").by(&owner).query("")).await;
    let repeated = delete(&bench, &owner, &acme).await;

    assert_eq!((cut_off.status, cut_off.problem()), (503, "try-again"));
    assert_eq!(cut_off.headers["retry-after"], "1");
    assert!((2400..2600).contains(&moved), "{moved}");
    assert_eq!((read.status, names(&list)), (404, vec!["Default Organisation"]));
    assert_eq!(repeated.status, 204);
    assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new());
    let people = bench.everybody_placed().await;
    let places: BTreeSet<_> = people.iter().flat_map(|person| &person.team_ids).collect();
    assert_eq!((people.len(), places), (5001, BTreeSet::from([&TeamId::default_team()])));
}

#[tokio::test]
async fn an_organisation_that_is_cut_off_at_any_step_is_finished_by_a_repeat() {
    for step in 0..7 {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        bench.crowd(&at(&acme, &teams), 2).await;
        run_out_of_time_at(&bench, step);

        let mut requests = 0;
        while delete(&bench, &owner, &acme).await.status == 503 {
            requests += 1;
        }

        assert!(requests <= 1, "{step}");
        assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new(), "{step}");
        bench.everybody_placed().await;
    }
}
