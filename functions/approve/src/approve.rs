//! `POST /v1/users/{id}/approve`: lets a waiting registration in.

use axum::{
    Json,
    extract::{Path, State},
};
use shared::{
    domain::user::Transition,
    http::{Payload, Problem, RequestId, Session, UserBody},
};

use crate::{App, act};

/// Approves a waiting registration: it becomes active and is told so by mail.
pub async fn approve(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id).await?;
    payload.read_nothing()?;
    act::act(&app, &request, case, Transition::Approve, None).await.map(Json)
}
