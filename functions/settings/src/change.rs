//! `PATCH /v1/settings`: changes the named settings and leaves the others.

use axum::{Json, extract::State};
use serde_json::Value;
use shared::{
    domain::{
        Fault,
        approval::{self, MAX_APPROVED_DOMAINS},
        audit::Actor,
        each_once,
        email::{Email, MailDomain},
        name::Name,
        password::{HIGHEST_MIN_LENGTH, LOWEST_MIN_LENGTH},
        rights::{Action, decide},
        settings::{MAX_THROTTLE, Settings},
    },
    http::{ETag, Faults, Fields, IfMatch, Payload, Problem, RequestId, Session, admit, boolean, integer, items, text},
    store::SettingsChange,
};
use utoipa::ToSchema;

use crate::{App, queue, read::SettingsBody};

/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;
/// The most addresses that are told of what waits.
const MAX_NOTIFICATION_ADDRESSES: usize = 20;

/// The named settings; the rest stays.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(as = ChangeSettings)]
pub struct Change {
    /// Whether the form is open.
    #[schema(nullable = false)]
    self_registration: Option<bool>,
    /// Whether everybody who confirms is in at once.
    #[schema(nullable = false)]
    auto_approve: Option<bool>,
    /// Whose addresses are in at once.
    #[schema(max_items = 50, nullable = false)]
    auto_approve_domains: Option<Vec<MailDomain>>,
    /// Whether an address is confirmed by a mailed link.
    #[schema(nullable = false)]
    email_confirmation: Option<bool>,
    /// Whether anybody but API Owners gets in.
    #[schema(nullable = false)]
    sign_in: Option<bool>,
    /// Whether Consumer Admins invite.
    #[schema(nullable = false)]
    consumer_admin_invitations: Option<bool>,
    /// Whether people ask for an organisation of their own.
    #[schema(nullable = false)]
    organisation_requests: Option<bool>,
    /// Whether they get it at once.
    #[schema(nullable = false)]
    organisation_requests_auto_approve: Option<bool>,
    /// How many days an invitation works.
    #[schema(minimum = 1, maximum = 90, nullable = false)]
    invitation_days: Option<u32>,
    /// The composition that passwords must have.
    #[schema(value_type = PolicyChange, required = false)]
    password_policy: PolicyChange,
    /// What the portal is called.
    #[schema(nullable = false)]
    portal_name: Option<Name>,
    /// Who mails come from; `null` for nobody yet.
    #[expect(clippy::option_option, reason = "absent and null are different in a merge")]
    #[schema(value_type = Option<Email>)]
    sender: Option<Option<Email>>,
    /// Who is told of what waits; empty, every active API Owner.
    #[schema(max_items = 20, nullable = false)]
    owner_notification_addresses: Option<Vec<Email>>,
    /// The limits per source.
    #[schema(value_type = ThrottlesChange, required = false)]
    throttles: ThrottlesChange,
}

/// The named parts of the composition that passwords must have.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(as = ChangePasswordPolicy)]
struct PolicyChange {
    /// Fewest characters.
    #[schema(minimum = 8, maximum = 128, nullable = false)]
    min_length: Option<u32>,
    /// Fewest digits.
    #[schema(maximum = 8, nullable = false)]
    min_numerics: Option<u32>,
    /// Fewest characters that are neither letters nor digits.
    #[schema(maximum = 8, nullable = false)]
    min_specials: Option<u32>,
    /// Whether both a lower-case and an upper-case letter are needed.
    #[schema(nullable = false)]
    mixed_case: Option<bool>,
}

/// The named limits per source.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(as = ChangeThrottles)]
struct ThrottlesChange {
    /// How many unknown invite codes a source may try in ten minutes.
    #[schema(minimum = 1, maximum = 1000, nullable = false)]
    unknown_codes: Option<u32>,
    /// How many people may sign up from a source in an hour; `null` is any number.
    #[expect(clippy::option_option, reason = "absent and null are different in a merge")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    sign_ups: Option<Option<u32>>,
}

