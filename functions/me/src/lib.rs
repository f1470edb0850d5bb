//! One's own account.

pub mod read;

use axum::{Router, routing::get};
use shared::{
    config::{ConfigError, Deployed},
    http::finished,
    store::Store,
};

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// State.
    pub store: Store,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Deployed::from_env().await.store()? })
    }
}

/// The function's routes.
pub fn router(app: App) -> Router {
    finished(Router::new().route("/v1/me", get(read::read)).with_state(app))
}
