//! `POST /v1/organisation-requests/{id}/approve`: an API Owner gives somebody an organisation of their own.

use axum::{Json, extract::State};
use shared::{
    domain::{
        audit::{Actor, Origin},
        ids::OrganisationRequestId,
        name::Name,
        organisation_request::{OrganisationRequest, RequestStatus, Unfit, fits},
        user::{Status, User},
    },
    http::{Fields, FromFields, PathId, Payload, Problem, RequestId, Session, text},
    store::DecidedRequest,
};
use utoipa::ToSchema;

use crate::{
    App,
    body::MAX_TRIES,
    request_body::{RequestBody, already_decided, open},
};

/// How it is called.
#[derive(Debug, ToSchema)]
#[schema(as = ApproveOrganisationRequest)]
pub struct Approve {
    /// Another name than was asked for.
    name: Option<Name>,
}

impl FromFields for Approve {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { name: fields.optional("name", text(Name::parse)) })
    }
}

/// Why nobody gets an organisation.
#[derive(Debug)]
pub enum ApproveError {
    /// It was decided before.
    Decided(RequestStatus),
    /// The requester is gone, or in another organisation: the request is rejected.
    RequesterUnavailable,
    /// The requester is in this status; the request goes on waiting.
    RequesterNotActive(Status),
    /// The requester kept changing.
    Overtaken,
}

impl From<ApproveError> for Problem {
    fn from(error: ApproveError) -> Self {
        match error {
            ApproveError::Decided(status) => already_decided(status),
            ApproveError::RequesterUnavailable => {
                let detail =
                    "Whoever asked was deleted, or is in another organisation by now. The request is rejected.";
                Self::conflict("requester-unavailable", "Requester gone or moved", detail)
            }
            ApproveError::RequesterNotActive(status) => Self::wrong_status(status),
            ApproveError::Overtaken => Self::try_again(1),
        }
    }
}

/// Approves a request, under another name where one is given: its requester becomes the Consumer Admin of a new
/// organisation, in its default team.
#[utoipa::path(
    post, path = "/v1/organisation-requests/{id}/approve",
    params(("id" = OrganisationRequestId, Path, description = "The request.")), request_body = Option<Approve>,
    responses(
        (status = 200, description = "The request, which is approved now.", body = RequestBody),
        (status = 403, description = "`forbidden`: only API Owners decide about requests."),
        (status = 409, description = "`organisation-request-decided`: it was decided before; `request_status` says how. \
            `requester-unavailable`: who asked is gone or in another organisation, and the request is rejected. \
            `wrong-status`: who asked is not active, and the request goes on waiting; `user_status` says what they are."),
    ),
)]
pub async fn approve(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<RequestBody>, Problem> {
    let (caller, asked) = open(&app, &session, &id).await?;
    let Approve { name } = payload.read()?;
    if asked.status != RequestStatus::Pending {
        return Err(ApproveError::Decided(asked.status).into());
    }
    let name = name.unwrap_or_else(|| asked.name.clone());
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        let requester = app.store.person(&asked.requester).await?;
        let requester = match fits(requester.as_ref()) {
            Ok(requester) => requester,
            Err(Unfit::ForNow(status)) => return Err(ApproveError::RequesterNotActive(status).into()),
            Err(Unfit::ForGood) => return Err(end(&app, &asked, &origin).await?.into()),
        };
        match app.store.approve_request(&asked, requester, name.clone(), &origin).await? {
            DecidedRequest::Done(approved) => return Ok(Json(shown(*approved, requester))),
            DecidedRequest::Decided(status) => return Err(ApproveError::Decided(status).into()),
            // Of a request that went with its requester, the next round finds nothing.
            DecidedRequest::RequesterChanged | DecidedRequest::Gone => {}
        }
    }
    Err(ApproveError::Overtaken.into())
}

fn shown(approved: OrganisationRequest, requester: &User) -> RequestBody {
    RequestBody::new(approved, Some(requester.clone()))
}

/// Ends a request of which nothing can come any more. Nobody is mailed: whoever asked has a place, or is gone.
async fn end(app: &App, asked: &OrganisationRequest, origin: &Origin) -> Result<ApproveError, Problem> {
    Ok(match app.store.reject_request(asked, None, None, origin).await? {
        DecidedRequest::Decided(status) => ApproveError::Decided(status),
        DecidedRequest::Gone => return Err(Problem::not_found()),
        DecidedRequest::Done(_) | DecidedRequest::RequesterChanged => ApproveError::RequesterUnavailable,
    })
}

#[cfg(test)]
mod tests;
