//! The stream of the mail table: what is written there starts the function that sends it, as the template's event
//! source mapping says.

mod filter;
mod mapping;
mod source;

use std::{sync::Arc, time::Duration};

use aws_lambda_events::event::dynamodb::Event;
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::sleep,
};

pub use mapping::{Mapping, MappingError};
pub use source::{Source, SourceError};

/// How long a stream is left alone when nobody says that something was written: reading it costs more the longer it
/// gets.
const IDLE: Duration = Duration::from_secs(1);
/// How long what was written waits for more of it.
const GATHERING: Duration = Duration::from_millis(25);
/// The wait before a batch is tried again; each one after it is twice as long.
const BACKOFF: Duration = Duration::from_millis(200);

/// Reads a stream and starts a function for what it finds.
pub struct Pump {
    /// Which records.
    pub mapping: Mapping,
    /// From where.
    pub source: Source,
    /// The function.
    pub function: deliver_mail::App,
    /// Told when something may have been written.
    pub written: Arc<Notify>,
    /// Those who wait until everything written so far is dealt with.
    pub waiting: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    /// Told, by its end or a change, when to stop.
    pub stop: watch::Receiver<bool>,
}

impl Pump {
    /// Pumps until it is told to stop; what was written before that is dealt with.
    pub async fn run(mut self) {
        loop {
            let mut waiting = Vec::new();
            while let Ok(waiter) = self.waiting.try_recv() {
                waiting.push(waiter);
            }
            self.empty().await;
            for waiter in waiting {
                // Who no longer waits need not be told.
                let _ = waiter.send(());
            }
            tokio::select! {
                waiter = self.waiting.recv() => match waiter {
                    Some(waiter) => {
                        self.empty().await;
                        let _ = waiter.send(());
                    }
                    None => break,
                },
                () = self.written.notified() => sleep(GATHERING).await,
                () = sleep(IDLE) => {}
                _ = self.stop.changed() => break,
            }
        }
        self.empty().await;
    }

    /// Deals with everything that the stream holds.
    async fn empty(&mut self) {
        loop {
            match self.source.next().await {
                Ok(records) if records.is_empty() => return,
                Ok(records) => {
                    let wanted: Vec<Value> = records.into_iter().filter(|record| self.mapping.wants(record)).collect();
                    for batch in wanted.chunks(self.mapping.batch) {
                        self.deliver(batch.to_vec()).await;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the stream of mail cannot be read; it is tried again");
                    return;
                }
            }
        }
    }

    /// Starts the function with a batch; one that fails is halved and tried again, as often as the mapping says.
    async fn deliver(&self, batch: Vec<Value>) {
        let mut batches = vec![(batch, 0)];
        while let Some((batch, tried)) = batches.pop() {
            let Err(error) = self.start(&batch).await else { continue };
            if tried == self.mapping.retries {
                tracing::error!(%error, records = batch.len(), "mail was given up; the next sweep takes it up again");
                continue;
            }
            tracing::warn!(%error, records = batch.len(), "mail was not sent; it is tried again");
            sleep(BACKOFF * 2_u32.saturating_pow(u32::try_from(tried).unwrap_or(u32::MAX))).await;
            let (first, second) =
                batch.split_at(if self.mapping.bisect { batch.len().div_ceil(2) } else { batch.len() });
            // The last one is taken first.
            for half in [second, first].into_iter().filter(|half| !half.is_empty()) {
                batches.push((half.to_vec(), tried + 1));
            }
        }
    }

    async fn start(&self, batch: &[Value]) -> Result<(), String> {
        let event: Event = serde_json::from_value(json!({"Records": batch})).map_err(|error| error.to_string())?;
        let function = self.function.clone();
        // On a task of its own, so that a panic ends this call and not the stream.
        let running =
            tokio::spawn(
                async move { deliver_mail::handle(&function, event).await.map_err(|error| error.to_string()) },
            );
        running.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }
}
