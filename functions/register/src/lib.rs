//! Registering: the open form, the mailed link that confirms the address, and asking for that mail again.
//!
//! Nothing here tells an outsider whether an address has an account: known and unknown ones get the same answer by the
//! same calls (`docs/architecture.md`, section 3.11).

pub mod confirm;
pub mod register;
pub mod resend;
mod with_password;

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
#[openapi(paths(register::register, confirm::confirm, resend::resend))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/registrations", post(register::register))
        .route("/v1/registrations/confirm", post(confirm::confirm))
        .route("/v1/registrations/resend", post(resend::resend));
    finished(routes.with_state(app))
}
