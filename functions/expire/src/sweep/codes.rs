//! Invite codes whose time is over: they are marked once, for the audit.

use lambda_runtime::Error;
use shared::domain::{audit::Origin, invite_code::InviteCode};

use super::{
    BATCH,
    run::{Run, Swept},
};
use crate::App;

/// Marks codes that have expired. None of them works any more, marked or not.
pub(super) async fn sweep(run: &mut Run<'_>) -> Result<(), Error> {
    let due = async |app: &App, origin: &Origin, after: Option<&str>| {
        app.store.expiring_codes(origin.now, after, BATCH).await
    };
    run.report.codes_expired = run.all(due, mark).await?;
    Ok(())
}

async fn mark(app: &App, origin: &Origin, code: InviteCode) -> Result<Swept, Error> {
    let marked = app.store.mark_code_expired(&code, origin).await?;
    Ok(marked.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, CODE, Fault};
    use jiff::SignedDuration;

    use super::super::{
        Report, handle,
        tests::{app, sweep, unfinished},
    };

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    /// A portal with a code that works for an hour.
    async fn portal() -> Bench {
        let bench = Bench::new().await;
        let until = bench.now() + HOUR;
        bench.invite_code(CODE, |code| code.expires_at = Some(until)).await;
        bench.invite_code("NEVER-EXPIRES", |_| {}).await;
        bench
    }

    async fn expiries(bench: &Bench) -> usize {
        let events = bench.rows_in("AUDIT#").await.into_iter();
        events.filter(|event| event["action"] == "invite_code.expired").count()
    }

    #[tokio::test]
    async fn a_code_is_marked_when_it_expires_and_once() {
        let bench = portal().await;
        bench.advance(HOUR - SignedDuration::from_millis(1));
        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(SignedDuration::from_millis(1));
        let runs = [sweep(&bench).await.codes_expired, sweep(&bench).await.codes_expired];

        assert_eq!((runs, expiries(&bench).await), ([1, 0], 1));
    }

    #[tokio::test]
    async fn a_code_that_gets_more_time_is_marked_when_that_is_over() {
        let bench = portal().await;
        bench.advance(HOUR);
        sweep(&bench).await;
        let before = bench.code(CODE).await.unwrap();
        let mut after = before.clone();
        after.expires_at = Some(bench.now() + HOUR);
        bench.store.change_invite_code(&before, &after, &bench.origin()).await.unwrap();

        assert_eq!(sweep(&bench).await.codes_expired, 0);
        bench.advance(HOUR);
        assert_eq!(sweep(&bench).await.codes_expired, 1);
    }

    #[tokio::test]
    async fn a_code_that_gets_more_time_between_the_list_and_the_mark_is_not_marked() {
        let bench = portal().await;
        bench.advance(HOUR);
        let before = bench.code(CODE).await.unwrap();
        let mut after = before.clone();
        after.expires_at = Some(bench.now() + HOUR);
        let (store, origin) = (bench.store.clone(), bench.origin());
        let extend = async move { drop(store.change_invite_code(&before, &after, &origin).await.unwrap()) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", extend);

        assert_eq!(sweep(&bench).await, Report::default());

        bench.advance(HOUR);
        assert_eq!(sweep(&bench).await.codes_expired, 1);
    }

    #[tokio::test]
    async fn two_sweeps_at_once_mark_a_code_once() {
        let bench = portal().await;
        bench.advance(HOUR);

        let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

        assert_eq!((one.codes_expired + other.codes_expired, expiries(&bench).await), (1, 1));
    }

    #[tokio::test]
    async fn a_code_that_cannot_be_marked_is_tried_again_and_stops_no_other() {
        let bench = portal().await;
        let until = bench.now() + HOUR;
        bench.invite_code("ANOTHER-CODE", |code| code.expires_at = Some(until)).await;
        bench.advance(HOUR);
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

        let report = unfinished(handle(&app(&bench), None).await);

        assert_eq!((report.codes_expired, report.failures), (1, 1));
        assert_eq!(sweep(&bench).await, Report { codes_expired: 1, ..Report::default() });
    }
}
