//! The one clock that everything here reads, and the way to move it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use tokio::sync::{Mutex, watch};

use crate::folder::{Folder, FolderError};

/// A clock that can be moved forward, and that those who wait for an instant can watch.
#[derive(Debug)]
pub struct Time {
    clock: Clock,
    folder: Option<Arc<Folder>>,
    advanced: Mutex<i64>,
    moved: watch::Sender<()>,
}

impl Time {
    /// `clock`, moved on as far as the folder says that it was before.
    pub fn resumed(clock: Clock, folder: Option<Arc<Folder>>) -> Result<Self, FolderError> {
        let advanced = folder.as_ref().map_or(Ok(0), |folder| folder.advanced())?;
        clock.advance(SignedDuration::from_secs(advanced));
        Ok(Self { clock, folder, advanced: Mutex::new(advanced), moved: watch::Sender::new(()) })
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Told when the clock was moved.
    pub fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// How far the clock is ahead.
    pub async fn ahead(&self) -> SignedDuration {
        SignedDuration::from_secs(*self.advanced.lock().await)
    }

    /// Moves the clock forward and says what it shows then. What is kept comes first: a restart must not go back.
    pub async fn advance(&self, seconds: u32) -> Result<Timestamp, FolderError> {
        let mut advanced = self.advanced.lock().await;
        let after = advanced.saturating_add(i64::from(seconds));
        if let Some(folder) = &self.folder {
            folder.keep_advanced(after)?;
        }
        *advanced = after;
        self.clock.advance(SignedDuration::from_secs(i64::from(seconds)));
        self.moved.send_replace(());
        Ok(self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_that_was_moved_stays_moved_over_a_restart() {
        let place = tempfile::tempdir().unwrap();
        let folder = Arc::new(Folder::open(place.path()).unwrap());
        let stopped = || Clock::stopped(Timestamp::UNIX_EPOCH);
        let time = Time::resumed(stopped(), Some(folder.clone())).unwrap();
        time.advance(60).await.unwrap();
        time.advance(5).await.unwrap();

        let again = Time::resumed(stopped(), Some(folder)).unwrap();

        assert_eq!(again.clock().now(), time.clock().now());
        assert_eq!(again.ahead().await, SignedDuration::from_secs(65));
    }

    #[tokio::test]
    async fn who_watches_is_told() {
        let time = Time::resumed(Clock::stopped(Timestamp::UNIX_EPOCH), None).unwrap();
        let mut moved = time.moved();

        time.advance(1).await.unwrap();

        moved.changed().await.unwrap();
    }
}
