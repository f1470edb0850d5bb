//! Inviting by a mailed link, one person or many: sending, listing, revoking, and what the invitee does with the link.
//!
//! A Consumer Admin does not learn here whether an address has an account that they cannot see: known and unknown ones
//! get the same answer by the same calls (`docs/architecture.md`, section 3.11).

pub mod accept;
pub mod bulk;
pub mod create;
pub mod list;
mod manage;
mod plan;
pub mod preview;
pub mod read;
pub mod resend;
pub mod revoke;
pub mod send;
mod view;

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
    accept::accept,
    bulk::bulk,
    create::create,
    list::list,
    preview::preview,
    read::read,
    resend::resend,
    revoke::revoke,
    send::send
))]
pub struct Contract;

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/v1/invitations", get(list::list).post(create::create))
        .route("/v1/invitations/bulk", post(bulk::bulk))
        .route("/v1/invitations/preview", post(preview::preview))
        .route("/v1/invitations/accept", post(accept::accept))
        .route("/v1/invitations/{id}", get(read::read).delete(revoke::revoke))
        .route("/v1/invitations/{id}/resend", post(resend::resend))
        .route("/v1/users/{id}/invite", post(send::send));
    finished(routes.with_state(app))
}
