//! What a new portal starts with, laid at deployment: the Default Organisation and its team, settings, and the first
//! API Owner's invitation. May be repeated; what is there is left alone.

mod deployment;
mod lay;
mod parameters;

use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    store::Store,
};

pub use deployment::{Answer, answer, send};
pub use lay::lay;
pub use parameters::{Parameters, ParametersError};

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// State.
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
