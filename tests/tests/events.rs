//! Every file of `events/`, replayed through the code that the deployed function runs.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;

use harness::{Bench, CODE, Sample};
use local_services::Template;
use serde_json::Value;
use shared::domain::{
    ids::UserId,
    user::{Role, Status},
};

mod functions;

/// What each sample with a route is answered, in a portal with an owner, an invite code, and a person in the state
/// that it needs.
const ANSWERS: [(&str, Status, u16); 71] = [
    ("approve-activate", Status::Inactive, 200),
    ("approve-approve", Status::Pending, 200),
    ("approve-deactivate", Status::Active, 200),
    ("approve-reject", Status::Pending, 200),
    ("approve-reopen", Status::Rejected, 200),
    // The link of the sample was never sent, and its invitation never made.
    ("invite-accept", Status::Active, 410),
    ("invite-bulk", Status::Active, 200),
    ("invite-create", Status::Active, 201),
    ("invite-list", Status::Active, 200),
    ("invite-preview", Status::Active, 410),
    ("invite-read", Status::Active, 404),
    ("invite-resend", Status::Active, 404),
    ("invite-revoke", Status::Active, 404),
    ("invite-send", Status::Active, 409),
    ("login-challenge", Status::Active, 401),
    ("login-forgot-password", Status::Active, 202),
    ("invite-codes-change", Status::Active, 200),
    ("invite-codes-create", Status::Active, 201),
    ("invite-codes-delete", Status::Active, 204),
    ("invite-codes-list", Status::Active, 200),
    ("invite-codes-read", Status::Active, 200),
    ("invite-codes-redemptions", Status::Active, 200),
    ("login-login", Status::Active, 401),
    ("login-logout", Status::Active, 204),
    ("login-refresh", Status::Active, 401),
    // The link of the sample was never sent.
    ("login-reset-password", Status::Active, 410),
    ("me-change", Status::Active, 200),
    // Nobody else runs the portal.
    ("me-delete", Status::Active, 409),
    ("me-export", Status::Active, 200),
    ("me-organisation", Status::Active, 200),
    // The password of the sample is somebody else's.
    ("me-password", Status::Active, 401),
    ("me-read", Status::Active, 200),
    ("organisations-change", Status::Active, 200),
    ("organisations-change-team", Status::Active, 200),
    ("organisations-create", Status::Active, 201),
    ("organisations-create-team", Status::Active, 201),
    // What every portal has cannot be deleted.
    ("organisations-delete", Status::Active, 409),
    ("organisations-delete-team", Status::Active, 409),
    ("organisations-list", Status::Active, 200),
    ("organisations-list-teams", Status::Active, 200),
    ("organisations-list-requests", Status::Active, 200),
    // API Owners ask for nothing, and nobody asked them.
    ("organisations-request", Status::Active, 403),
    ("organisations-approve-request", Status::Active, 404),
    ("organisations-reject-request", Status::Active, 404),
    ("organisations-read", Status::Active, 200),
    ("redeem-code-redeem", Status::Active, 202),
    // The link of the sample was never sent.
    ("register-confirm", Status::Active, 410),
    ("register-register", Status::Active, 202),
    ("register-resend", Status::Active, 202),
    // Nothing is defined before.
    ("settings-attributes-change", Status::Active, 404),
    ("settings-attributes-create", Status::Active, 201),
    ("settings-attributes-delete", Status::Active, 404),
    ("settings-attributes-list", Status::Active, 200),
    ("settings-attributes-read", Status::Active, 404),
    ("settings-audit", Status::Active, 200),
    ("settings-read-template", Status::Active, 200),
    ("settings-reset-template", Status::Active, 204),
    ("settings-change", Status::Active, 200),
    ("settings-change-template", Status::Active, 200),
    ("settings-contract", Status::Active, 200),
    ("settings-list-templates", Status::Active, 200),
    ("settings-preview-template", Status::Active, 200),
    ("settings-public", Status::Active, 200),
    ("settings-read", Status::Active, 200),
    ("users-access", Status::Active, 200),
    ("users-change", Status::Active, 200),
    ("users-create", Status::Active, 201),
    ("users-delete", Status::Active, 204),
    ("users-list", Status::Active, 200),
    ("users-read", Status::Active, 200),
    // It takes a Consumer Admin.
    ("users-remove", Status::Active, 403),
];

#[tokio::test]
async fn every_sample_with_a_route_is_answered() {
    for (name, status, expected) in ANSWERS {
        let bench = Bench::new().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        let person = bench.person("person@example.com", Role::TeamMember, status).await;
        let mut sample = Sample::of(name);
        if !sample.event()["requestContext"]["authorizer"].is_null() {
            sample = sample.by(&owner);
        }
        // Other ids than a person's are of what every portal has.
        if sample.event()["pathParameters"]["id"].as_str().is_some_and(|id| id.starts_with(UserId::PREFIX)) {
            sample = sample.id(&person.id);
        }

        bench.invite_code(CODE, |_| {}).await;

        let reply = functions::send(&bench, sample).await;

        assert_eq!(reply.status, expected, "{name}: {reply:?}");
        assert_eq!(reply.headers["cache-control"], "no-store", "{name}");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff", "{name}");
        assert!(!reply.headers["x-request-id"].as_str().unwrap().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn every_sample_without_a_route_is_worked_off() {
    let bench = Bench::new().await;
    let (store, clock) = (bench.store.clone(), bench.clock.clone());

    let bootstrap = bootstrap::App { store: store.clone(), clock: clock.clone() };
    for name in ["bootstrap-create", "bootstrap-update", "bootstrap-delete"] {
        let answer = bootstrap::answer(&bootstrap, serde_json::from_value(Sample::of(name).event()).unwrap()).await;
        assert!(answer.is_success(), "{name}: {answer:?}");
    }

    let deliver_mail = deliver_mail::App { mailer: bench.mailer.clone(), clock: clock.clone() };
    let event = serde_json::from_value(Sample::of("deliver-mail-stream").event()).unwrap();
    deliver_mail::handle(&deliver_mail, event).await.unwrap();

    let mail_feedback = mail_feedback::App { store: store.clone(), clock: clock.clone() };
    for name in ["mail-feedback-bounce", "mail-feedback-complaint"] {
        let event = serde_json::from_value(Sample::of(name).event()).unwrap();
        mail_feedback::handle(&mail_feedback, event).await.unwrap();
    }
    assert_eq!(bench.rows_in("SUPPRESSED#").await[0]["reason"], "complained");

    let (identity, mailer) = (bench.identity.clone(), bench.mailer.clone());
    // The function takes any JSON as its event; what matters is that the template's schedule is who sends it.
    let event = Sample::of("expire-schedule").event();
    let schedule = Template::deployed().unwrap().events().find(|event| event.kind == "ScheduleV2").unwrap();
    let schedule = format!("{}{}", schedule.function, schedule.name);
    assert_eq!(event["source"], "aws.scheduler");
    assert!(event["resources"][0].as_str().unwrap().contains(&schedule), "{event} is not from {schedule}");
    expire::handle(&expire::App { store, identity, mailer, owns_pool: true, clock }, None).await.unwrap();
}

#[test]
fn no_sample_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let others = [
        "bootstrap-create",
        "bootstrap-delete",
        "bootstrap-update",
        "deliver-mail-stream",
        "expire-schedule",
        "mail-feedback-bounce",
        "mail-feedback-complaint",
    ];
    let replayed: Vec<&str> = ANSWERS.iter().map(|(name, _, _)| *name).chain(others).collect();

    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(replayed.contains(&name), "{name} is replayed nowhere");
        let _: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    }
}
