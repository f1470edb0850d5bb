//! `POST /v1/users/{id}/reject`: refuses a waiting registration, with a reason.

use axum::{
    Json,
    extract::{Path, State},
};
use shared::{
    domain::{Fault, user::Transition},
    http::{Fields, FromFields, Payload, Problem, RequestId, Session, UserBody, text},
};

use crate::{App, act};

/// The longest reason, in characters.
const MAX_REASON: usize = 1000;

/// Why the registration is refused, in words for the applicant.
#[derive(Debug)]
pub struct Reject {
    reason: Option<String>,
}

impl FromFields for Reject {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { reason: fields.optional("reason", text(reason)) })
    }
}

fn reason(text: &str) -> Result<String, Fault> {
    let reason = text.trim();
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if reason.is_empty() || reason.chars().count() > MAX_REASON || reason.contains(odd) {
        let detail = format!("A reason has 1 to {MAX_REASON} characters and no control characters but line breaks.");
        return Err(Fault::new("invalid_reason", detail));
    }
    Ok(reason.to_owned())
}

/// Rejects a waiting registration. The reason is mailed to the applicant and kept nowhere else.
pub async fn reject(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id).await?;
    let body: Reject = payload.read()?;
    act::act(&app, &request, case, Transition::Reject, body.reason.as_deref()).await.map(Json)
}
