//! Invitations that are sent again with the same `Idempotency-Key`.

use harness::{Creating, Sample, assert_replays};
use serde_json::json;
use shared::domain::user::Status;

use super::{
    tests::{acme, ada, app, portal, send},
    *,
};
use crate::router;

fn number(number: usize, team_ids: &[TeamId]) -> serde_json::Value {
    let mut body = ada(json!({"team_ids": team_ids}));
    body["email"] = json!(format!("person{number}@example.com"));
    body
}

#[tokio::test]
async fn a_repeat_by_an_owner_invites_nobody_more() {
    let (bench, owner) = portal().await;
    let ask = |n| Sample::of("invite-create").by(&owner).body(&number(n, &[]));

    Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 409 }.is_repeatable().await;

    assert_eq!(bench.mail_events("person2@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn a_repeat_by_an_admin_invites_nobody_more_whether_the_address_is_known_elsewhere_or_not() {
    for known in [false, true] {
        let (bench, _) = portal().await;
        let (_, teams, admin) = acme(&bench).await;
        for n in 0..9 {
            if known {
                bench.person(&format!("person{n}@example.com"), Role::TeamMember, Status::Active).await;
            }
        }
        let ask = |n| Sample::of("invite-create").by(&admin).body(&number(n, &teams[1..2]));

        Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 409 }.is_repeatable().await;
    }
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_also_when_the_mail_is_out_and_the_link_used() {
    let (bench, owner) = portal().await;
    let ask = || Sample::of("invite-create").by(&owner).body(&number(0, &[])).header("idempotency-key", "k");
    let first = send(&bench, ask()).await;

    let token = bench.token("person0@example.com").await;
    assert_replays(&send(&bench, ask()).await, &first);
    assert_eq!(crate::accept::tests::accept(&bench, &token, harness::PASSWORD).await.status, 200);

    assert_replays(&send(&bench, ask()).await, &first);
    assert_eq!(bench.mail_events("person0@example.com").await, ["invitation", "welcome"]);
}

#[tokio::test]
async fn a_repeat_that_meets_the_first_between_its_two_looks_is_no_refusal() {
    for known in [false, true] {
        let (bench, _) = portal().await;
        let (_, teams, admin) = acme(&bench).await;
        if known {
            bench.person("person0@example.com", Role::TeamMember, Status::Active).await;
        }
        let ask =
            || Sample::of("invite-create").by(&admin).body(&number(0, &teams[1..2])).header("idempotency-key", "k");
        let (rival, same) = (router(app(&bench)), ask());
        let meanwhile = async move { assert_eq!(same.send(rival).await.status, 201) };
        bench.services.calls().before_next("DynamoDB.BatchGetItem", async {});
        bench.services.calls().before_next("DynamoDB.BatchGetItem", meanwhile);

        let second = send(&bench, ask()).await;

        assert_replays(&second, &send(&bench, ask()).await);
        assert_eq!(bench.rows_in("INVITATION#").await.len(), 1);
    }
}

#[tokio::test]
async fn no_record_holds_anything_personal() {
    let (bench, owner) = portal().await;

    send(&bench, Sample::of("invite-create").by(&owner).body(&number(0, &[])).header("idempotency-key", "k")).await;

    let records = json!(bench.rows_in("RECORD#").await).to_string().to_lowercase();
    assert!(records.contains("created"));
    assert!(["ada", "lovelace", "person0"].into_iter().all(|word| !records.contains(word)), "{records}");
}
