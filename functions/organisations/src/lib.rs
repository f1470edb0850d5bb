//! Organisations and their teams: API Owners create, list, read, rename and delete them.

pub mod approve_request;
pub mod body;
pub mod change;
pub mod change_team;
pub mod create;
pub mod create_team;
pub mod delete;
pub mod delete_team;
pub mod list;
pub mod list_requests;
pub mod list_teams;
pub mod read;
pub mod reject_request;
pub mod request;
pub mod request_body;

use axum::{
    Router,
    routing::{get, patch, post},
};
use shared::{
    clock::Clock,
    config::{ConfigError, Deployed},
    http::finished,
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
}

impl App {
    /// The deployed function's parts.
    pub async fn from_env() -> Result<Self, ConfigError> {
        let deployed = Deployed::from_env().await;
        Ok(Self { store: deployed.store()?, clock: Clock::system() })
    }
}

/// The function's part of the contract.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    approve_request::approve,
    change::change,
    change_team::change,
    create::create,
    create_team::create,
    delete::delete,
    delete_team::delete,
    list::list,
    list_requests::list,
    list_teams::list,
    read::read,
    reject_request::reject,
    request::ask
))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/organisations", get(list::list).post(create::create))
        .route("/v1/organisations/{id}", get(read::read).patch(change::change).delete(delete::delete))
        .route("/v1/organisations/{id}/teams", get(list_teams::list).post(create_team::create))
        .route("/v1/organisations/{id}/teams/{team_id}", patch(change_team::change).delete(delete_team::delete))
        .route("/v1/organisation-requests", get(list_requests::list).post(request::ask))
        .route("/v1/organisation-requests/{id}/approve", post(approve_request::approve))
        .route("/v1/organisation-requests/{id}/reject", post(reject_request::reject));
    finished(routes.with_state(app))
}
