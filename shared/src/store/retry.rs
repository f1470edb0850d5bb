//! Waiting out contention and throttling, within a budget.

use std::time::Duration;

use super::StoreError;
use crate::random::Random;

/// How often a call is sent again before the caller is told to try later.
const MAX_RETRIES: u32 = 8;
/// The first wait is drawn from up to this; each further one from up to twice as much.
const FIRST_WAIT: Duration = Duration::from_millis(25);
/// No wait is drawn from more than this.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// Counts the retries of one call and waits between them with full jitter: at most two seconds in all.
#[derive(Debug)]
pub(super) struct Backoff<'a> {
    random: &'a Random,
    retries: u32,
}

impl<'a> Backoff<'a> {
    pub fn new(random: &'a Random) -> Self {
        Self { random, retries: 0 }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// [`StoreError::Busy`] once the budget is used up.
    pub async fn wait(&mut self) -> Result<(), StoreError> {
        let ceiling = self.next_ceiling().ok_or(StoreError::Busy)?;
        tokio::time::sleep(ceiling.mul_f64(self.random.fraction())).await;
        Ok(())
    }

    /// The longest that the next wait may be; `None` once the budget is used up.
    fn next_ceiling(&mut self) -> Option<Duration> {
        let ceiling = FIRST_WAIT.saturating_mul(1 << self.retries).min(LONGEST_WAIT);
        self.retries += 1;
        (self.retries <= MAX_RETRIES).then_some(ceiling)
    }

    /// Waits before a call that was answered with the busy `code` is sent again.
    ///
    /// # Errors
    /// [`StoreError::Busy`] once the budget is used up. A throttled call has used it up already: the SDK has waited
    /// and sent it again before it told us.
    pub async fn wait_out(&mut self, code: Option<&str>) -> Result<(), StoreError> {
        if is_contention(code) { self.wait().await } else { Err(StoreError::Busy) }
    }
}

/// Whether DynamoDB's error code says: another transaction is at work on this. The SDK does not send such calls again.
fn is_contention(code: Option<&str>) -> bool {
    matches!(code, Some("TransactionConflict" | "TransactionConflictException" | "TransactionInProgressException"))
}

/// Whether DynamoDB's error code says: not now.
pub(super) fn is_busy(code: Option<&str>) -> bool {
    is_contention(code)
        || matches!(
            code,
            Some(
                "ProvisionedThroughputExceeded"
                    | "ProvisionedThroughputExceededException"
                    | "RequestLimitExceeded"
                    | "ThrottlingError"
                    | "ThrottlingException"
                    | "LimitExceededException"
            )
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_to_a_bound_and_the_budget_ends() {
        let random = Random::seeded(1);
        let mut backoff = Backoff::new(&random);

        let ceilings: Vec<u128> = std::iter::from_fn(|| backoff.next_ceiling()).map(|wait| wait.as_millis()).collect();

        assert_eq!(ceilings, [25, 50, 100, 200, 400, 400, 400, 400]);
        assert!(ceilings.iter().sum::<u128>() <= 2000);
    }
}
