//! `DELETE /v1/users/{id}`: an API Owner deletes somebody for good.

use axum::extract::State;
use http::StatusCode;
use shared::{
    deletion::{self, Deletion},
    domain::{
        audit::Actor,
        ids::UserId,
        rights::{Action, decide},
        user::User,
    },
    http::{IfMatch, PathId, Payload, Problem, RequestId, Session, admit},
};

use crate::App;

/// Why a person stays.
#[derive(Debug)]
pub enum DeleteError {
    /// There is no such person.
    Unknown,
    /// They are of another version than the caller has seen.
    VersionMismatch,
    /// The portal would be left without an active API Owner.
    LastOwner,
    /// They kept changing at the same time.
    Overtaken,
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Unknown => Self::not_found(),
            DeleteError::VersionMismatch => Self::version_mismatch(),
            DeleteError::LastOwner => Self::last_api_owner(),
            DeleteError::Overtaken => Self::try_again(1),
        }
    }
}

/// Deletes a person in whatever state, with everything of them. Their tokens are refused with the next request.
#[utoipa::path(
    delete, path = "/v1/users/{id}",
    params(("id" = UserId, Path, description = "The person."), IfMatch),
    responses(
        (status = 204, description = "The person is gone, and their address is free."),
        (status = 403, description = "`forbidden`: only API Owners delete people, and nobody themselves in this way."),
        (status = 409, description = "`last-api-owner`: the portal keeps at least one."),
    ),
)]
pub async fn delete(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let id = UserId::parse(&id);
    let (caller, person, _) =
        app.store.caller_and_person(&session.user_id, id.as_ref().unwrap_or(&session.user_id)).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::DeletePeople)?;
    let person = person.filter(|_| id.is_some()).ok_or(DeleteError::Unknown)?;
    decide(&caller, Action::DeletePerson(&person))?;
    payload.read_nothing()?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    let may = |person: &User| {
        if if_match.allows(person.version) { Ok(()) } else { Err(DeleteError::VersionMismatch.into()) }
    };
    match deletion::delete(&app.store, &app.identity, person, None, may, &origin).await? {
        Deletion::Done => Ok(StatusCode::NO_CONTENT),
        Deletion::LastOwner => Err(DeleteError::LastOwner.into()),
        Deletion::Gone => Err(DeleteError::Unknown.into()),
        Deletion::Overtaken => Err(DeleteError::Overtaken.into()),
    }
}

#[cfg(test)]
mod tests;
