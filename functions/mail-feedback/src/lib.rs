//! What becomes of mails after SES took them: woken by the topic that SES tells. Nobody is written to from here.

mod feedback;
mod news;

use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    store::Store,
};

pub use feedback::{Unnoted, handle};

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// The entries, the addresses to which nothing is sent, and whose they are.
    pub store: Store,
    /// Time.
    pub clock: Clock,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Deployed::from_env().await.store()?, clock: Clock::system() })
    }
}
