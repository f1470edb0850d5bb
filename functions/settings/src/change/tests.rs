//! Changing settings: what it does, what it costs, who may.

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
