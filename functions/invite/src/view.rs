//! How invitations are shown. Nobody is ever shown a link.

use jiff::Timestamp;
use serde::Serialize;
use shared::{
    domain::{
        audit::Origin,
        email::Email,
        ids::{InvitationId, UserId},
        invitation::{Invitation, InvitationStatus},
        name::Name,
        rights,
        user::{Role, User},
    },
    http::{Created, Instant, PlaceBody, Problem, recall},
    mail::Delivery,
    store::{Places, Record},
};
use utoipa::ToSchema;

use crate::App;

/// How far the newest mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InvitationDelivery)]
pub enum DeliveryBody {
    /// Not sent yet.
    Queued,
    /// SES has it, as far as is known.
    Sent,
    /// It could not be delivered, nothing is sent to the address, or its link ended before it could be sent.
    Bounced,
    /// Its reader called it spam.
    Complained,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Queued => Self::Queued,
            Delivery::Sent => Self::Sent,
            Delivery::Refused | Delivery::Suppressed | Delivery::Expired | Delivery::Bounced => Self::Bounced,
            Delivery::Complained => Self::Complained,
        }
    }
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody {
    id: InvitationId,
    user_id: UserId,
    #[schema(value_type = Email)]
    email: String,
    first_name: Name,
    last_name: Name,
    role: Role,
    organisation: Option<PlaceBody>,
    /// The teams that it leads into.
    teams: Vec<PlaceBody>,
    status: InvitationStatus,
    delivery: DeliveryBody,
    /// Who invited; nobody where the deployment did.
    invited_by: Option<UserId>,
    sent_at: Instant,
    expires_at: Instant,
}

impl InvitationBody {
    /// `invitation` at `now`, as `caller` sees it: teams that are not the caller's are not shown.
    #[must_use]
    pub fn new(caller: &User, invitation: Invitation, delivery: Delivery, places: &Places, now: Timestamp) -> Self {
        let status = invitation.status_at(now);
        Self {
            id: invitation.id,
            user_id: invitation.user_id,
            email: invitation.email.into(),
            first_name: invitation.first_name,
            last_name: invitation.last_name,
            role: invitation.role,
            organisation: invitation.organisation_id.as_ref().and_then(|id| PlaceBody::organisation(id, places)),
            teams: PlaceBody::teams(&rights::shown_teams(caller, &invitation.team_ids), places),
            status,
            delivery: delivery.into(),
            invited_by: invitation.invited_by,
            sent_at: Instant(invitation.sent_at),
            expires_at: Instant(invitation.expires_at),
        }
    }
}

/// What `caller` is answered who just created `invitation`.
pub(crate) fn created(caller: &User, invitation: Invitation, places: &Places) -> Created<InvitationBody> {
    let (location, sent_at) = (format!("/v1/invitations/{}", invitation.id), invitation.sent_at);
    Created::at(location, InvitationBody::new(caller, invitation, Delivery::Queued, places, sent_at))
}

/// What `caller` was answered who created an invitation by an earlier request with the same key.
pub(crate) async fn created_before(
    app: &App,
    caller: &User,
    record: Record,
    origin: &Origin,
) -> Result<Created<InvitationBody>, Problem> {
    let invitation: Invitation = recall(&app.store, record, origin).await?;
    let mut places = Places::default();
    app.store.look_up_places(&mut places, &invitation.organisation_id, &invitation.team_ids).await?;
    Ok(created(caller, invitation, &places).replayed(true))
}

/// `created`, or what an earlier request with the same key created where that is the reason of a refusal: it may have
/// come after this one looked.
pub(crate) async fn or_created_before(
    app: &App,
    caller: &User,
    created: Result<Created<InvitationBody>, Problem>,
    origin: &Origin,
) -> Result<Created<InvitationBody>, Problem> {
    let refusal = match created {
        Err(refusal) if refusal.is_refusal() => refusal,
        created => return created,
    };
    match app.store.record_of(origin).await? {
        Some(record) => created_before(app, caller, record, origin).await,
        None => Err(refusal),
    }
}

/// 409: an invitation of this address waits.
pub(crate) fn invitation_pending(id: &InvitationId) -> Problem {
    let detail = "An invitation of this address waits already. It can be sent again.";
    Problem::conflict("invitation-pending", "Already invited", detail).member("invitation_id", serde_json::json!(id))
}
