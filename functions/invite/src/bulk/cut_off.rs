//! The end of the function's time: what was not reached is said, and sent again it is done.

use harness::Bench;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    RESERVE,
    tests::{outcomes, results, row, sample, upload},
};
use crate::{
    create::tests::{app, portal},
    router,
};

fn rows() -> Vec<Value> {
    (0..9).map(|number| row(&format!("person{number}"), &json!({}))).collect()
}

/// Lets a second pass before the row `number`, counted from 0, is written.
fn pass_a_second_at(bench: &Bench, number: usize) {
    for _ in 0..number {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(1)) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", pass);
}

#[tokio::test]
async fn rows_for_which_there_is_no_time_are_not_attempted_and_a_second_upload_does_them() {
    let (bench, owner) = portal().await;
    pass_a_second_at(&bench, 1);
    let deadline = bench.now() + RESERVE + SignedDuration::from_secs(1);

    let reply = sample(&owner, &rows()).until(deadline).send(router(app(&bench))).await;

    let cut_off = results(&reply);
    let not_attempted: Vec<_> = cut_off.iter().filter(|result| result["outcome"] == "not_attempted").collect();
    // Those that were under way are finished.
    assert!((1..=7).contains(&not_attempted.len()), "{cut_off:?}");
    assert!(not_attempted.iter().all(|result| result["problem"]["type"] == "/problems/try-again"));
    let invited = outcomes(&cut_off).iter().filter(|outcome| **outcome == "invited").count();
    assert_eq!(invited + not_attempted.len(), 9);
    let again = upload(&bench, &owner, &rows()).await;
    let done = outcomes(&again).iter().filter(|outcome| **outcome == "invited").count();
    assert_eq!(done, not_attempted.len());
    for number in 0..9 {
        assert_eq!(bench.mails(&format!("person{number}@example.com")).await.len(), 1);
    }
}

#[tokio::test]
async fn without_any_time_nothing_is_attempted() {
    let (bench, owner) = portal().await;

    let reply = sample(&owner, &rows()).until(bench.now() + RESERVE).send(router(app(&bench))).await;

    assert!(outcomes(&results(&reply)).iter().all(|outcome| *outcome == "not_attempted"));
    assert!(bench.rows_in("INVITATION#").await.is_empty());
}
