//! `POST /v1/invitations/{id}/resend`: sends an invitation again. The old link is void, the time starts anew.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{
        audit::Actor,
        ids::InvitationId,
        rights::{self, Action, decide},
    },
    http::{PathId, Payload, Problem, RequestId, Session},
    mail::Delivery,
    store::{Inviting, Resent},
};

use crate::{
    App,
    create::invitations_closed,
    manage::{self, MAX_TRIES, ManageError},
    view::InvitationBody,
};

/// Why nothing is sent again, beside what keeps every invitation as it is.
#[derive(Debug)]
pub enum ResendError {
    /// Consumer Admins' invitations are switched off.
    Closed,
    /// No sender is set.
    NoSender,
    /// One of its teams is gone.
    NoSuchTeam,
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Closed => invitations_closed(),
            ResendError::NoSender => Self::mail_not_configured(),
            ResendError::NoSuchTeam => Self::unknown_team(),
        }
    }
}

/// Sends an invitation again, while it waits or after its time has passed.
#[utoipa::path(
    post, path = "/v1/invitations/{id}/resend",
    params(("id" = InvitationId, Path, description = "The invitation.")),
    responses(
        (status = 202, description = "The invitation, its mail queued and its time begun anew.", body = InvitationBody),
        (status = 403, description = "`forbidden`: only API Owners, and Consumer Admins of all its teams, may. \
            `invitations-closed`: inviting is switched off for Consumer Admins."),
        (status = 409, description = "`wrong-status`: it does not start from where the invitation stands, `invitation_status`. \
            `mail-not-configured`: no sender is set."),
    ),
)]
pub async fn resend(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<(StatusCode, Json<InvitationBody>), Problem> {
    let now = app.clock.now();
    let mut payload = Some(payload);
    for _ in 0..MAX_TRIES {
        let (caller, settings, invitation) = manage::open(&app, &session, &id).await?;
        decide(&caller, Action::ManageInvitation(&invitation))?;
        if let Some(payload) = payload.take() {
            payload.read_nothing()?;
        }
        if !rights::may_invite_now(&caller, &settings) {
            return Err(ResendError::Closed.into());
        }
        let status = invitation.status_at(now);
        if !status.can_be_sent_again() {
            return Err(ManageError::WrongStatus(status).into());
        }
        if settings.sender.is_none() {
            return Err(ResendError::NoSender.into());
        }
        let invitee = app.store.invitee(&invitation).await?;
        if !invitee.stands {
            // Its person went with it after its expiry.
            return Err(ManageError::WrongStatus(status).into());
        }
        let inviting = Inviting { by: Some(&caller), places: &invitee.places, life: settings.invitation_life() };
        let origin = request.origin(Actor::User(caller.id.clone()), now);
        match app.store.resend_invitation(&invitation, &invitee, &inviting, &origin).await? {
            Resent::Done(invitation) => {
                let body = InvitationBody::new(&caller, *invitation, Delivery::Queued, &invitee.places, now);
                return Ok((StatusCode::ACCEPTED, Json(body)));
            }
            Resent::NoSuchTeam => return Err(ResendError::NoSuchTeam.into()),
            Resent::Overtaken => {}
        }
    }
    Err(ManageError::Overtaken.into())
}

#[cfg(test)]
mod tests;
