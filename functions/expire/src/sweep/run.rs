//! What every part of the sweep has in common: each row on its own, counted, logged where it fails, and none taken once
//! the time is up.

use jiff::Timestamp;
use lambda_runtime::Error;
use shared::{
    domain::audit::{Actor, Origin},
    store::{Listed, StoreError},
};

use super::{Report, Unfinished};
use crate::App;

/// A run at work.
pub(super) struct Run<'a> {
    pub app: &'a App,
    /// Where the run's writes come from; its instant is the run's start.
    pub origin: Origin,
    /// What was done so far.
    pub report: Report,
    until: Option<Timestamp>,
    out_of_time: bool,
}

/// Some of the rows of a list, each readable or not on its own.
pub(super) type Page<T> = Listed<Result<T, StoreError>>;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swept {
    /// What was due is done: it counts.
    Done,
    /// Nothing was due any more, or somebody else is at it.
    Nothing,
    /// Nothing can be done about any row of this part for now.
    Stop,
}

impl From<bool> for Swept {
    fn from(done: bool) -> Self {
        if done { Self::Done } else { Self::Nothing }
    }
}

impl<'a> Run<'a> {
    pub fn new(app: &'a App, until: Option<Timestamp>) -> Self {
        let origin = Origin::new(Actor::System, "expire", app.clock.now());
        Self { app, origin, report: Report::default(), until, out_of_time: false }
    }

    /// Works off one part, unless the time is up. A list that cannot be read is one failure and stops no other part.
    pub async fn part(&mut self, sweep: impl AsyncFnOnce(&mut Self) -> Result<(), Error>) {
        if self.is_out_of_time() {
            return;
        }
        // On the heap: the futures of all parts together are large.
        if let Err(error) = Box::pin(sweep(self)).await {
            self.report.failures += 1;
            tracing::error!(%error, "what is due could not be listed");
        }
    }

    /// Deals with every row of a list by `work`, page after page until its end or until the time is up: so rows that fail
    /// keep none behind them from their turn. `list` reads the page behind a position. Returns how many are done.
    pub async fn all<T>(
        &mut self,
        list: impl AsyncFn(&App, &Origin, Option<&str>) -> Result<Page<T>, StoreError>,
        work: impl AsyncFn(&App, &Origin, T) -> Result<Swept, Error> + Copy,
    ) -> Result<usize, Error> {
        let (mut done, mut after) = (0, None);
        loop {
            let page = match list(self.app, &self.origin, after.as_deref()).await {
                Ok(page) => page,
                // What the pages before it did counts all the same.
                Err(error) if after.is_some() => {
                    self.failed(&error.into());
                    return Ok(done);
                }
                Err(error) => return Err(error.into()),
            };
            done += self.each(page.rows, work).await;
            after = page.next;
            if after.is_none() || self.is_out_of_time() {
                return Ok(done);
            }
        }
    }

    /// Deals with `rows` by `work`, each on its own, until the time is up. Returns how many are done; failures go to the
    /// report and the log.
    pub async fn each<T, E: Into<Error>>(
        &mut self,
        rows: Vec<Result<T, E>>,
        work: impl AsyncFn(&App, &Origin, T) -> Result<Swept, Error>,
    ) -> usize {
        let mut done = 0;
        for row in rows {
            if self.is_out_of_time() {
                break;
            }
            let swept = match row {
                Ok(row) => work(self.app, &self.origin, row).await,
                Err(error) => Err(error.into()),
            };
            match swept {
                Ok(Swept::Done) => done += 1,
                Ok(Swept::Nothing) => {}
                Ok(Swept::Stop) => break,
                Err(error) => self.failed(&error),
            }
        }
        done
    }

    /// Notes a row that could not be dealt with.
    pub fn failed(&mut self, error: &Error) {
        self.report.failures += 1;
        tracing::error!(%error, "a row could not be swept");
    }

    /// From when on no further row may be taken: for rows that take long.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Whether no further row may be taken.
    pub fn is_out_of_time(&mut self) -> bool {
        self.out_of_time |= self.until.is_some_and(|until| self.app.clock.now() >= until);
        self.out_of_time
    }

    /// The report, which is an error where something failed.
    pub fn end(self) -> Result<Report, Error> {
        let (report, out_of_time) = (self.report, self.out_of_time);
        tracing::info!(?report, out_of_time, "sweep done");
        if report.failures == 0 { Ok(report) } else { Err(Unfinished(report).into()) }
    }
}
