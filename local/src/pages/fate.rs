//! Letting a mail that was sent come to nothing.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use http::StatusCode;
use local_services::Fate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Local, problem::Problem};

/// What the mail is to meet.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    kind: Option<String>,
}

/// Lets a mail bounce for good, or with `kind` meet something else, and answers when the portal has taken it in.
pub async fn meet(
    State(local): State<Local>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Problem> {
    let kind = wanted.kind.as_deref().unwrap_or("bounce");
    let fate = Fate::parse(kind).ok_or_else(|| {
        let detail = format!("A mail does not meet {kind}. What it may meet: bounce, transient, complaint.");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    })?;
    let failed = |error: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error);
    let mails = local.mail.arrived().await.list(None).map_err(|error| failed(error.to_string()))?;
    let mail = mails.into_iter().find(|mail| mail.id == id);
    let mail = mail.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("No mail has the id {id}.")))?;
    local.topic.tell(&mail, fate).await.map_err(|error| {
        tracing::error!(error, "news of a mail was not taken in");
        failed(format!("mail-feedback failed: {error}"))
    })?;
    Ok(Json(json!({"id": mail.id, "to": mail.to, "kind": kind})))
}
