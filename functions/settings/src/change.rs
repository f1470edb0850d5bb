//! `PATCH /v1/settings`: changes the named settings and leaves the others.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault,
        audit::Actor,
        email::Email,
        name::Name,
        password::{HIGHEST_MIN_LENGTH, LOWEST_MIN_LENGTH},
        rights::{Action, decide},
        settings::Settings,
    },
    http::{Fields, FromFields, Payload, Problem, RequestId, Session, admit, boolean, integer, items, text},
    store::SettingsChange,
};

use crate::{App, read::SettingsBody};

/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;
/// The most addresses that are told of what waits.
const MAX_NOTIFICATION_ADDRESSES: usize = 20;

/// The named settings; `None` leaves a setting as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    self_registration: Option<bool>,
    email_confirmation: Option<bool>,
    sign_in: Option<bool>,
    invitation_days: Option<u32>,
    min_length: Option<u32>,
    min_numerics: Option<u32>,
    min_specials: Option<u32>,
    mixed_case: Option<bool>,
    portal_name: Option<Name>,
    sender: Option<Option<Email>>,
    owner_notification_addresses: Option<Vec<Email>>,
}

impl FromFields for Change {
    fn read(fields: &mut Fields) -> Option<Self> {
        let mut change = Self {
            self_registration: set(fields, "self_registration", boolean),
            email_confirmation: set(fields, "email_confirmation", boolean),
            sign_in: set(fields, "sign_in", boolean),
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
        fields.nested("password_policy", |policy| {
            change.min_length = set(policy, "min_length", integer(LOWEST_MIN_LENGTH, HIGHEST_MIN_LENGTH));
            change.min_numerics = set(policy, "min_numerics", integer(0, LOWEST_MIN_LENGTH));
            change.min_specials = set(policy, "min_specials", integer(0, LOWEST_MIN_LENGTH));
            change.mixed_case = set(policy, "mixed_case", boolean);
        });
        Some(change)
    }
}

/// Reads a setting that always has a value: `null` is a fault.
fn set<T>(fields: &mut Fields, name: &str, parse: impl FnOnce(&serde_json::Value) -> Result<T, Fault>) -> Option<T> {
    match fields.change(name, parse)? {
        Some(value) => Some(value),
        None => {
            fields.fault(name, Fault::new("required", "This setting always has a value."));
            None
        }
    }
}

impl Change {
    fn over(self, before: &Settings) -> Settings {
        let mut after = before.clone();
        replace(&mut after.self_registration, self.self_registration);
        replace(&mut after.email_confirmation, self.email_confirmation);
        replace(&mut after.sign_in, self.sign_in);
        replace(&mut after.invitation_days, self.invitation_days.and_then(|days| u16::try_from(days).ok()));
        replace(&mut after.password_policy.min_length, self.min_length);
        replace(&mut after.password_policy.min_numerics, self.min_numerics);
        replace(&mut after.password_policy.min_specials, self.min_specials);
        replace(&mut after.password_policy.mixed_case, self.mixed_case);
        replace(&mut after.portal_name, self.portal_name);
        replace(&mut after.sender, self.sender);
        replace(&mut after.owner_notification_addresses, self.owner_notification_addresses);
        after
    }
}

fn replace<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// Why the settings stay as they are.
#[derive(Debug)]
pub enum ChangeError {
    /// Others kept changing them at the same time.
    Overtaken,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Overtaken => Self::try_again(1),
        }
    }
}

/// Changes settings, with effect for the very next request. Two changes at once are made one after the other.
pub async fn change(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    payload: Payload,
) -> Result<Json<SettingsBody>, Problem> {
    let (caller, mut before) = app.store.caller_and_settings(&session.user_id).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::ManageSettings)?;
    let change: Change = payload.read()?;
    let origin = request.origin(Actor::User(caller.id.clone()), app.clock.now());
    for _ in 0..MAX_TRIES {
        let after = change.clone().over(&before);
        if after == before {
            return Ok(Json(after.into()));
        }
        match app.store.change_settings(&before, after.clone(), &origin).await? {
            SettingsChange::Done => return Ok(Json(after.into())),
            SettingsChange::Overtaken => before = app.store.settings().await?,
        }
    }
    Err(ChangeError::Overtaken.into())
}
