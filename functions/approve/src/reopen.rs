//! `POST /v1/users/{id}/reopen`: lets a rejected registration wait again.

use axum::{
    Json,
    extract::{Path, State},
};
use shared::{
    domain::user::Transition,
    http::{Payload, Problem, RequestId, Session, UserBody},
};

use crate::{App, act};

/// Lets a rejected registration wait for approval again.
pub async fn reopen(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id).await?;
    payload.read_nothing()?;
    act::act(&app, &request, case, Transition::Reopen, None).await.map(Json)
}
