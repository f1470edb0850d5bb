//! `POST /v1/invitations/preview`: what an invitation offers, before it is accepted.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    domain::{email::Email, link::PlainToken, name::Name, user::Role},
    http::{Fields, FromFields, Instant, Payload, PlaceBody, Problem, secret},
};
use utoipa::ToSchema;

use crate::App;

/// The link's token.
#[derive(ToSchema)]
#[schema(as = PreviewInvitation)]
pub struct Preview {
    /// The token of the mailed link.
    // `None` for what cannot be one.
    #[schema(value_type = String)]
    token: Option<PlainToken>,
}

impl FromFields for Preview {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { token: fields.required("token", secret).map(|token| PlainToken::parse(&token))? })
    }
}

/// What an invitation offers to whom.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationPreview)]
pub struct PreviewBody {
    #[schema(value_type = Email)]
    email: String,
    first_name: Name,
    last_name: Name,
    organisation: Option<PlaceBody>,
    /// The teams that it leads into.
    teams: Vec<PlaceBody>,
    role: Role,
    expires_at: Instant,
}

/// Why nothing is shown.
#[derive(Debug)]
pub enum PreviewError {
    /// The link was used, replaced or revoked, has expired, or never existed.
    LinkNotUsable,
}

impl From<PreviewError> for Problem {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::LinkNotUsable => Self::link_not_usable(),
        }
    }
}

/// Shows the invitation behind a link to whoever holds it. Looking uses nothing up.
#[utoipa::path(
    post, path = "/v1/invitations/preview",
    request_body = Preview,
    responses(
        (status = 200, description = "What is offered to whom.", body = PreviewBody),
        (status = 410, description = "`link-not-usable`: the link was used, replaced or revoked, has expired, or never existed."),
    ),
)]
pub async fn preview(State(app): State<App>, payload: Payload) -> Result<Json<PreviewBody>, Problem> {
    let body: Preview = payload.read()?;
    let token = body.token.ok_or(PreviewError::LinkNotUsable)?.hashed();
    let opened = app.store.opened_invitation(&token, app.clock.now()).await?.ok_or(PreviewError::LinkNotUsable)?;
    let person = opened.person;
    Ok(Json(PreviewBody {
        email: person.email.into(),
        first_name: person.first_name,
        last_name: person.last_name,
        organisation: person.organisation_id.as_ref().and_then(|id| PlaceBody::organisation(id, &opened.places)),
        teams: PlaceBody::teams(&person.team_ids, &opened.places),
        role: person.role,
        expires_at: Instant(opened.expires_at),
    }))
}
