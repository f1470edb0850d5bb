//! `GET /v1/settings`: everything that can be set.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{
    domain::{
        email::Email,
        name::Name,
        password::PasswordPolicy,
        rights::{Action, decide},
        settings::Settings,
    },
    http::{Problem, Session, admit},
};

use crate::App;

/// The settings, as API Owners see them.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the contract")]
pub struct SettingsBody {
    self_registration: bool,
    auto_approve: bool,
    auto_approve_domains: Vec<String>,
    email_confirmation: bool,
    sign_in: bool,
    consumer_admin_invitations: bool,
    organisation_requests: bool,
    organisation_requests_auto_approve: bool,
    invitation_days: u16,
    password_policy: PasswordPolicy,
    throttles: Map<String, Value>,
    portal_name: Name,
    sender: Option<Email>,
    owner_notification_addresses: Vec<Email>,
}

impl From<Settings> for SettingsBody {
    fn from(settings: Settings) -> Self {
        Self {
            self_registration: settings.self_registration,
            auto_approve: settings.auto_approve,
            auto_approve_domains: settings.auto_approve_domains,
            email_confirmation: settings.email_confirmation,
            sign_in: settings.sign_in,
            consumer_admin_invitations: settings.consumer_admin_invitations,
            organisation_requests: settings.organisation_requests,
            organisation_requests_auto_approve: settings.organisation_requests_auto_approve,
            invitation_days: settings.invitation_days,
            password_policy: settings.password_policy,
            throttles: Map::new(),
            portal_name: settings.portal_name,
            sender: settings.sender,
            owner_notification_addresses: settings.owner_notification_addresses,
        }
    }
}

/// Shows the settings to API Owners.
pub async fn read(State(app): State<App>, session: Session) -> Result<Json<SettingsBody>, Problem> {
    let (caller, settings) = app.store.caller_and_settings(&session.user_id).await?;
    decide(&admit(&session, caller)?, Action::ManageSettings)?;
    Ok(Json(settings.into()))
}
