//! `DELETE /v1/organisations/{id}/teams/{team_id}`: deletes a team; who loses their last one goes to the default team.

use axum::extract::State;
use http::StatusCode;
use shared::{
    dissolution::{Dissolution, Progress},
    domain::{
        audit::{Actor, Origin},
        ids::{OrganisationId, TeamId},
        organisation::Team,
        rights::{Action, decide},
    },
    http::{IfMatch, PathIds, Payload, Problem, RequestId, Session, admit},
    store::{DeletedTeam, Marking},
};

use crate::{
    App,
    body::{MAX_TRIES, WORKING_TIME, place_of},
};

/// Why a team is not deleted, or not all of it yet.
#[derive(Debug)]
pub enum DeleteTeamError {
    /// There is no such organisation, or it has no such team.
    Unknown,
    /// It is the default team of its organisation.
    Default,
    /// It is of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing it at the same time.
    Overtaken,
    /// Its row is gone, and people still have to leave it.
    CutOff,
}

impl From<DeleteTeamError> for Problem {
    fn from(error: DeleteTeamError) -> Self {
        match error {
            DeleteTeamError::Unknown => Self::not_found(),
            DeleteTeamError::Default => {
                let detail =
                    "The default team takes in who is in no other team of the organisation. It cannot be deleted.";
                Self::conflict("default-team", "Default team", detail)
            }
            DeleteTeamError::VersionMismatch => Self::version_mismatch(),
            DeleteTeamError::Overtaken | DeleteTeamError::CutOff => Self::try_again(1),
        }
    }
}

/// Deletes a team, with effect at once; then everybody leaves it, for as long as there is time. A repeat goes on where
/// this stops, and so does the schedule.
#[utoipa::path(
    delete, path = "/v1/organisations/{id}/teams/{team_id}",
    params(
        ("id" = OrganisationId, Path, description = "The organisation."),
        ("team_id" = TeamId, Path, description = "The team."),
        IfMatch,
    ),
    responses(
        (status = 204, description = "The team is gone, and everybody has left it."),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
        (status = 409, description = "`default-team`: an organisation's default team stays."),
    ),
)]
pub async fn delete(
    State(app): State<App>,
    session: Session,
    path: PathIds,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let (ids, named) = place_of(&path);
    let facts = app.store.team_deletion_facts(&session.user_id, &ids.0, &ids.1).await?;
    let caller = admit(&session, facts.caller)?;
    decide(&caller, Action::ManageOrganisations)?;
    let organisation = facts.organisation.filter(|organisation| named && !organisation.is_being_deleted());
    let organisation = organisation.ok_or(DeleteTeamError::Unknown)?;
    payload.read_nothing()?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    let deleted = match (facts.team, facts.deleted) {
        (Some(team), _) if organisation.has_as_default(&team) => return Err(DeleteTeamError::Default.into()),
        (Some(team), _) if team.organisation_id == organisation.id => take(&app, team, &if_match, &origin).await?,
        (None, Some(deleted)) => deleted,
        _ => return Err(DeleteTeamError::Unknown.into()),
    };
    let dissolution =
        Dissolution { store: &app.store, clock: &app.clock, origin: &origin, until: Some(origin.now + WORKING_TIME) };
    match dissolution.team(&deleted).await? {
        Progress::Finished => Ok(StatusCode::NO_CONTENT),
        Progress::CutOff => Err(DeleteTeamError::CutOff.into()),
    }
}

/// Takes the team's row away. Who deletes it at the same moment is helped.
async fn take(app: &App, team: Team, if_match: &IfMatch, origin: &Origin) -> Result<DeletedTeam, Problem> {
    let mut team = team;
    for _ in 0..MAX_TRIES {
        if !if_match.allows(team.version) {
            return Err(DeleteTeamError::VersionMismatch.into());
        }
        match app.store.delete_team(&team, origin).await? {
            Marking::Done | Marking::Gone => {
                return Ok(DeletedTeam { team_id: team.id, organisation_id: team.organisation_id });
            }
            Marking::Overtaken(now) => team = *now,
        }
    }
    Err(DeleteTeamError::Overtaken.into())
}

#[cfg(test)]
mod races;
#[cfg(test)]
mod tests;
