//! The end of a run's time: what was not reached stays as it is, for the next run.

use harness::Bench;
use shared::domain::link::CONFIRM_LIFE;

use super::{
    tests::{MILLISECOND, app, register, sweep},
    *,
};

/// A portal with three registrations that are due, and a mail of another one that waits.
async fn due() -> Bench {
    let bench = Bench::new().await;
    for address in ["a@example.com", "b@example.com", "c@example.com"] {
        register(&bench, address).await;
        bench.mails(address).await;
    }
    bench.advance(CONFIRM_LIFE + MILLISECOND - SignedDuration::from_hours(1));
    register(&bench, "ada@example.com").await;
    bench.advance(SignedDuration::from_hours(1));
    bench
}

/// Lets a second pass before the deletion of row number `row`.
fn pass_a_second_at(bench: &Bench, row: usize) {
    for _ in 0..row {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(1)) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", pass);
}

#[tokio::test]
async fn a_run_whose_time_is_up_takes_no_further_row_and_the_next_run_goes_on() {
    let bench = due().await;
    // Two transactions to a registration: its rows, then its note.
    pass_a_second_at(&bench, 2);

    let cut_off = handle(&app(&bench), Some(bench.now() + SignedDuration::from_secs(1))).await.unwrap();

    assert_eq!(cut_off, Report { unconfirmed_deleted: 2, ..Report::default() });
    assert_eq!(sweep(&bench).await, Report { unconfirmed_deleted: 1, mails_sent: 1, ..Report::default() });
}

#[tokio::test]
async fn a_row_is_taken_until_the_very_last_moment() {
    let bench = due().await;
    pass_a_second_at(&bench, 2);

    let until = bench.now() + SignedDuration::from_secs(1) + MILLISECOND;
    let report = handle(&app(&bench), Some(until)).await.unwrap();

    assert_eq!(report, Report { unconfirmed_deleted: 3, mails_sent: 1, ..Report::default() });
}

#[tokio::test]
async fn mails_too_wait_for_the_next_run() {
    let bench = Bench::new().await;
    for address in ["a@example.com", "b@example.com"] {
        register(&bench, address).await;
    }
    bench.advance(SignedDuration::from_hours(1));
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(1)) };
    bench.services.calls().before_next("SES.SendEmail", pass);

    let cut_off = handle(&app(&bench), Some(bench.now() + SignedDuration::from_secs(1))).await.unwrap();

    assert_eq!(cut_off, Report { mails_sent: 1, ..Report::default() });
    assert_eq!(sweep(&bench).await, Report { mails_sent: 1, ..Report::default() });
}

#[tokio::test]
async fn a_run_without_any_time_calls_nothing_and_fails_at_nothing() {
    let bench = due().await;

    let (report, calls) = bench.calls(async { handle(&app(&bench), Some(bench.now())).await }).await;

    assert_eq!((report.unwrap(), calls.len()), (Report::default(), 0));
}

#[test]
fn the_last_call_comes_five_seconds_before_the_functions_end() {
    assert_eq!(last_call(1_768_469_400_000), "2026-01-15T09:29:55Z".parse().unwrap());
    assert!(last_call(u64::MAX) > "9000-01-01T00:00:00Z".parse().unwrap());
}
