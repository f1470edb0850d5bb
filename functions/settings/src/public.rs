//! `GET /v1/settings/public`: what the sign-up form needs.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    domain::{name::Name, password::PasswordPolicy},
    http::Problem,
};

use crate::App;

/// What anybody may know of the settings.
#[derive(Debug, Serialize)]
pub struct PublicSettings {
    portal_name: Name,
    self_registration: bool,
    email_confirmation: bool,
    sign_in: bool,
    password_policy: PasswordPolicy,
}

/// Shows what the sign-up form needs.
pub async fn public(State(app): State<App>) -> Result<Json<PublicSettings>, Problem> {
    let settings = app.store.settings().await?;
    Ok(Json(PublicSettings {
        portal_name: settings.portal_name,
        self_registration: settings.self_registration,
        email_confirmation: settings.email_confirmation,
        sign_in: settings.sign_in,
        password_policy: settings.password_policy,
    }))
}
