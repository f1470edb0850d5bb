//! `GET /v1/me/export`: all that is held about the caller, as one document.

use axum::{Json, extract::State, response::IntoResponse};
use http::header::CONTENT_DISPOSITION;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{
    domain::{
        audit::{Actor, AuditEvent},
        invitation::{Invitation, InvitationStatus},
        organisation_request::{OrganisationRequest, RequestStatus},
        rights::{Action, decide},
        user::{Role, SessionId, User},
    },
    http::{Instant, PlaceBody, Problem, Session, UserBody, admit},
    mail::{Delivery, Event, OutboxEntry},
    store::{EventFilter, KeptAbout, Listed, Places, Store, StoreError},
};
use utoipa::ToSchema;

use crate::App;

/// The most audit events of a kind that a document holds.
const MOST_EVENTS: u16 = 300;
/// The most requests for an organisation that it holds.
const MOST_REQUESTS: u16 = 100;
/// What is kept for a time and stands in no document, and why.
const NOT_INCLUDED: [&str; 4] = [
    "Passwords, tokens and the digests of links: they are secrets, and none of them can be read back.",
    "The text of an invite code: it is the portal's secret and lets others in.",
    "That mails to an address came back or were called spam, beyond mail_status: it is about the mailbox and outlasts the account.",
    "Repeats of requests and counters per source address, which are kept for at most a day.",
];

/// The document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Export)]
pub struct ExportBody {
    exported_at: Instant,
    profile: UserBody,
    /// Values of custom attributes that are not defined any more, until a change of the caller names attributes.
    former_attributes: Vec<Value>,
    status_since: Instant,
    /// Sessions that have not ended.
    sessions: Vec<SessionBody>,
    /// Where somebody has logged in to the caller's account from.
    logins: Vec<LoginBody>,
    invite_code: Option<RedemptionBody>,
    /// Invitations that the caller got.
    invitations: Vec<InvitationBody>,
    /// Invitations of the address by somebody who did not know of the account.
    invited_elsewhere: Vec<ElsewhereBody>,
    /// Organisations that the caller asked for.
    organisation_requests: Vec<RequestBody>,
    /// Mails to the caller, and those that told API Owners about them.
    mails: Vec<MailBody>,
    /// What was done by the caller and to them.
    audit: Vec<EventBody>,
    /// Whether nothing was cut off.
    complete: bool,
    /// What is held and stands in no document, in sentences.
    #[schema(value_type = Vec<String>)]
    not_included: [&'static str; 4],
}

/// A session that counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedSession)]
struct SessionBody {
    started_at: Option<Instant>,
    /// Whether it is the one that asks.
    current: bool,
}

/// A source from which somebody logged in to the caller's account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedLogin)]
struct LoginBody {
    /// The source address, as far as it is kept.
    source: String,
    /// Failed logins from there since the last good one.
    failures: u32,
    last_at: Instant,
}

/// How the caller came in by an invite code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedRedemption)]
struct RedemptionBody {
    redeemed_at: Instant,
    confirmed_at: Option<Instant>,
    /// Whether the code let its people in without a decision.
    auto_approve: bool,
}

/// An invitation of the caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedInvitation)]
struct InvitationBody {
    /// Which invitation.
    id: String,
    status: InvitationStatus,
    /// Where it was sent.
    email: String,
    /// As whoever invited wrote it.
    first_name: String,
    /// As whoever invited wrote it.
    last_name: String,
    role: Role,
    organisation: Option<PlaceBody>,
    /// The teams that it leads into.
    teams: Vec<PlaceBody>,
    sent_at: Instant,
    expires_at: Instant,
}

/// An invitation of the caller's address by somebody who did not know of the account. By whom and to where is not the
/// caller's to know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedInvitationElsewhere)]
struct ElsewhereBody {
    status: InvitationStatus,
    /// As whoever invited wrote it.
    first_name: String,
    /// As whoever invited wrote it.
    last_name: String,
    sent_at: Instant,
}

/// A request of the caller for an organisation of their own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedRequest)]
struct RequestBody {
    /// Which request.
    id: String,
    /// The name that the organisation was to have.
    name: String,
    status: RequestStatus,
    created_at: Instant,
}

/// A mail to the caller, or one that told API Owners about them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedMail)]
struct MailBody {
    event: Event,
    queued_at: Instant,
    /// How far the caller's own copy has come; `null` where it went to API Owners.
    delivery: Option<Delivery>,
}

/// Something that the caller did, or that was done to them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedEvent)]
struct EventBody {
    at: Instant,
    /// What was done, like `user.approved`.
    action: String,
    /// `oneself`, `somebody else`, `a visitor` or `the portal`.
    by: &'static str,
    /// To what; a person other than the caller by id.
    target: Option<String>,
    /// The fields that changed.
    changed: Vec<String>,
    /// Former values, where the caller is who was changed.
    before: Map<String, Value>,
    /// New values, where the caller is who was changed.
    after: Map<String, Value>,
}

/// Gathers what is held about the caller.
#[utoipa::path(
    get, path = "/v1/me/export",
    responses(
        (status = 200, description = "All that is held about the caller, as an attachment.", body = ExportBody,
            headers(("Content-Disposition" = String, description = "As which file it is kept."))),
    ),
)]
pub async fn export(State(app): State<App>, session: Session) -> Result<impl IntoResponse, Problem> {
    let (caller, attributes) = app.store.person_and_attributes(&session.user_id).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::OwnAccount)?;
    let now = app.clock.now();
    let kept = app.store.kept_about(&caller, Places::with_attributes(attributes)).await?;
    let requests = app.store.requests_of(&caller.id, None, MOST_REQUESTS).await?;
    let (events, all_events) = events_of(&app.store, &caller, now).await?;
    let body = body(&caller, &session.id, kept, &requests, (events, all_events), now);
    Ok(([(CONTENT_DISPOSITION, "attachment; filename=\"account.json\"")], Json(body)))
}

