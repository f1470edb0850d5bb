//! The schedule's work: what has expired, what was left half-way, what was not sent.
//!
//! Safe to overlap and to repeat: every row on its own, every write conditioned on what makes it due. Being late never
//! makes an expired thing usable: expiry is decided where a thing is used.

mod sweep;

use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    identity::Identity,
    mail::Mailer,
    store::Store,
};

pub use sweep::{Report, Unfinished, handle, last_call};

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// State.
    pub store: Store,
    /// Cognito users to remove.
    pub identity: Identity,
    /// What was not sent.
    pub mailer: Mailer,
    /// Whether the pool is this portal's alone: only then are users removed from it whom nobody knows.
    pub owns_pool: bool,
    /// Time.
    pub clock: Clock,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        let deployed = Deployed::from_env().await;
        Ok(Self {
            store: deployed.store()?,
            identity: deployed.identity()?,
            mailer: deployed.mailer()?,
            owns_pool: deployed.owns_pool()?,
            clock: Clock::system(),
        })
    }
}
