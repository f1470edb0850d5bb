//! `POST /v1/organisation-requests`: somebody in the Default Organisation asks for an organisation of their own.

use axum::extract::State;
use shared::{
    domain::{
        audit::Actor,
        ids::OrganisationRequestId,
        name::Name,
        organisation_request::OrganisationRequest,
        rights::{Action, decide},
    },
    http::{Created, Fields, FromFields, IdempotencyKey, Payload, Problem, RequestId, Session, admit, recall, text},
    store::Requested,
};
use utoipa::ToSchema;

use crate::{App, request_body::RequestBody};

/// The organisation that is asked for.
#[derive(Debug, ToSchema)]
#[schema(as = RequestOrganisation)]
pub struct Ask {
    /// The organisation's name.
    name: Name,
}

impl FromFields for Ask {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { name: fields.required("name", text(Name::parse))? })
    }
}

/// Why there is no request.
#[derive(Debug)]
pub enum AskError {
    /// The settings let nobody ask.
    Closed,
    /// Another of theirs waits.
    Pending(OrganisationRequestId),
    /// They were moved or switched off a moment ago: the same request is judged anew.
    Overtaken,
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Closed => {
                let detail = "Organisations cannot be asked for here.";
                Self::refused("organisation-requests-closed", "Not open for requests", detail)
            }
            AskError::Pending(id) => {
                let detail = "A request of yours waits already.";
                let problem = Self::conflict("organisation-request-pending", "Already asked", detail);
                problem.member("organisation_request_id", id.as_str().into())
            }
            AskError::Overtaken => Self::try_again(1),
        }
    }
}

/// Takes a request; where the settings approve it at once, the organisation is there with the answer.
#[utoipa::path(
    post, path = "/v1/organisation-requests",
    params(IdempotencyKey), request_body = Ask,
    responses(
        (status = 201, description = "The request; `approved` where the settings approve it at once.", body = RequestBody),
        (status = 403, description = "`forbidden`: only consumers of the Default Organisation ask. \
            `organisation-requests-closed`: the settings let nobody ask."),
        (status = 409, description = "`organisation-request-pending`: one of theirs waits, `organisation_request_id`."),
    ),
)]
pub async fn ask(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<RequestBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let facts = app.store.request_facts(&session.user_id, wish.sought()).await?;
    let caller = admit(&session, facts.caller)?;
    let origin = request.origin(Actor::User(caller.id.clone()), now);
    // A repeat finds its request even where that moved the caller out of the Default Organisation.
    let (asked, replayed): (OrganisationRequest, bool) = if let Some(record) = facts.record {
        (recall(&app.store, record, &origin.repeatable(wish.granted()?)).await?, true)
    } else {
        decide(&caller, Action::RequestOrganisation)?;
        if !facts.settings.organisation_requests {
            return Err(AskError::Closed.into());
        }
        let Ask { name } = payload.read()?;
        let origin = origin.repeatable(wish.granted()?);
        let requested = if facts.settings.organisation_requests_auto_approve {
            app.store.request_and_found(&caller, name, &origin).await?
        } else {
            app.store.request_organisation(&caller, name, &facts.owners_to_notify, &origin).await?
        };
        match requested {
            Requested::Done(asked) => (*asked, false),
            Requested::Pending(id) => return Err(AskError::Pending(id).into()),
            Requested::Repeated(record) => (recall(&app.store, record, &origin).await?, true),
            Requested::Unfit => return Err(AskError::Overtaken.into()),
        }
    };
    let location = format!("/v1/organisation-requests/{}", asked.id);
    Ok(Created::at(location, RequestBody::new(asked, Some(caller))).replayed(replayed))
}

#[cfg(test)]
pub(crate) mod tests;