/// What the caller did and what was done to them, the newest first, each once; and whether that is all.
async fn events_of(store: &Store, caller: &User, now: Timestamp) -> Result<(Vec<AuditEvent>, bool), StoreError> {
    let by = EventFilter { actor: Some(Actor::User(caller.id.clone())), ..EventFilter::default() };
    let about = EventFilter { target: Some(caller.id.to_string()), ..EventFilter::default() };
    let (mut events, mut all) = (Vec::new(), true);
    for filter in [by, about] {
        let page = store.audit_trail(&filter, caller.created_at..now, None, MOST_EVENTS).await?;
        all &= page.next.is_none();
        events.extend(page.events);
    }
    events.sort_by(|one, other| other.id.cmp(&one.id));
    events.dedup_by(|one, other| one.id == other.id);
    Ok((events, all))
}

fn body(
    caller: &User,
    current: &SessionId,
    kept: KeptAbout,
    requests: &Listed<OrganisationRequest>,
    (events, all_events): (Vec<AuditEvent>, bool),
    now: Timestamp,
) -> ExportBody {
    let KeptAbout { invitations, mails, logins, places, complete } = kept;
    let (elsewhere, invitations): (Vec<_>, Vec<_>) =
        invitations.into_iter().partition(|invitation| invitation.elsewhere);
    let mut sessions: Vec<_> = caller.sessions.iter().collect();
    sessions.sort_by_key(|(_, since)| **since);
    let sessions = sessions.into_iter().map(|(session, since)| SessionBody {
        started_at: Timestamp::from_millisecond(*since).ok().map(Instant),
        current: session == current,
    });
    let logins = logins.sources.iter().filter(|(_, from)| from.logged_in).map(|(source, from)| LoginBody {
        source: source.as_str().to_owned(),
        failures: from.failures,
        last_at: Instant(from.last_at),
    });
    let redemption = caller.redemption.as_ref().map(|redemption| RedemptionBody {
        redeemed_at: Instant(caller.created_at),
        confirmed_at: redemption.confirmed_at.map(Instant),
        auto_approve: redemption.auto_approve,
    });
    ExportBody {
        exported_at: Instant(now),
        profile: UserBody::new(caller, caller.clone(), &places),
        former_attributes: places.attributes().orphaned(&caller.attributes).cloned().collect(),
        status_since: Instant(caller.status_since),
        sessions: sessions.collect(),
        logins: logins.collect(),
        invite_code: redemption,
        invitations: invitations.into_iter().map(|invitation| invited(invitation, &places, now)).collect(),
        invited_elsewhere: elsewhere.iter().map(|invitation| invited_elsewhere(invitation, now)).collect(),
        organisation_requests: requests.rows.iter().map(requested).collect(),
        mails: mails.into_iter().map(|entry| mail(&entry, caller)).collect(),
        audit: events.into_iter().map(|event| happened(event, caller)).collect(),
        complete: complete && requests.next.is_none() && all_events,
        not_included: NOT_INCLUDED,
    }
}

fn invited(invitation: Invitation, places: &Places, now: Timestamp) -> InvitationBody {
    InvitationBody {
        status: invitation.status_at(now),
        id: invitation.id.to_string(),
        email: invitation.email.into(),
        first_name: invitation.first_name.as_str().to_owned(),
        last_name: invitation.last_name.as_str().to_owned(),
        role: invitation.role,
        organisation: invitation.organisation_id.as_ref().and_then(|id| PlaceBody::organisation(id, places)),
        teams: PlaceBody::teams(&invitation.team_ids, places),
        sent_at: Instant(invitation.sent_at),
        expires_at: Instant(invitation.expires_at),
    }
}

fn invited_elsewhere(invitation: &Invitation, now: Timestamp) -> ElsewhereBody {
    ElsewhereBody {
        status: invitation.status_at(now),
        first_name: invitation.first_name.as_str().to_owned(),
        last_name: invitation.last_name.as_str().to_owned(),
        sent_at: Instant(invitation.sent_at),
    }
}

fn requested(request: &OrganisationRequest) -> RequestBody {
    RequestBody {
        id: request.id.to_string(),
        name: request.name.as_str().to_owned(),
        status: request.status,
        created_at: Instant(request.created_at),
    }
}

fn mail(entry: &OutboxEntry, caller: &User) -> MailBody {
    let own = entry.to.iter().find(|recipient| recipient.email == caller.email);
    let delivery = own.map(|recipient| recipient.delivery);
    MailBody { event: entry.event, queued_at: Instant(entry.created_at), delivery }
}

fn happened(event: AuditEvent, caller: &User) -> EventBody {
    let by = match &event.actor {
        Actor::User(id) if *id == caller.id => "oneself",
        Actor::User(_) => "somebody else",
        Actor::Visitor => "a visitor",
        Actor::System => "the portal",
    };
    let (before, after) = if event.target.as_deref() == Some(caller.id.as_str()) {
        (event.before, event.after)
    } else {
        (Map::new(), Map::new())
    };
    EventBody {
        at: Instant(event.at),
        action: event.action,
        by,
        target: event.target,
        changed: event.changed,
        before,
        after,
    }
}

#[cfg(test)]
mod tests;
