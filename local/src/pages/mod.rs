//! What the local portal serves beyond the product, all of it under `/_local/`.

mod clock;
mod fate;
mod mailbox;
mod problem;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Request, State},
    response::{Html, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{functions::Scheduled, gateway::Gateway, portal::SentMail, time::Time, topic::Topic};
use problem::Problem;

/// What the local pages show and move.
#[derive(Clone)]
pub struct Local {
    /// The mail.
    pub mail: SentMail,
    /// What is told of mails that came to nothing.
    pub topic: Topic,
    /// The functions that can be run.
    pub scheduled: BTreeMap<&'static str, Scheduled>,
    /// The clock.
    pub time: Arc<Time>,
}

/// The local pages, and the gateway for everything else.
pub fn router(local: Local, gateway: Arc<Gateway>) -> Router {
    let product = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| -> Response {
        gateway.answer(request, peer.ip()).await
    };
    Router::new()
        .route("/_local", get(index))
        .route("/_local/", get(index))
        .route("/_local/health", get(health))
        .route("/_local/mail", get(mailbox::mail))
        .route("/_local/mail/{id}/bounce", post(fate::meet))
        .route("/_local/mailbox", get(mailbox::page))
        .route("/_local/clock", post(clock::advance))
        .route("/_local/run/{function}", post(run))
        .with_state(local)
        .fallback(product)
}

async fn index() -> Html<&'static str> {
    Html(include_str!("../../templates/index.html"))
}

/// Answers as soon as there is anybody to answer: everything is up by then.
async fn health() -> Json<Value> {
    Json(json!({"status": "up"}))
}

/// Runs a scheduled function and answers with its report when it has finished.
async fn run(State(local): State<Local>, Path(function): Path<String>) -> Result<Json<Value>, Problem> {
    let Some(scheduled) = local.scheduled.get(function.as_str()) else {
        let known = local.scheduled.keys().copied().collect::<Vec<_>>().join(", ");
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("No schedule runs {function}. What can be run: {known}."),
        ));
    };
    scheduled.run().await.map(Json).map_err(|error| {
        tracing::error!(function, error, "the scheduled function failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{function} failed: {error}"))
    })
}