impl Change {
    /// Takes every setting that is named.
    fn read(fields: &mut Fields) -> Self {
        let mut change = Self {
            self_registration: set(fields, "self_registration", boolean),
            auto_approve: set(fields, "auto_approve", boolean),
            auto_approve_domains: set(fields, "auto_approve_domains", items(MAX_APPROVED_DOMAINS, MailDomain::parse)),
            email_confirmation: set(fields, "email_confirmation", boolean),
            sign_in: set(fields, "sign_in", boolean),
            consumer_admin_invitations: set(fields, "consumer_admin_invitations", boolean),
            organisation_requests: set(fields, "organisation_requests", boolean),
            organisation_requests_auto_approve: set(fields, "organisation_requests_auto_approve", boolean),
            invitation_days: set(fields, "invitation_days", integer(1, 90)),
            portal_name: set(fields, "portal_name", text(Name::parse)),
            sender: fields.change("sender", text(Email::parse)),
            owner_notification_addresses: set(
                fields,
                "owner_notification_addresses",
                items(MAX_NOTIFICATION_ADDRESSES, Email::parse),
            ),
            ..Self::default()
        };
        if fields.is_null("password_policy") {
            fields.fault("password_policy", always_set());
        }
        fields.nested("password_policy", |policy| {
            change.password_policy.min_length =
                set(policy, "min_length", integer(LOWEST_MIN_LENGTH, HIGHEST_MIN_LENGTH));
            change.password_policy.min_numerics = set(policy, "min_numerics", integer(0, LOWEST_MIN_LENGTH));
            change.password_policy.min_specials = set(policy, "min_specials", integer(0, LOWEST_MIN_LENGTH));
            change.password_policy.mixed_case = set(policy, "mixed_case", boolean);
        });
        if fields.is_null("throttles") {
            fields.fault("throttles", always_set());
        }
        fields.nested("throttles", |throttles| {
            change.throttles.unknown_codes = set(throttles, "unknown_codes", integer(1, MAX_THROTTLE));
            change.throttles.sign_ups = throttles.change("sign_ups", integer(1, MAX_THROTTLE));
        });
        change
    }

    fn over(self, before: &Settings) -> Settings {
        let mut after = before.clone();
        replace(&mut after.self_registration, self.self_registration);
        replace(&mut after.auto_approve, self.auto_approve);
        replace(&mut after.auto_approve_domains, self.auto_approve_domains.map(each_once));
        replace(&mut after.email_confirmation, self.email_confirmation);
        replace(&mut after.sign_in, self.sign_in);
        replace(&mut after.consumer_admin_invitations, self.consumer_admin_invitations);
        replace(&mut after.organisation_requests, self.organisation_requests);
        replace(&mut after.organisation_requests_auto_approve, self.organisation_requests_auto_approve);
        replace(&mut after.invitation_days, self.invitation_days.and_then(|days| u16::try_from(days).ok()));
        replace(&mut after.password_policy.min_length, self.password_policy.min_length);
        replace(&mut after.password_policy.min_numerics, self.password_policy.min_numerics);
        replace(&mut after.password_policy.min_specials, self.password_policy.min_specials);
        replace(&mut after.password_policy.mixed_case, self.password_policy.mixed_case);
        replace(&mut after.portal_name, self.portal_name);
        replace(&mut after.sender, self.sender);
        replace(&mut after.owner_notification_addresses, self.owner_notification_addresses.map(each_once));
        replace(&mut after.throttles.unknown_codes, self.throttles.unknown_codes);
        replace(&mut after.throttles.sign_ups, self.throttles.sign_ups);
        after
    }
}

/// Reads a setting that always has a value: `null` is a fault.
fn set<T, E: Into<Faults>>(fields: &mut Fields, name: &str, parse: impl FnOnce(&Value) -> Result<T, E>) -> Option<T> {
    let change = fields.change(name, parse)?;
    if change.is_none() {
        fields.fault(name, always_set());
    }
    change
}

fn always_set() -> Fault {
    Fault::new("required", "This always has a value.")
}

fn replace<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// Why the settings stay as they are.
#[derive(Debug)]
pub enum ChangeError {
    /// They are of another version than the caller has seen.
    VersionMismatch,
    /// Others kept changing them at the same time.
    Overtaken,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::VersionMismatch => Self::version_mismatch(),
            ChangeError::Overtaken => Self::try_again(1),
        }
    }
}

/// Changes settings, with effect for the very next request. Two changes at once are made one after the other, unless the
/// caller names the version to start from. Where the change approves people who wait, they are let in before it is
/// answered, as many as there is time for; the sweep lets the rest in.
#[utoipa::path(
    patch, path = "/v1/settings",
    params(IfMatch), request_body = Change,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsBody),
        (status = 403, description = "`forbidden`: only API Owners manage the settings."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<SettingsBody>), Problem> {
    let (caller, mut before) = app.store.person_and_settings(&session.user_id).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::ManageSettings)?;
    let change = payload.read_with(|fields| Some(Change::read(fields)))?;
    let origin = request.origin(Actor::User(caller.id.clone()), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(before.version) {
            return Err(ChangeError::VersionMismatch.into());
        }
        let after = change.clone().over(&before);
        if after == before {
            return Ok((ETag(after.version), Json(after.into())));
        }
        match app.store.change_settings(&before, after.clone(), &origin).await? {
            SettingsChange::Done => {
                if approval::approves_more(&before, &after) {
                    queue::let_in(&app, &origin).await;
                }
                return Ok((ETag(before.version + 1), Json(after.into())));
            }
            SettingsChange::Overtaken => before = app.store.settings().await?,
        }
    }
    Err(ChangeError::Overtaken.into())
}

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod effects;
#[cfg(test)]
mod notified;

#[cfg(test)]
pub(crate) mod tests;
