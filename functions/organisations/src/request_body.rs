//! How requests for an organisation are shown, and what the decisions about them have in common.

use serde::Serialize;
use shared::{
    domain::{
        email::Email,
        ids::{OrganisationRequestId, UserId},
        name::Name,
        organisation_request::{OrganisationRequest, RequestStatus},
        rights::{Action, decide},
        user::User,
    },
    http::{Instant, Problem, Session, admit},
};
use utoipa::ToSchema;

use crate::App;

/// A request for an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganisationRequest)]
pub struct RequestBody {
    id: OrganisationRequestId,
    /// The organisation's name, as it was asked for or approved.
    name: Name,
    status: RequestStatus,
    /// Who asks; nobody once they are deleted.
    requester: Option<RequesterBody>,
    created_at: Instant,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Requester)]
pub struct RequesterBody {
    id: UserId,
    first_name: Name,
    last_name: Name,
    #[schema(value_type = Email)]
    email: String,
}

impl RequestBody {
    /// `request` with who made it; nobody once they are deleted.
    #[must_use]
    pub fn new(request: OrganisationRequest, requester: Option<User>) -> Self {
        let requester = requester.map(|requester| RequesterBody {
            id: requester.id,
            first_name: requester.first_name,
            last_name: requester.last_name,
            email: requester.email.into(),
        });
        let created_at = Instant(request.created_at);
        Self { id: request.id, name: request.name, status: request.status, requester, created_at }
    }
}

/// Lets an API Owner in and finds the request of the path, in one batch. Rights come first.
///
/// # Errors
/// 401, 403, and 404 where there is no such request.
pub(crate) async fn open(app: &App, session: &Session, id: &str) -> Result<(User, OrganisationRequest), Problem> {
    let id = OrganisationRequestId::parse(id);
    let (caller, request) = app.store.caller_and_request(&session.user_id, id.as_ref()).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::DecideOrganisationRequests)?;
    Ok((caller, request.ok_or_else(Problem::not_found)?))
}

/// 409: the request was decided before.
pub(crate) fn already_decided(status: RequestStatus) -> Problem {
    let detail = format!("This request is {} already.", status.as_str());
    let problem = Problem::conflict("organisation-request-decided", "Already decided", detail);
    problem.member("request_status", status.as_str().into())
}
