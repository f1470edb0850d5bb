//! `GET /v1/invitations/{id}`: one invitation.

use axum::{Json, extract::State};
use shared::{
    domain::ids::InvitationId,
    http::{PathId, Problem, Session},
};

use crate::{App, manage, view::InvitationBody};

/// Shows one invitation to API Owners and to the Consumer Admins of one of its teams.
#[utoipa::path(
    get, path = "/v1/invitations/{id}",
    params(("id" = InvitationId, Path, description = "The invitation.")),
    responses(
        (status = 200, description = "The invitation.", body = InvitationBody),
        (status = 403, description = "`forbidden`: Team Members see none."),
    ),
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
) -> Result<Json<InvitationBody>, Problem> {
    let (caller, _, invitation) = manage::open(&app, &session, &id).await?;
    let (delivery, places) = app.store.invitation_delivery(&invitation).await?;
    Ok(Json(InvitationBody::new(&caller, invitation, delivery, &places, app.clock.now())))
}
