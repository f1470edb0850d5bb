//! Addresses that have an account: no slot, and nothing that an outsider could tell them by.

use harness::{Bench, CODE, Reply};
use serde_json::Value;
use shared::{
    domain::user::{Role, Status},
    store::Sentinel,
};

use super::tests::{app, body, known, person, redeem};
use crate::router;

fn anonymous(mut reply: Reply) -> Reply {
    if !reply.body["request_id"].is_null() {
        reply.body["request_id"] = Value::Null;
    }
    reply
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_answer_by_the_same_calls_whatever_the_code() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.invite_code("INACTIVE-ONE", |code| code.active = false).await;
    bench.invite_code("EXHAUSTED-ONE", |code| (code.quota, code.used) = (Some(1), 1)).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    bench.person("invited@example.com", Role::TeamMember, Status::Invited).await;
    redeem(&bench, CODE, "waiting@example.com").await;
    let ask = async |code: &str, address: &str| {
        let (reply, calls) = bench.calls(redeem(&bench, code, address)).await;
        (anonymous(reply), calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
    };

    for (number, code) in [CODE, "INACTIVE-ONE", "EXHAUSTED-ONE", "NO-SUCH-CODE"].into_iter().enumerate() {
        let unknown = ask(code, &format!("new-{number}@example.com")).await;
        for address in ["settled@example.com", "invited@example.com", "waiting@example.com"] {
            assert_eq!(ask(code, address).await, unknown, "{code} {address}");
        }
    }
    assert_eq!(bench.used(CODE).await, 2, "the two new ones");
    assert_eq!(bench.mail_events("settled@example.com").await, ["welcome", "already_registered"]);
    assert_eq!(bench.mail_events("waiting@example.com").await, ["confirm_registration", "confirm_registration"]);
}

#[tokio::test]
async fn the_conditions_of_the_code_hold_for_a_known_address_in_the_write_too() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(1)).await;
    bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
    let rival = router(app(&bench));
    let meanwhile = async move {
        let reply = harness::Sample::of("redeem-code-redeem").body(&body(CODE, "rival@example.com")).send(rival).await;
        assert_eq!(reply.status, 202);
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = redeem(&bench, CODE, "settled@example.com").await;

    assert_eq!((reply.status, reply.problem()), (409, "invite-code-exhausted"));
    assert_eq!(bench.mail_events("settled@example.com").await, ["welcome"]);
}

#[tokio::test]
async fn a_repeated_redemption_changes_nothing_of_the_person_and_takes_no_second_slot() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.invite_code("ANOTHER-CODE", |_| {}).await;
    redeem(&bench, CODE, "ada@example.com").await;
    // What was mailed is counted, nothing else changes.
    let uncounted = async || Sentinel { mails: None, ..known(&bench, "ada@example.com").await.unwrap() };
    let before = (person(&bench, "ada@example.com").await, uncounted().await);

    for code in [CODE, "ANOTHER-CODE"] {
        assert_eq!(redeem(&bench, code, "ada@example.com").await.status, 202);
    }

    assert_eq!((person(&bench, "ada@example.com").await, uncounted().await), before);
    assert_eq!((bench.used(CODE).await, bench.used("ANOTHER-CODE").await), (1, 0));
}

#[tokio::test]
async fn who_loses_the_race_for_an_address_takes_no_slot_and_one_call_more() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(5)).await;
    let rival = router(app(&bench));
    let meanwhile = async move {
        let reply = harness::Sample::of("redeem-code-redeem").body(&body(CODE, "ada@example.com")).send(rival).await;
        assert_eq!(reply.status, 202);
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let (reply, calls) = bench.calls(redeem(&bench, CODE, "ada@example.com")).await;

    assert_eq!(reply.status, 202);
    // Two of the calls are the rival's.
    assert_eq!(calls.len() - 2, 3);
    assert_eq!((bench.used(CODE).await, bench.rows_in("USER#").await.len()), (1, 1));
    assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration", "confirm_registration"]);
}
