//! One's own account.

pub mod change;
pub mod delete;
pub mod export;
pub mod organisation;
pub mod password;
pub mod read;

use axum::{
    Router,
    routing::{get, post},
};
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
    /// Passwords and tokens.
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
#[openapi(paths(
    change::change,
    delete::delete,
    export::export,
    organisation::organisation,
    password::change_password,
    read::read
))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/me", get(read::read).patch(change::change).delete(delete::delete))
        .route("/v1/me/export", get(export::export))
        .route("/v1/me/organisation", get(organisation::organisation))
        .route("/v1/me/password", post(password::change_password));
    finished(routes.with_state(app))
}
