//! What the endpoint does where nothing comes in between.

pub(crate) use harness::portal;
use harness::{Bench, CODE, Creating, Reply, Sample, SignedIn, assert_replays};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{invite_code::FoldedCode, user::Role},
    random::Random,
};

use super::*;
use crate::router;

pub(crate) fn app(bench: &Bench) -> App {
    App { store: bench.store.clone(), clock: bench.clock.clone(), random: bench.random.clone() }
}

pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
    bench.advance(SignedDuration::from_millis(1));
    request.send(router(app(bench))).await
}

/// Asserts that a request is the API Owners' alone, and that its rights come before anything else of it.
pub(crate) async fn only_owners(bench: &Bench, owner: &SignedIn, sample: &str) {
    let ask = || Sample::of(sample).raw_body("{", "text/plain").query("limit=none");
    for role in [Role::ConsumerAdmin, Role::TeamMember] {
        let caller = bench.signed_in(&format!("{}@example.com", role.as_str()), role).await;
        let reply = send(bench, ask().by(&caller)).await;
        assert_eq!((reply.status, reply.problem()), (403, "forbidden"), "{sample}");
    }
    let refused = [ask().by(owner).without_token(), ask().by(owner).claim("token_use", "id")];
    for sample in refused {
        let reply = send(bench, sample).await;
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
    }
}

async fn create(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
    send(bench, Sample::of("invite-codes-create").by(owner).body(body)).await
}

#[tokio::test]
async fn a_code_is_drawn_where_none_is_chosen() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;

    let reply = create(&bench, &owner, &json!({"team_id": teams[1]})).await;

    let code = reply.body["code"].as_str().unwrap().to_owned();
    let groups: Vec<_> = code.split('-').collect();
    assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{code}");
    let shown = json!({
        "code": code,
        "team": {"id": teams[1], "name": "Acme team 1"},
        "organisation": {"id": acme, "name": "Acme"},
        "quota": null,
        "used": 0,
        "remaining": null,
        "expires_at": null,
        "active": true,
        "auto_approve": true,
        "state": "usable",
        "note": null,
        "allowed_email_domains": [],
        "created_by": owner.user.id,
        "created_at": bench.now(),
    });
    assert_eq!((reply.status, &reply.body), (201, &shown));
    assert_eq!(
        (&reply.headers["location"], &reply.headers["etag"]),
        (&json!(format!("/v1/invite-codes/{code}")), &json!("\"1\""))
    );
    let read = send(&bench, Sample::of("invite-codes-read").code(&code).by(&owner)).await;
    assert_eq!(read.body, shown);
}

#[tokio::test]
async fn everything_that_can_be_said_of_a_code_is_kept() {
    let (bench, owner) = portal().await;
    let body = json!({
        "team_id": TeamId::default_team(), "quota": 1_000_000, "expires_at": "2026-03-01T01:00:00+01:00", "active": false,
        "auto_approve": false, "code": "Summer-2026", "note": "For\nthe crew",
        "allowed_email_domains": ["Example.com", "bücher.example", "example.COM"],
    });

    let reply = create(&bench, &owner, &body).await;

    assert_eq!(reply.status, 201);
    let shown = json!([
        reply.body["quota"],
        reply.body["remaining"],
        reply.body["expires_at"],
        reply.body["active"],
        reply.body["auto_approve"],
        reply.body["state"],
        reply.body["code"],
        reply.body["note"],
        reply.body["allowed_email_domains"],
    ]);
    let expected = json!([
        1_000_000,
        1_000_000,
        "2026-03-01T00:00:00.000Z",
        false,
        false,
        "inactive",
        "Summer-2026",
        "For\nthe crew",
        ["example.com", "xn--bcher-kva.example"],
    ]);
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_code_that_reads_the_same_is_taken() {
    let (bench, owner) = portal().await;
    bench.invite_code("OIL-RIG-2026", |_| {}).await;
    for code in ["OIL-RIG-2026", "oilrig2026", "01L-R1G-2O26"] {
        let reply = create(&bench, &owner, &json!({"team_id": TeamId::default_team(), "code": code})).await;
        assert_eq!((reply.status, reply.problem()), (409, "invite-code-taken"), "{code}");
    }
}

#[tokio::test]
async fn of_two_creations_of_one_code_at_once_one_wins() {
    let (bench, owner) = portal().await;
    let (rival, body) = (router(app(&bench)), json!({"team_id": TeamId::default_team(), "code": CODE, "quota": 7}));
    let sample = Sample::of("invite-codes-create").by(&owner).body(&body);
    let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 201) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = create(&bench, &owner, &json!({"team_id": TeamId::default_team(), "code": CODE})).await;

    assert_eq!((reply.status, reply.problem()), (409, "invite-code-taken"));
    assert_eq!(bench.code(CODE).await.unwrap().quota, Some(7));
}

#[tokio::test]
async fn a_drawn_code_that_is_there_already_is_drawn_again() {
    let (bench, owner) = portal().await;
    let drawing = |seed| router(App { random: Random::seeded(seed), ..app(&bench) });
    let body = json!({"team_id": TeamId::default_team()});
    let ask = || Sample::of("invite-codes-create").by(&owner).body(&body);

    let first = ask().send(drawing(7)).await;
    let second = ask().send(drawing(7)).await;

    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.body["code"], second.body["code"]);
}

