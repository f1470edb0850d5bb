//! `POST /v1/users/{id}/deactivate`: switches a person off and ends every session.

use axum::{
    Json,
    extract::{Path, State},
};
use shared::{
    domain::user::Transition,
    http::{Payload, Problem, RequestId, Session, UserBody},
};

use crate::{App, act};

/// Switches an active person off. Their tokens are refused with the next request: the sessions go in the same write as
/// the state. Cognito's refresh tokens end after it; a crash in between leaves them without a session, hence useless.
pub async fn deactivate(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id).await?;
    payload.read_nothing()?;
    let person = case.person_id();
    let shown = act::act(&app, &request, case, Transition::Deactivate, None).await?;
    app.identity.sign_out_everywhere(&person).await?;
    Ok(Json(shown))
}
