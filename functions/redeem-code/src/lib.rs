//! Redeeming an invite code: registering with a slot of it, into its team.
//!
//! A slot and a person are written together or not at all, and nothing here tells an outsider whether an address has an
//! account: known and unknown ones get the same answer by the same calls (`docs/architecture.md`, sections 3.11 and 3.17).

pub mod redeem;

use axum::{Router, routing::post};
use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    http::finished,
    identity::Identity,
    store::Store,
};
use utoipa::OpenApi;

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// State.
    pub store: Store,
    /// Passwords.
    pub identity: Identity,
    /// Time.
    pub clock: Clock,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        let deployed = Deployed::from_env().await;
        Ok(Self { store: deployed.store()?, identity: deployed.identity()?, clock: Clock::system() })
    }
}

/// The function's part of the contract.
#[derive(Debug, OpenApi)]
#[openapi(paths(redeem::redeem))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    finished(Router::new().route("/v1/invite-codes/redeem", post(redeem::redeem)).with_state(app))
}
