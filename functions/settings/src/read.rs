//! `GET /v1/settings`: everything that can be set.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    domain::{
        email::{Email, MailDomain},
        name::Name,
        password::PasswordPolicy,
        rights::{Action, decide},
        settings::{Settings, Throttles},
    },
    http::{ETag, Problem, Session, admit},
};
use utoipa::ToSchema;

use crate::App;

/// The settings, as API Owners see them.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in docs/api.md")]
#[schema(as = Settings)]
pub struct SettingsBody {
    /// Whether anybody may register.
    self_registration: bool,
    /// Whether registrations are approved by themselves.
    auto_approve: bool,
    /// Whose registrations are approved by themselves, where not everybody's are.
    auto_approve_domains: Vec<MailDomain>,
    /// Whether a registration is confirmed by a mailed link; otherwise it takes a password at once.
    email_confirmation: bool,
    /// Whether people other than API Owners may log in.
    sign_in: bool,
    /// Whether Consumer Admins may invite into their teams.
    consumer_admin_invitations: bool,
    /// Whether people may ask for an organisation of their own.
    organisation_requests: bool,
    /// Whether such a request is approved as it is made.
    organisation_requests_auto_approve: bool,
    /// Days for which an invitation works.
    invitation_days: u16,
    password_policy: PasswordPolicy,
    throttles: Throttles,
    portal_name: Name,
    sender: Option<Email>,
    /// Where notices to the owners go; none means to every API Owner.
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
            throttles: settings.throttles,
            portal_name: settings.portal_name,
            sender: settings.sender,
            owner_notification_addresses: settings.owner_notification_addresses,
        }
    }
}

/// Shows the settings to API Owners.
#[utoipa::path(
    get, path = "/v1/settings",
    responses(
        (status = 200, description = "The settings.", body = SettingsBody, headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage the settings."),
    ),
)]
pub async fn read(State(app): State<App>, session: Session) -> Result<(ETag, Json<SettingsBody>), Problem> {
    let (caller, settings) = app.store.person_and_settings(&session.user_id).await?;
    decide(&admit(&session, caller)?, Action::ManageSettings)?;
    Ok((ETag(settings.version), Json(settings.into())))
}

#[cfg(test)]
mod tests {
    use harness::Sample;
    use serde_json::json;
    use shared::domain::user::Role;

    use crate::change::tests::{portal, send};

    #[tokio::test]
    async fn an_api_owner_reads_everything_that_can_be_set() {
        let (bench, owner) = portal().await;

        let (reply, calls) = bench.calls(send(&bench, Sample::of("settings-read").by(&owner))).await;

        let defaults = json!({
            "self_registration": true,
            "auto_approve": false,
            "auto_approve_domains": [],
            "email_confirmation": true,
            "sign_in": true,
            "consumer_admin_invitations": true,
            "organisation_requests": false,
            "organisation_requests_auto_approve": false,
            "invitation_days": 7,
            "password_policy": {"min_length": 12, "min_numerics": 0, "min_specials": 0, "mixed_case": false},
            "throttles": {"unknown_codes": 10, "sign_ups": null},
            "portal_name": "Developer portal",
            "sender": "portal@example.com",
            "owner_notification_addresses": [],
        });
        assert_eq!((reply.status, reply.body), (200, defaults));
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem"]);
    }

    #[tokio::test]
    async fn an_absent_sender_is_null() {
        let (bench, owner) = portal().await;
        bench.set(|settings| settings.sender = None).await;

        let reply = send(&bench, Sample::of("settings-read").by(&owner)).await;

        assert_eq!(reply.body.as_object().unwrap()["sender"], json!(null));
    }

    #[tokio::test]
    async fn nobody_else_reads_them() {
        let (bench, owner) = portal().await;
        for role in [Role::ConsumerAdmin, Role::TeamMember] {
            let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
            let reply = send(&bench, Sample::of("settings-read").by(&caller)).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
        }
        let ask = || Sample::of("settings-read").by(&owner);
        for sample in [ask().without_token(), ask().claim("token_use", "id"), ask().claim("origin_jti", "another")] {
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
            assert!(reply.headers.contains_key("www-authenticate"));
        }
        bench.overwrite(&owner.user.id, "role", &json!("team_member")).await;
        assert_eq!(send(&bench, ask()).await.status, 403);
        bench.overwrite(&owner.user.id, "status", &json!("inactive")).await;
        assert_eq!(send(&bench, ask()).await.status, 401);
    }
}
