//! `DELETE /v1/organisations/{id}`: deletes an organisation with its teams; its people go to the Default Organisation.

use axum::extract::State;
use http::StatusCode;
use shared::{
    dissolution::{Dissolution, Progress},
    domain::{audit::Actor, ids::OrganisationId, organisation::Organisation},
    http::{IfMatch, PathId, Payload, Problem, RequestId, Session},
    store::Marking,
};

use crate::{
    App,
    body::{MAX_TRIES, WORKING_TIME, find},
};

/// Why an organisation is not deleted, or not all of it yet.
#[derive(Debug)]
pub enum DeleteError {
    /// It is the Default Organisation.
    Default,
    /// It was deleted a moment ago.
    Gone,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing it at the same time.
    Overtaken,
    /// It is gone for everybody but the people who still have to be moved.
    CutOff,
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Default => {
                let detail = "The Default Organisation takes in who is in no other. It cannot be deleted.";
                Self::conflict("default-organisation", "Default Organisation", detail)
            }
            DeleteError::Gone => Self::not_found(),
            DeleteError::VersionMismatch => Self::version_mismatch(),
            DeleteError::Overtaken | DeleteError::CutOff => Self::try_again(1),
        }
    }
}

/// Deletes an organisation, with effect at once; then its people are moved, for as long as there is time. A repeat goes on
/// where this stops, and so does the schedule.
#[utoipa::path(
    delete, path = "/v1/organisations/{id}",
    params(("id" = OrganisationId, Path, description = "The organisation."), IfMatch),
    responses(
        (status = 204, description = "The organisation is gone, and everybody has moved."),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
        (status = 409, description = "`default-organisation`: the Default Organisation stays."),
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
    let (caller, organisation) = find(&app, &session, &id).await?;
    payload.read_nothing()?;
    if organisation.is_default() {
        return Err(DeleteError::Default.into());
    }
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    let organisation = mark(&app, organisation, &if_match, &origin).await?;
    let dissolution =
        Dissolution { store: &app.store, clock: &app.clock, origin: &origin, until: Some(origin.now + WORKING_TIME) };
    match dissolution.organisation(&organisation).await? {
        Progress::Finished => Ok(StatusCode::NO_CONTENT),
        Progress::CutOff => Err(DeleteError::CutOff.into()),
    }
}

/// Marks the organisation, unless it is marked: then the version that the caller names is one of before that.
async fn mark(
    app: &App,
    organisation: Organisation,
    if_match: &IfMatch,
    origin: &shared::domain::audit::Origin,
) -> Result<Organisation, Problem> {
    let mut organisation = organisation;
    for _ in 0..MAX_TRIES {
        if organisation.is_being_deleted() {
            return Ok(organisation);
        }
        if !if_match.allows(organisation.version) {
            return Err(DeleteError::VersionMismatch.into());
        }
        match app.store.mark_organisation_deleting(&organisation, origin).await? {
            Marking::Done => return Ok(organisation),
            Marking::Overtaken(now) => organisation = *now,
            Marking::Gone => return Err(DeleteError::Gone.into()),
        }
    }
    Err(DeleteError::Overtaken.into())
}

#[cfg(test)]
mod cut_off;
#[cfg(test)]
mod races;
#[cfg(test)]
pub(crate) mod tests;