#[tokio::test]
async fn a_team_is_needed_and_has_to_be_there_when_the_code_is_written() {
    let (bench, owner) = portal().await;
    let (_, teams) = bench.organisation("Acme", 0).await;
    for (team, fault) in [
        (json!(null), ("/team_id", "required")),
        (json!("sales"), ("/team_id", "unknown_team")),
        (json!("team_01kf0ev11gzqq463a0qnbxxtp1"), ("/team_id", "unknown_team")),
    ] {
        assert_eq!(create(&bench, &owner, &json!({"team_id": team, "code": CODE})).await.faults(), [fault]);
    }
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.erase_team(&teams[0]));

    let reply = create(&bench, &owner, &json!({"team_id": teams[0], "code": CODE})).await;

    assert_eq!(reply.faults(), [("/team_id", "unknown_team")]);
    assert!(bench.code(CODE).await.is_none());
}

#[tokio::test]
async fn values_have_bounds_and_every_fault_is_named() {
    let (bench, owner) = portal().await;
    let body = json!({
        "team_id": 7, "quota": 0, "expires_at": bench.now() + SignedDuration::from_millis(1), "active": "yes",
        "auto_approve": 1, "code": "short", "note": "\u{7}", "allowed_email_domains": ["example.com", "*"],
        "used": 1,
    });

    let expected = [
        ("/team_id", "not_a_string"),
        ("/quota", "out_of_range"),
        ("/expires_at", "in_the_past"),
        ("/active", "not_a_boolean"),
        ("/auto_approve", "not_a_boolean"),
        ("/code", "invalid_code"),
        ("/note", "invalid_note"),
        ("/allowed_email_domains/1", "invalid_domain"),
        ("/used", "unknown_field"),
    ];
    assert_eq!(create(&bench, &owner, &body).await.faults(), expected);
    for (field, value, code) in [
        ("quota", json!(1_000_001), "out_of_range"),
        ("expires_at", json!("tomorrow"), "invalid_instant"),
        ("allowed_email_domains", json!(vec!["example.com"; 51]), "too_many"),
    ] {
        let body = json!({"team_id": TeamId::default_team(), field: value});
        assert_eq!(create(&bench, &owner, &body).await.faults(), [(format!("/{field}").as_str(), code)]);
    }
}

#[tokio::test]
async fn a_repeat_with_an_idempotency_key_draws_no_second_code() {
    let (bench, owner) = portal().await;
    let ask = |number| {
        let body = json!({"team_id": TeamId::default_team(), "quota": number + 1, "note": "For the crew"});
        Sample::of("invite-codes-create").by(&owner).body(&body)
    };

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 201 }.is_repeatable().await;
}

#[tokio::test]
async fn a_chosen_code_is_created_once_and_answered_as_it_was_whatever_became_of_it() {
    let (bench, owner) = portal().await;
    let body = json!({"team_id": TeamId::default_team(), "code": CODE, "expires_at": "2026-01-15T10:30:00Z"});
    let ask = || Sample::of("invite-codes-create").by(&owner).body(&body).header("idempotency-key", "k");
    let first = send(&bench, ask()).await;
    send(&bench, Sample::of("invite-codes-change").by(&owner).code(CODE).body(&json!({"active": false}))).await;
    bench.advance(SignedDuration::from_hours(2));

    let after_its_expiry = send(&bench, ask()).await;
    send(&bench, Sample::of("invite-codes-delete").by(&owner).code(CODE)).await;
    let after_its_deletion = send(&bench, ask()).await;

    assert_eq!((first.status, &first.body["state"]), (201, &json!("usable")));
    assert_replays(&after_its_expiry, &first);
    assert_replays(&after_its_deletion, &first);
    assert!(bench.code(CODE).await.is_none());
}

#[tokio::test]
async fn only_owners_create_codes() {
    let (bench, owner) = portal().await;

    only_owners(&bench, &owner, "invite-codes-create").await;
}

#[tokio::test]
async fn creating_is_a_read_of_the_caller_and_of_the_team_a_transaction_and_the_names() {
    let (bench, owner) = portal().await;

    let (reply, calls) = bench.calls(send(&bench, Sample::of("invite-codes-create").by(&owner))).await;

    assert_eq!(reply.status, 201);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let batch = "DynamoDB.BatchGetItem";
    assert_eq!(operations, [batch, batch, "DynamoDB.TransactWriteItems", batch]);
}

#[tokio::test]
async fn the_audit_names_the_codes_id_and_never_its_text() {
    let (bench, owner) = portal().await;
    let body = json!({"team_id": TeamId::default_team(), "code": CODE, "quota": 5, "note": "For the crew"});

    create(&bench, &owner, &body).await;

    let code = bench.code(CODE).await.unwrap();
    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["target"] == json!(code.id));
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&event["action"], &event["actor"]), (&json!("invite_code.created"), &json!({"user": owner.user.id})));
    let after = json!({
        "team_id": TeamId::default_team(), "quota": 5, "expires_at": null, "active": true, "auto_approve": true,
    });
    assert_eq!(event["after"], after);
    let event = event.to_string().to_lowercase();
    let folded = FoldedCode::of(CODE).unwrap();
    assert!(["spring", folded.as_str(), "crew"].into_iter().all(|word| !event.contains(word)), "{event}");
}
