//! `DELETE /v1/invitations/{id}`: takes an invitation back, for good.

use axum::extract::State;
use http::StatusCode;
use shared::{
    domain::{
        audit::Actor,
        ids::InvitationId,
        invitation::InvitationStatus,
        rights::{Action, decide},
    },
    http::{PathId, Payload, Problem, RequestId, Session},
    store::Revoked,
};

use crate::{
    App,
    manage::{self, MAX_TRIES, ManageError},
};

/// Revokes an invitation: its links are dead at once. Whoever came in by it alone is gone with it, and the address is
/// free. Doing it again changes nothing.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}",
    params(("id" = InvitationId, Path, description = "The invitation.")),
    responses(
        (status = 204, description = "The invitation is revoked, now or before."),
        (status = 403, description = "`forbidden`: only API Owners, and Consumer Admins of all its teams, may."),
        (status = 409, description = "`wrong-status`: it does not start from where the invitation stands, `invitation_status`."),
    ),
)]
pub async fn revoke(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let now = app.clock.now();
    let mut payload = Some(payload);
    for _ in 0..MAX_TRIES {
        let (caller, _, invitation) = manage::open(&app, &session, &id).await?;
        decide(&caller, Action::ManageInvitation(&invitation))?;
        if let Some(payload) = payload.take() {
            payload.read_nothing()?;
        }
        match invitation.status {
            InvitationStatus::Revoked => return Ok(StatusCode::NO_CONTENT),
            InvitationStatus::Accepted => return Err(ManageError::WrongStatus(invitation.status).into()),
            InvitationStatus::Pending | InvitationStatus::Expired => {}
        }
        let origin = request.origin(Actor::User(caller.id.clone()), now);
        match app.store.revoke_invitation(&invitation, &app.store.invitee(&invitation).await?, &origin).await? {
            Revoked::Done => return Ok(StatusCode::NO_CONTENT),
            Revoked::Overtaken => {}
        }
    }
    Err(ManageError::Overtaken.into())
}

#[cfg(test)]
pub(crate) mod tests;
