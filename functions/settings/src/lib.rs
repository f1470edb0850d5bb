//! The portal's settings, custom sign-up attributes and templates of mails, for API Owners to read and change, and the part
//! that the sign-up form needs; the audit trail.

pub mod attributes;
pub mod audit;
pub mod change;
pub mod contract;
pub mod public;
mod queue;
pub mod read;
pub mod templates;

use axum::{
    Router,
    routing::{get, post},
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
        Ok(Self { store: Deployed::from_env().await.store()?, clock: Clock::system() })
    }
}

/// The function's part of the contract.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    attributes::change::change,
    attributes::create::create,
    attributes::delete::delete,
    attributes::list::list,
    attributes::read::read,
    audit::list,
    change::change,
    contract::contract,
    public::public,
    read::read,
    templates::change::change,
    templates::list::list,
    templates::preview::preview,
    templates::read::read,
    templates::reset::reset
))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/settings", get(read::read).patch(change::change))
        .route("/v1/settings/public", get(public::public))
        .route("/v1/openapi.json", get(contract::contract))
        .route("/v1/audit-events", get(audit::list))
        .route("/v1/user-attributes", get(attributes::list::list).post(attributes::create::create))
        .route(
            "/v1/user-attributes/{name}",
            get(attributes::read::read).patch(attributes::change::change).delete(attributes::delete::delete),
        )
        .route("/v1/email-templates", get(templates::list::list))
        .route(
            "/v1/email-templates/{event}",
            get(templates::read::read).put(templates::change::change).delete(templates::reset::reset),
        )
        .route("/v1/email-templates/{event}/preview", post(templates::preview::preview));
    finished(routes.with_state(app))
}
