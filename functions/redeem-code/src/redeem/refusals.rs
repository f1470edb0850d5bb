//! What a code refuses, in which order, and what is said of a body.

use harness::{Bench, CODE, PASSWORD, Sample};
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::email::MailDomain;

use super::tests::{app, body, known, redeem, send};
use crate::router;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn each_state_of_a_code_has_its_own_refusal_and_takes_no_slot() {
    let bench = Bench::new().await;
    let soon = bench.now() + SignedDuration::from_hours(1);
    bench.invite_code("INACTIVE-ONE", |code| code.active = false).await;
    bench.invite_code("EXPIRED-ONE", |code| code.expires_at = Some(soon)).await;
    bench.invite_code("EXHAUSTED-ONE", |code| (code.quota, code.used) = (Some(1), 1)).await;
    bench.advance(SignedDuration::from_hours(1));

    for (code, slug) in [
        ("INACTIVE-ONE", "invite-code-inactive"),
        ("EXPIRED-ONE", "invite-code-expired"),
        ("EXHAUSTED-ONE", "invite-code-exhausted"),
    ] {
        let used = bench.used(code).await;
        let (reply, calls) = bench.calls(redeem(&bench, code, ADA)).await;
        assert_eq!((reply.status, reply.problem()), (409, slug));
        assert_eq!((calls.len(), bench.used(code).await), (1, used), "{code}");
    }
    assert!(known(&bench, ADA).await.is_none());
}

#[tokio::test]
async fn where_several_things_are_wrong_inactive_comes_first_then_expired_then_exhausted() {
    let bench = Bench::new().await;
    let now = bench.now();
    bench
        .invite_code("ALL-OF-IT", |code| {
            (code.active, code.expires_at, code.quota, code.used) = (false, Some(now), Some(1), 1);
        })
        .await;
    bench.invite_code("TWO-OF-IT", |code| (code.expires_at, code.quota, code.used) = (Some(now), Some(1), 1)).await;

    assert_eq!(redeem(&bench, "ALL-OF-IT", ADA).await.problem(), "invite-code-inactive");
    assert_eq!(redeem(&bench, "TWO-OF-IT", ADA).await.problem(), "invite-code-expired");
}

#[tokio::test]
async fn a_code_works_until_the_last_moment_before_its_expiry() {
    let bench = Bench::new().await;
    let until = bench.now() + SignedDuration::from_hours(1);
    bench.invite_code(CODE, |code| code.expires_at = Some(until)).await;
    bench.advance(SignedDuration::from_hours(1) - SignedDuration::from_millis(1));

    assert_eq!(redeem(&bench, CODE, ADA).await.status, 202);
    bench.advance(SignedDuration::from_millis(1));
    assert_eq!(redeem(&bench, CODE, "grace@example.com").await.problem(), "invite-code-expired");
}

#[tokio::test]
async fn a_code_whose_team_is_gone_is_inactive_whatever_else_it_is() {
    let bench = Bench::new().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let now = bench.now();
    for (text, expires_at, quota) in
        [("USABLE-ONE", None, None), ("EXPIRED-ONE", Some(now), None), ("EXHAUSTED-ONE", None, Some(1))]
    {
        let (organisation_id, team_id) = (acme.clone(), teams[0].clone());
        let used = u64::from(quota.is_some());
        bench
            .invite_code(text, |code| {
                (code.organisation_id, code.team_id) = (organisation_id, team_id);
                (code.expires_at, code.quota, code.used) = (expires_at, quota, used);
            })
            .await;
    }
    bench.person(ADA, shared::domain::user::Role::TeamMember, shared::domain::user::Status::Active).await;
    bench.erase_team(&teams[0]).await;

    for code in ["USABLE-ONE", "EXPIRED-ONE", "EXHAUSTED-ONE"] {
        for address in ["new@example.com", ADA] {
            let reply = redeem(&bench, code, address).await;
            assert_eq!((reply.status, reply.problem()), (409, "invite-code-inactive"), "{code}");
        }
    }
    assert_eq!((bench.used("USABLE-ONE").await, bench.mail_events(ADA).await.len()), (0, 1));
}

#[tokio::test]
async fn addresses_of_other_domains_are_refused_and_take_no_slot() {
    let bench = Bench::new().await;
    let domains = vec![MailDomain::parse("acme.example").unwrap()];
    bench.invite_code(CODE, |code| code.allowed_email_domains = domains).await;

    assert_eq!(redeem(&bench, CODE, ADA).await.faults(), [("/email", "domain_not_allowed")]);
    assert_eq!(redeem(&bench, CODE, "ada@sub.acme.example").await.faults(), [("/email", "domain_not_allowed")]);
    assert_eq!(redeem(&bench, CODE, "ada@ACME.example").await.status, 202);
    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn every_fault_of_a_body_is_named_and_says_nothing_of_the_code() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    for code in [CODE, "NO-SUCH-CODE"] {
        let body = json!({"code": code, "email": "ada", "first_name": "\n", "attributes": {"x": 1}, "role": "o"});
        let expected = [
            ("/email", "invalid_email"),
            ("/first_name", "invalid_name"),
            ("/last_name", "required"),
            ("/attributes/x", "unknown_field"),
            ("/role", "unknown_field"),
        ];
        assert_eq!(send(&bench, &body).await.faults(), expected);
    }
    let missing = send(&bench, &json!({"code": 7})).await;
    assert_eq!(missing.faults().first(), Some(&("/code", "not_a_string")));
    let text = Sample::of("redeem-code-redeem").raw_body("{", "application/json").send(router(app(&bench))).await;
    assert_eq!((text.status, text.problem()), (400, "malformed-json"));
}

#[tokio::test]
async fn a_password_is_not_chosen_before_the_address_is_confirmed_and_a_bad_code_is_told_first() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    let with_password = |code| {
        let mut body = body(code, ADA);
        body["password"] = json!(PASSWORD);
        body
    };

    assert_eq!(send(&bench, &with_password(CODE)).await.faults(), [("/password", "not_allowed")]);
    assert_eq!(send(&bench, &with_password("NO-SUCH-CODE")).await.problem(), "invite-code-unknown");
    assert_eq!(bench.used(CODE).await, 0);
}

#[tokio::test]
async fn without_a_sender_nobody_can_confirm_and_no_slot_is_taken() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    bench.set(|settings| settings.sender = None).await;

    let reply = redeem(&bench, CODE, ADA).await;

    assert_eq!((reply.status, reply.problem()), (409, "mail-not-configured"));
    assert_eq!(bench.used(CODE).await, 0);
}
