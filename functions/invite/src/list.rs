//! `GET /v1/invitations`: the invitations that the caller sees.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        invitation::InvitationStatus,
        rights::{Action, decide},
    },
    http::{PageBody, Paging, Parameters, Problem, Session, admit},
};

use crate::{App, view::InvitationBody};

/// Lists invitations, the first made first: all for API Owners, for Consumer Admins those into their own teams.
#[utoipa::path(
    get, path = "/v1/invitations",
    params(("status" = Option<InvitationStatus>, Query, description = "Only invitations that stand so."), Paging),
    responses(
        (status = 200, description = "A page of those that the caller may see.", body = PageBody<InvitationBody>),
        (status = 403, description = "`forbidden`: Team Members see none."),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    mut parameters: Parameters,
) -> Result<PageBody<InvitationBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ListInvitations)?;
    let status = parameters.optional("status", |word| {
        InvitationStatus::parse(word)
            .ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values."))
    });
    let listing = parameters.listing(&format!("invitations {} {status:?}", caller.id))?;
    let now = app.clock.now();
    let fits = |invitation: &shared::domain::invitation::Invitation| {
        status.is_none_or(|status| invitation.status_at(now) == status)
    };
    let page = app.store.invitations(&caller, fits, listing.after.as_deref(), listing.limit).await?;
    let body = |(invitation, delivery)| InvitationBody::new(&caller, invitation, delivery, &page.places, now);
    Ok(listing.page(page.invitations.into_iter().map(body).collect(), page.next))
}

#[cfg(test)]
mod tests;
