//! `POST /v1/users/{id}/activate`: switches a person on.

use axum::{
    Json,
    extract::{Path, State},
};
use shared::{
    domain::user::Transition,
    http::{Payload, Problem, RequestId, Session, UserBody},
};

use crate::{App, act};

/// Switches an inactive person on; they are told by mail.
pub async fn activate(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id).await?;
    payload.read_nothing()?;
    act::act(&app, &request, case, Transition::Activate, None).await.map(Json)
}
