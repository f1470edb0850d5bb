//! Sending what workflows queued: woken by the stream of the mail table. Its rights end at that table and SES.

mod deliver;

use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    mail::Mailer,
};

pub use deliver::{Unsent, handle};

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// Outbox, templates and SES.
    pub mailer: Mailer,
    /// Time.
    pub clock: Clock,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { mailer: Deployed::from_env().await.mailer()?, clock: Clock::system() })
    }
}
