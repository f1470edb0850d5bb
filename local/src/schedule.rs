//! Functions that start by the clock, as the template's schedules say. One that fell due several times starts once.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use local_services::{Services, Template};
use shared::clock::Clock;
use tokio::{sync::watch, time::sleep};

use crate::functions::{Functions, Scheduled, folder};

/// How long at most until the clock is looked at again.
const LOOK: Duration = Duration::from_mins(1);

/// A function and how often it starts.
#[derive(Clone, Debug)]
pub struct Schedule {
    name: &'static str,
    function: Scheduled,
    every: SignedDuration,
}

/// What the template says of a schedule and is not understood here.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The expression.
    #[error("the schedule {0} in the template is not understood by the local portal: only rate(…) is")]
    Expression(String),
    /// The function.
    #[error("the template has a schedule of {0}, which the local portal does not know")]
    UnknownFunction(String),
}

impl Schedule {
    /// The schedules of the template.
    pub fn declared(template: &Template, functions: &Functions) -> Result<Vec<Self>, ScheduleError> {
        let events = template.events().filter(|event| ["Schedule", "ScheduleV2"].contains(&event.kind));
        let schedules = events.map(|event| {
            let names = ["ScheduleExpression", "Schedule"];
            let expression = names.iter().find_map(|name| event.properties.get(*name)?.as_str()).unwrap_or_default();
            let unknown = || ScheduleError::UnknownFunction(event.function.to_owned());
            let folder = folder(template, event.function).ok_or_else(unknown)?;
            let (name, function) = functions.scheduled.get_key_value(folder).ok_or_else(unknown)?;
            let every = rate(expression).ok_or_else(|| ScheduleError::Expression(expression.to_owned()))?;
            Ok(Self { name, function: function.clone(), every })
        });
        schedules.collect()
    }

    /// Starts the function now.
    pub async fn start(&self, services: &Arc<Services>) {
        collect(services).await;
        match self.function.run().await {
            Ok(report) if report.as_object().is_some_and(|report| report.values().all(|count| *count == 0)) => {}
            Ok(report) => tracing::info!("{} {report}", self.name),
            Err(error) => tracing::error!(function = self.name, %error, "the scheduled function failed"),
        }
    }

    /// Starts the function whenever it is due, until it is told to stop. `moved` tells when the clock was.
    pub async fn keep(
        self,
        services: Arc<Services>,
        clock: Clock,
        mut moved: watch::Receiver<()>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut due = next(clock.now(), self.every);
        loop {
            let left = Duration::try_from(due.duration_since(clock.now())).unwrap_or_default();
            if left.is_zero() {
                self.start(&services).await;
                due = next(clock.now(), self.every);
                continue;
            }
            tokio::select! {
                () = sleep(left.min(LOOK)) => {}
                Ok(()) = moved.changed() => {}
                _ = stop.changed() => return,
            }
        }
    }
}

fn next(now: Timestamp, every: SignedDuration) -> Timestamp {
    now.checked_add(every).unwrap_or(Timestamp::MAX)
}

/// Removes what `DynamoDB` would have removed by its time to live.
async fn collect(services: &Arc<Services>) {
    let services = services.clone();
    match tokio::task::spawn_blocking(move || services.sweep_ttl()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, "what has outlived its time cannot be removed"),
        Err(error) => tracing::error!(%error, "what has outlived its time cannot be removed"),
    }
}

/// Reads `rate(5 minutes)`.
fn rate(expression: &str) -> Option<SignedDuration> {
    let (number, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_understood_and_nothing_else() {
        assert_eq!(rate("rate(5 minutes)"), Some(SignedDuration::from_mins(5)));
        assert_eq!(rate("rate(1 hour)"), Some(SignedDuration::from_hours(1)));
        assert_eq!(rate("rate(7 days)"), Some(SignedDuration::from_hours(7 * 24)));
        for other in ["", "rate(0 minutes)", "rate(5 fortnights)", "cron(0 3 * * ? *)", "rate(5minutes)"] {
            assert_eq!(rate(other), None, "{other}");
        }
    }
}
