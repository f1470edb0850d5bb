//! People: the list that a caller may see, one person, creating people by hand, changing and deleting them.

pub mod change;
pub mod create;
pub mod delete;
pub mod list;
pub mod read;

use axum::{Router, routing::get};
use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    http::finished,
    identity::Identity,
    store::Store,
};

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

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/users", get(list::list).post(create::create))
        .route("/v1/users/{id}", get(read::read).patch(change::change).delete(delete::delete));
    finished(routes.with_state(app))
}
