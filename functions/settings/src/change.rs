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

use crate::{App, queue, read::SettingsBody};

/// How often a change is made again over somebody else's, before the caller is told to try later.
const MAX_TRIES: usize = 5;
/// The most addresses that are told of what waits.
const MAX_NOTIFICATION_ADDRESSES: usize = 20;

/// The named settings; `None` leaves a setting as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    self_registration: Option<bool>,
    auto_approve: Option<bool>,
    auto_approve_domains: Option<Vec<MailDomain>>,
    email_confirmation: Option<bool>,
    sign_in: Option<bool>,
    consumer_admin_invitations: Option<bool>,
    organisation_requests: Option<bool>,
    organisation_requests_auto_approve: Option<bool>,
    invitation_days: Option<u32>,
    min_length: Option<u32>,
    min_numerics: Option<u32>,
    min_specials: Option<u32>,
    mixed_case: Option<bool>,
    portal_name: Option<Name>,
    #[expect(clippy::option_option, reason = "absent and null are different in a merge")]
    sender: Option<Option<Email>>,
    owner_notification_addresses: Option<Vec<Email>>,
    unknown_codes: Option<u32>,
    #[expect(clippy::option_option, reason = "absent and null are different in a merge")]
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
            change.min_length = set(policy, "min_length", integer(LOWEST_MIN_LENGTH, HIGHEST_MIN_LENGTH));
            change.min_numerics = set(policy, "min_numerics", integer(0, LOWEST_MIN_LENGTH));
            change.min_specials = set(policy, "min_specials", integer(0, LOWEST_MIN_LENGTH));
            change.mixed_case = set(policy, "mixed_case", boolean);
        });
        if fields.is_null("throttles") {
            fields.fault("throttles", always_set());
        }
        fields.nested("throttles", |throttles| {
            change.unknown_codes = set(throttles, "unknown_codes", integer(1, MAX_THROTTLE));
            change.sign_ups = throttles.change("sign_ups", integer(1, MAX_THROTTLE));
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
        replace(&mut after.password_policy.min_length, self.min_length);
        replace(&mut after.password_policy.min_numerics, self.min_numerics);
        replace(&mut after.password_policy.min_specials, self.min_specials);
        replace(&mut after.password_policy.mixed_case, self.mixed_case);
        replace(&mut after.portal_name, self.portal_name);
        replace(&mut after.sender, self.sender);
        replace(&mut after.owner_notification_addresses, self.owner_notification_addresses.map(each_once));
        replace(&mut after.throttles.unknown_codes, self.unknown_codes);
        replace(&mut after.throttles.sign_ups, self.sign_ups);
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
pub(crate) mod tests {
    pub(crate) use harness::portal;
    use harness::{Bench, Reply, Sample, SignedIn, email};
    use jiff::SignedDuration;
    use serde_json::json;
    use shared::domain::{password::PasswordPolicy, settings::Throttles, user::Role};

    use super::*;
    use crate::router;

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), clock: bench.clock.clone() }
    }

    pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
        bench.advance(SignedDuration::from_millis(1));
        request.send(router(app(bench))).await
    }

    pub(crate) async fn change(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
        send(bench, Sample::of("settings-change").by(owner).body(body)).await
    }

    #[tokio::test]
    async fn the_named_settings_change_and_the_others_stay() {
        let (bench, owner) = portal().await;
        bench.set(|settings| settings.invitation_days = 30).await;
        let before = bench.store.settings().await.unwrap();

        let reply = send(&bench, Sample::of("settings-change").by(&owner)).await;

        assert_eq!((reply.status, &reply.body["portal_name"]), (200, &json!("Example APIs")));
        let after = bench.store.settings().await.unwrap();
        let portal_name = Name::parse("Example APIs").unwrap();
        assert_eq!(after, Settings { portal_name, version: before.version + 1, ..before });
        let read = send(&bench, Sample::of("settings-read").by(&owner)).await;
        assert_eq!(read.body, reply.body);
    }

    #[tokio::test]
    async fn everything_that_can_be_changed_changes() {
        let (bench, owner) = portal().await;
        let body = json!({
            "self_registration": false,
            "auto_approve": true,
            "auto_approve_domains": ["Example.com", " bücher.example", "EXAMPLE.com"],
            "email_confirmation": false,
            "sign_in": false,
            "consumer_admin_invitations": false,
            "organisation_requests": true,
            "organisation_requests_auto_approve": true,
            "invitation_days": 90,
            "password_policy": {"min_length": 128, "min_numerics": 8, "min_specials": 8, "mixed_case": true},
            "portal_name": " Example APIs ",
            "sender": "New@Example.com",
            "owner_notification_addresses": ["one@example.com", "TWO@example.com", "One@example.com"],
            "throttles": {"unknown_codes": 1000, "sign_ups": 1},
        });

        let reply = change(&bench, &owner, &body).await;

        assert_eq!(reply.status, 200);
        let after = bench.store.settings().await.unwrap();
        let expected = Settings {
            self_registration: false,
            auto_approve: true,
            auto_approve_domains: ["example.com", "xn--bcher-kva.example"]
                .map(|domain| MailDomain::parse(domain).unwrap())
                .to_vec(),
            email_confirmation: false,
            sign_in: false,
            consumer_admin_invitations: false,
            organisation_requests: true,
            organisation_requests_auto_approve: true,
            invitation_days: 90,
            password_policy: PasswordPolicy { min_length: 128, min_numerics: 8, min_specials: 8, mixed_case: true },
            portal_name: Name::parse("Example APIs").unwrap(),
            sender: Some(email("new@example.com")),
            owner_notification_addresses: vec![email("one@example.com"), email("two@example.com")],
            throttles: Throttles { unknown_codes: 1000, sign_ups: Some(1) },
            version: after.version,
        };
        assert_eq!(after, expected);
        assert_eq!(reply.body["owner_notification_addresses"], json!(["one@example.com", "two@example.com"]));
    }

    #[tokio::test]
    async fn a_policy_changes_in_part() {
        let (bench, owner) = portal().await;

        change(&bench, &owner, &json!({"password_policy": {"min_length": 20}})).await;
        change(&bench, &owner, &json!({"password_policy": {"mixed_case": true}})).await;
        let reply = change(&bench, &owner, &json!({"password_policy": {}})).await;

        let policy = json!({"min_length": 20, "min_numerics": 0, "min_specials": 0, "mixed_case": true});
        assert_eq!(reply.body["password_policy"], policy);
    }

    #[tokio::test]
    async fn what_changes_nothing_writes_nothing() {
        let (bench, owner) = portal().await;
        let (before, events) = (bench.store.settings().await.unwrap(), bench.rows_in("AUDIT#").await.len());
        for body in [json!({}), json!({"sign_in": true, "password_policy": {"min_length": 12}})] {
            assert_eq!(change(&bench, &owner, &body).await.status, 200);
        }
        let bare = Sample::of("settings-change").by(&owner).raw_body("", "application/json");
        assert_eq!(send(&bench, bare).await.status, 200);

        assert_eq!(bench.store.settings().await.unwrap(), before);
        assert_eq!(bench.rows_in("AUDIT#").await.len(), events);
    }

    #[tokio::test]
    async fn null_clears_the_sender_and_nothing_else() {
        let (bench, owner) = portal().await;

        let cleared = change(&bench, &owner, &json!({"sender": null})).await;
        let body = json!({
            "self_registration": null, "email_confirmation": null, "sign_in": null, "invitation_days": null,
            "portal_name": null, "owner_notification_addresses": null, "password_policy": null,
            "throttles": null,
        });
        let refused = change(&bench, &owner, &body).await;
        let policy = json!({"password_policy": {"min_length": null, "mixed_case": null}});
        let policy = change(&bench, &owner, &policy).await;

        assert_eq!((cleared.status, &cleared.body["sender"]), (200, &Value::Null));
        let mut pointers: Vec<_> = refused.faults();
        pointers.sort_unstable();
        let expected = [
            ("/email_confirmation", "required"),
            ("/invitation_days", "required"),
            ("/owner_notification_addresses", "required"),
            ("/password_policy", "required"),
            ("/portal_name", "required"),
            ("/self_registration", "required"),
            ("/sign_in", "required"),
            ("/throttles", "required"),
        ];
        assert_eq!((refused.status, pointers), (422, expected.to_vec()));
        let expected = [("/password_policy/min_length", "required"), ("/password_policy/mixed_case", "required")];
        assert_eq!(policy.faults(), expected);
        assert_eq!(bench.store.settings().await.unwrap().sender, None);
    }

    #[tokio::test]
    async fn only_api_owners_change_settings_and_rights_come_before_the_body() {
        let (bench, owner) = portal().await;
        let ask = |caller: &SignedIn| Sample::of("settings-change").by(caller).raw_body("{", "text/plain");
        for role in [Role::ConsumerAdmin, Role::TeamMember] {
            let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
            let reply = send(&bench, ask(&caller)).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
        }
        for sample in [ask(&owner).without_token(), ask(&owner).claim("token_use", "id")] {
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
            assert!(reply.headers.contains_key("www-authenticate"));
        }
        assert_eq!(send(&bench, ask(&owner)).await.status, 415);
        assert_eq!(send(&bench, ask(&owner).raw_body("{", "application/json")).await.problem(), "malformed-json");
    }
}
