//! Invite codes: API Owners create, see, change and delete them, and see who came in by them.
//!
//! A code in a path is read as a typed one: without case, hyphens and white space.

pub mod change;
pub mod create;
pub mod delete;
pub mod list;
pub mod read;
pub mod redemptions;
mod view;

use axum::{
    Router,
    routing::{get, post},
};
use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    http::finished,
    random::Random,
    store::Store,
};
use utoipa::OpenApi;

/// What this function uses.
#[derive(Clone, Debug)]
pub struct App {
    /// State.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// New codes.
    pub random: Random,
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        let deployed = Deployed::from_env().await;
        Ok(Self { store: deployed.store()?, clock: Clock::system(), random: deployed.random() })
    }
}

/// The function's part of the contract.
#[derive(Debug, OpenApi)]
#[openapi(paths(change::change, create::create, delete::delete, list::list, read::read, redemptions::redemptions,))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/invite-codes", post(create::create).get(list::list))
        .route("/v1/invite-codes/{code}", get(read::read).patch(change::change).delete(delete::delete))
        .route("/v1/invite-codes/{code}/redemptions", get(redemptions::redemptions));
    finished(routes.with_state(app))
}
