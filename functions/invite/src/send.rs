//! `POST /v1/users/{id}/invite`: sends an invitation to somebody who was created without a password.

use axum::extract::State;
use shared::{
    domain::{
        audit::Actor,
        ids::{InvitationId, UserId},
        rights::{Action, decide},
        user::Status,
    },
    http::{Created, IdempotencyKey, PathId, Payload, Problem, RequestId, Session, admit},
    store::{Inviting, Sent},
};

use crate::{
    App,
    view::{InvitationBody, created, created_before, invitation_pending, or_created_before},
};

/// Why no invitation is sent.
#[derive(Debug)]
pub enum SendError {
    /// There is no such person.
    Unknown,
    /// No sender is set.
    NoSender,
    /// They have a password: who has one needs no invitation.
    PasswordAlreadySet,
    /// They registered by themselves and have not confirmed their address yet.
    WrongStatus(Status),
    /// An invitation waits.
    Pending(InvitationId),
    /// Their team is gone.
    NoSuchTeam,
    /// Somebody else sent or revoked one at the same moment.
    Overtaken,
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unknown => Self::not_found(),
            SendError::NoSender => Self::mail_not_configured(),
            SendError::PasswordAlreadySet => {
                let detail = "This person has a password and needs no invitation.";
                Self::conflict("password-already-set", "Has a password", detail)
            }
            SendError::WrongStatus(status) => Self::wrong_status(status),
            SendError::Pending(id) => invitation_pending(&id),
            SendError::NoSuchTeam => Self::unknown_team(),
            SendError::Overtaken => Self::try_again(1),
        }
    }
}

/// Sends an invitation to a person without a password; they stay whatever becomes of it.
#[utoipa::path(
    post, path = "/v1/users/{id}/invite",
    params(("id" = UserId, Path, description = "The person."), IdempotencyKey),
    responses(
        (status = 201, description = "The invitation.", body = InvitationBody),
        (status = 403, description = "`forbidden`: only API Owners send an invitation to who is there."),
        (status = 409, description = "`password-already-set`: the person needs none. \
            `wrong-status`: they have yet to confirm their address, `user_status`. \
            `invitation-pending`: an invitation of this address waits, `invitation_id`. \
            `mail-not-configured`: no sender is set."),
        (status = 410, description = "`created-and-deleted`: what an earlier request with this key created is deleted."),
    ),
)]
pub async fn send(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<InvitationBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let id = UserId::parse(&id);
    let found = app.store.send_facts(&session.user_id, id.as_ref(), wish.sought()).await?;
    let caller = admit(&session, found.caller)?;
    decide(&caller, Action::SendInvitation)?;
    let person = found.person.ok_or(SendError::Unknown)?;
    let origin = request.origin(Actor::User(caller.id.clone()), now).repeatable(wish.granted()?);
    if let Some(record) = found.record {
        return created_before(&app, &caller, record, &origin).await;
    }
    payload.read_nothing()?;
    if found.settings.sender.is_none() {
        return Err(SendError::NoSender.into());
    }
    let (earlier, places) = app.store.earlier_invitation(&person).await?;
    let inviting = Inviting { by: Some(&caller), places: &places, life: found.settings.invitation_life() };
    let sent = match app.store.send_invitation(&person, &earlier, &inviting, &origin).await? {
        Sent::Done(invitation) => Ok(created(&caller, *invitation, &places)),
        Sent::Repeated(record) => created_before(&app, &caller, record, &origin).await,
        Sent::Pending(id) => Err(SendError::Pending(id).into()),
        Sent::WrongStatus(status @ Status::Unconfirmed) => Err(SendError::WrongStatus(status).into()),
        Sent::WrongStatus(_) => Err(SendError::PasswordAlreadySet.into()),
        Sent::NoSuchTeam => Err(SendError::NoSuchTeam.into()),
        Sent::Overtaken => Err(SendError::Overtaken.into()),
        Sent::Gone => Err(SendError::Unknown.into()),
    };
    or_created_before(&app, &caller, sent, &origin).await
}

#[cfg(test)]
mod tests;
