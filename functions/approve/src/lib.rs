//! Deciding about people: approve, reject and reopen registrations, switch people on and off. API Owners only.

mod act;
pub mod activate;
pub mod approve;
pub mod deactivate;
pub mod reject;
pub mod reopen;

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
    /// Tokens, to end them.
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
#[openapi(paths(activate::activate, approve::approve, deactivate::deactivate, reject::reject, reopen::reopen))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/users/{id}/approve", post(approve::approve))
        .route("/v1/users/{id}/reject", post(reject::reject))
        .route("/v1/users/{id}/reopen", post(reopen::reopen))
        .route("/v1/users/{id}/activate", post(activate::activate))
        .route("/v1/users/{id}/deactivate", post(deactivate::deactivate));
    finished(routes.with_state(app))
}
