//! Logging in, going on with new tokens, logging out, and the ways to another password.

pub mod challenge;
pub mod forgot_password;
pub mod login;
pub mod logout;
pub mod refresh;
pub mod reset_password;

use axum::{Router, routing::post};
use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    http::finished,
    identity::Identity,
    random::Random,
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
    /// Names that cannot exist, for addresses without an account, and the tokens of challenges.
    pub random: Random,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        let deployed = Deployed::from_env().await;
        let (store, identity) = (deployed.store()?, deployed.identity()?);
        Ok(Self { store, identity, clock: Clock::system(), random: deployed.random() })
    }
}

/// The function's part of the contract.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    login::login,
    challenge::challenge,
    forgot_password::forgot_password,
    reset_password::reset_password,
    refresh::refresh,
    logout::logout
))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/auth/login", post(login::login))
        .route("/v1/auth/challenge", post(challenge::challenge))
        .route("/v1/auth/forgot-password", post(forgot_password::forgot_password))
        .route("/v1/auth/reset-password", post(reset_password::reset_password))
        .route("/v1/auth/refresh", post(refresh::refresh))
        .route("/v1/auth/logout", post(logout::logout));
    finished(routes.with_state(app))
}
