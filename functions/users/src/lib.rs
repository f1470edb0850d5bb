//! People: the list that a caller may see, one person, why somebody sees what they see; creating
//! people by hand, changing, removing and deleting them.

pub mod access;
pub mod change;
pub mod create;
pub mod delete;
pub mod list;
pub mod read;
pub mod remove;

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
#[openapi(paths(
    access::access,
    change::change,
    create::create,
    delete::delete,
    list::list,
    read::read,
    remove::remove
))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/users", get(list::list).post(create::create))
        .route("/v1/users/{id}", get(read::read).patch(change::change).delete(delete::delete))
        .route("/v1/users/{id}/access", get(access::access))
        .route("/v1/users/{id}/remove", post(remove::remove));
    finished(routes.with_state(app))
}
