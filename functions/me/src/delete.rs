//! `DELETE /v1/me`: one leaves for good.

use axum::extract::State;
use http::StatusCode;
use shared::{
    deletion::{self, Deletion},
    domain::{
        audit::Actor,
        rights::{Action, decide},
        user::User,
    },
    http::{IfMatch, Payload, Problem, RequestId, Session, admit},
};

use crate::App;

/// Why somebody stays.
#[derive(Debug)]
pub enum DeleteError {
    /// The account is of another version than the caller has seen.
    VersionMismatch,
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// The session ended meanwhile, perhaps with the account.
    Ended,
    /// The account kept being changed at the same time.
    Overtaken,
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::VersionMismatch => Self::version_mismatch(),
            DeleteError::LastOwner => Self::last_api_owner(),
            DeleteError::Ended => Self::unauthenticated(),
            DeleteError::Overtaken => Self::try_again(1),
        }
    }
}

/// Deletes the caller's own account with everything of it. The session that asks ends with it.
#[utoipa::path(
    delete, path = "/v1/me",
    params(IfMatch),
    responses(
        (status = 204, description = "The account is gone."),
        (status = 409, description = "`last-api-owner`: the portal keeps at least one."),
    ),
)]
pub async fn delete(
    State(app): State<App>,
    session: Session,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::LeaveForGood)?;
    payload.read_nothing()?;
    let origin = request.origin(Actor::User(caller.id.clone()), app.clock.now());
    let may = |caller: &User| {
        if !caller.has_session(&session.id) {
            return Err(DeleteError::Ended.into());
        }
        if if_match.allows(caller.version) { Ok(()) } else { Err(DeleteError::VersionMismatch.into()) }
    };
    match deletion::delete(&app.store, &app.identity, caller, Some(&session.id), may, &origin).await? {
        Deletion::Done => Ok(StatusCode::NO_CONTENT),
        Deletion::LastOwner => Err(DeleteError::LastOwner.into()),
        Deletion::Gone => Err(DeleteError::Ended.into()),
        Deletion::Overtaken => Err(DeleteError::Overtaken.into()),
    }
}

#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod races;
#[cfg(test)]
pub(crate) mod tests;
