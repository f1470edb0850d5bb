//! What holds for every creating route, sent with an `Idempotency-Key`.

use axum::Router;
use jiff::SignedDuration;
use local_services::{Call, Fault};

use crate::{Bench, Reply, Sample, write_units};

const COMMIT: &str = "DynamoDB.TransactWriteItems";

/// A creating route.
#[expect(missing_debug_implementations, reason = "routers have no printable state")]
pub struct Creating<'a, R, A> {
    /// The portal.
    pub bench: &'a Bench,
    /// The function.
    pub router: R,
    /// The request of each number, which creates something of its own.
    pub ask: A,
    /// What the request is answered once its key is forgotten.
    pub anew: u16,
}

impl<R: Fn() -> Router, A: Fn(usize) -> Sample> Creating<'_, R, A> {
    /// Asserts that a repeat creates nothing more, whenever it comes and whatever became of the first request.
    pub async fn is_repeatable(&self) {
        self.is_replayed().await;
        self.is_created_once_by_two_at_once().await;
        self.survives_a_lost_answer().await;
        self.leaves_no_record_of_a_failure().await;
        self.needs_two_units_and_no_call_more().await;
    }

    fn keyed(&self, number: usize, key: &str) -> Sample {
        (self.ask)(number).header("idempotency-key", key)
    }

    async fn send(&self, sample: Sample) -> Reply {
        self.bench.advance(SignedDuration::from_millis(1));
        sample.send((self.router)()).await
    }

    async fn is_replayed(&self) {
        let first = self.send(self.keyed(0, "first")).await;
        assert!((201..=202).contains(&first.status) && !is_replay(&first), "{first:?}");
        let rows = self.bench.rows().await;

        self.bench.advance(SignedDuration::from_hours(23));
        assert_replays(&self.send(self.keyed(0, "first")).await, &first);
        let other = self.send(self.keyed(1, "first")).await;
        assert_eq!((other.status, other.problem()), (422, "idempotency-key-reused"));
        let unusable = self.send(self.keyed(1, "two words")).await;
        assert_eq!((unusable.status, unusable.problem()), (400, "idempotency-key-invalid"));
        assert_eq!(self.bench.rows().await, rows);

        self.bench.advance(SignedDuration::from_hours(1));
        let anew = self.send(self.keyed(0, "first")).await;
        assert!(anew.status == self.anew && !is_replay(&anew), "{anew:?}");
        let second = self.send(self.keyed(1, "second")).await;
        assert!(second.status == first.status && !is_replay(&second), "{second:?}");
    }

    async fn is_created_once_by_two_at_once(&self) {
        let (sender, receiver) = std::sync::mpsc::channel();
        let (rival, same) = ((self.router)(), self.keyed(2, "at-once"));
        let meanwhile = async move { drop(sender.send(same.send(rival).await)) };
        self.bench.services.calls().before_next(COMMIT, meanwhile);

        let loser = self.send(self.keyed(2, "at-once")).await;

        let winner = receiver.try_recv().unwrap_or_else(|_| panic!("nothing was written: {loser:?}"));
        assert!(!is_replay(&winner), "{winner:?}");
        assert_replays(&loser, &winner);

        let (rival, other) = ((self.router)(), self.keyed(3, "for-another"));
        let meanwhile = async move { assert!(other.send(rival).await.status <= 202) };
        self.bench.services.calls().before_next(COMMIT, meanwhile);
        let loser = self.send(self.keyed(4, "for-another")).await;
        assert_eq!((loser.status, loser.problem()), (422, "idempotency-key-reused"));
    }

    async fn survives_a_lost_answer(&self) {
        self.bench.services.calls().fail_next(COMMIT, Fault::refused("AccessDeniedException", "instead").after());
        let lost = self.send(self.keyed(5, "lost")).await;
        assert_eq!((lost.status, lost.problem()), (500, "internal"));

        let repeat = self.send(self.keyed(5, "lost")).await;

        assert!((201..=202).contains(&repeat.status) && is_replay(&repeat), "{repeat:?}");
        assert_replays(&self.send(self.keyed(5, "lost")).await, &repeat);
    }

    async fn leaves_no_record_of_a_failure(&self) {
        let rows = self.bench.rows().await;
        self.bench.services.calls().fail_next(COMMIT, Fault::refused("AccessDeniedException", "no"));
        let failed = self.send(self.keyed(6, "failed")).await;
        assert_eq!((failed.status, failed.problem()), (500, "internal"));
        assert_eq!(self.bench.rows().await, rows);

        let repeat = self.send(self.keyed(6, "failed")).await;

        assert!((201..=202).contains(&repeat.status) && !is_replay(&repeat), "{repeat:?}");
    }

    async fn needs_two_units_and_no_call_more(&self) {
        let (_, without) = self.bench.calls((self.ask)(7).send((self.router)())).await;
        let (reply, with) = self.bench.calls(self.keyed(8, "counted").send((self.router)())).await;

        assert!(reply.status <= 202, "{reply:?}");
        let operations = |calls: &[Call]| calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>();
        assert_eq!(operations(&with), operations(&without));
        assert_eq!(write_units(&with), write_units(&without) + 2);
    }
}

/// Whether an answer says that it was given before.
pub fn is_replay(reply: &Reply) -> bool {
    reply.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

/// Asserts that `repeat` is `first` once more, and says so.
pub fn assert_replays(repeat: &Reply, first: &Reply) {
    assert!(is_replay(repeat), "{repeat:?}");
    assert_eq!((repeat.status, repeat.body.to_string()), (first.status, first.body.to_string()));
    for header in ["location", "etag", "content-type"] {
        assert_eq!(repeat.headers.get(header), first.headers.get(header), "{header}");
    }
}
