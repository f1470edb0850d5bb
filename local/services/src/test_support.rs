//! What this crate's tests share: services in memory, and a clock that stands still until it is moved.

use crate::{Now, Services};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

/// A clock for a test.
#[derive(Clone)]
pub struct StillClock(Arc<Mutex<Timestamp>>);

impl StillClock {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::constant(1_800_000_000, 250_000_000))))
    }

    pub fn get(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }

    pub fn now(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.get())
    }
}

pub async fn services() -> Services {
    services_at().await.0
}

pub async fn services_at() -> (Services, StillClock) {
    let clock = StillClock::new();
    (Services::in_memory(clock.now()).await.unwrap(), clock)
}
