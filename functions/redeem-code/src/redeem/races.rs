//! Redemptions beside each other and beside what API Owners do to a code: never a slot too many, never one too few.

use std::sync::Arc;

use harness::{Bench, CODE, Reply, Sample};
use jiff::SignedDuration;
use shared::domain::invite_code::InviteCode;
use tokio::task::JoinSet;

use super::tests::{app, body, known, redeem};
use crate::router;

const ADA: &str = "ada@example.com";

/// Redeems for many people at once.
async fn all_at_once(bench: &Bench, people: usize) -> Vec<Reply> {
    let mut requests = JoinSet::new();
    for number in 0..people {
        let sample = Sample::of("redeem-code-redeem").body(&body(CODE, &format!("person-{number}@example.com")));
        requests.spawn(sample.send(router(app(bench))));
    }
    requests.join_all().await
}

fn count(replies: &[Reply], fits: impl Fn(&Reply) -> bool) -> usize {
    replies.iter().filter(|reply| fits(reply)).count()
}

#[tokio::test]
async fn two_hundred_redemptions_of_fifty_slots_let_in_exactly_fifty() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(50)).await;

    let replies = all_at_once(&bench, 200).await;

    assert_eq!(count(&replies, |reply| reply.status == 202), 50);
    let exhausted = |reply: &Reply| reply.status == 409 && reply.problem() == "invite-code-exhausted";
    assert_eq!(count(&replies, exhausted), 150);
    assert_eq!(bench.used(CODE).await, 50);
    let rows = async |prefix: &str| bench.rows_in(prefix).await.len();
    assert_eq!((rows("USER#").await, rows("EMAIL#").await, rows("OUTBOX#").await), (50, 50, 50));
    let mut sent = 0;
    for number in 0..200 {
        sent += bench.mails(&format!("person-{number}@example.com")).await.len();
    }
    assert_eq!(sent, 50);
}

#[tokio::test]
async fn two_redemptions_of_the_last_slot_have_one_winner() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(7), 6)).await;
    let rival = router(app(&bench));
    let meanwhile = async move {
        let reply = Sample::of("redeem-code-redeem").body(&body(CODE, "rival@example.com")).send(rival).await;
        assert_eq!(reply.status, 202);
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = redeem(&bench, CODE, ADA).await;

    assert_eq!((reply.status, reply.problem()), (409, "invite-code-exhausted"));
    assert_eq!((bench.used(CODE).await, bench.rows_in("USER#").await.len()), (7, 1));
}

#[tokio::test]
async fn one_slot_for_many_at_once_has_one_winner() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(1)).await;

    let replies = all_at_once(&bench, 20).await;

    assert_eq!((count(&replies, |reply| reply.status == 202), bench.used(CODE).await), (1, 1));
}

#[tokio::test]
async fn many_redemptions_with_one_address_at_once_take_one_slot() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| code.quota = Some(50)).await;
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        requests.spawn(Sample::of("redeem-code-redeem").body(&body(CODE, ADA)).send(router(app(&bench))));
    }

    let replies = requests.join_all().await;

    assert_eq!(count(&replies, |reply| reply.status == 202), 20);
    assert_eq!((bench.used(CODE).await, bench.rows_in("USER#").await.len()), (1, 1));
}

/// A redemption whose code an API Owner changes between its read and its write.
async fn beside<F: FnOnce(&mut InviteCode) + Send + 'static>(change: F) -> (Bench, Reply) {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(9), 5)).await;
    let meanwhile = bench.change_code(CODE, change);
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
    let reply = redeem(&bench, CODE, ADA).await;
    assert_eq!(bench.services.calls().outstanding(), 0);
    (bench, reply)
}

#[tokio::test]
async fn a_code_that_stops_working_between_read_and_write_takes_nobody_in() {
    for (change, slug) in [
        ((|code: &mut InviteCode| code.active = false) as fn(&mut InviteCode), "invite-code-inactive"),
        (|code| code.expires_at = Some(code.created_at), "invite-code-expired"),
        (|code| code.quota = Some(5), "invite-code-exhausted"),
    ] {
        let (bench, reply) = beside(change).await;

        assert_eq!((reply.status, reply.problem()), (409, slug));
        assert_eq!(bench.used(CODE).await, 5);
        assert!(known(&bench, ADA).await.is_none());
    }
}

#[tokio::test]
async fn a_change_that_leaves_the_code_usable_is_decided_by_and_does_not_stop_the_redemption() {
    let (bench, reply) = beside(|code| (code.quota, code.auto_approve) = (Some(6), false)).await;

    assert_eq!((reply.status, bench.used(CODE).await), (202, 6));
    let user = super::tests::person(&bench, ADA).await;
    assert!(!user.redemption.unwrap().auto_approve, "as the code said when the slot was taken");
}

#[tokio::test]
async fn a_code_that_keeps_changing_is_told_in_the_end() {
    let bench = Bench::new().await;
    bench.invite_code(CODE, |_| {}).await;
    for version in 2..7 {
        let meanwhile = bench.overwrite_code(CODE, "version", &version.into());
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);
    }

    let reply = redeem(&bench, CODE, ADA).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert_eq!((bench.used(CODE).await, redeem(&bench, CODE, ADA).await.status), (0, 202));
}

#[tokio::test]
async fn a_code_that_expires_while_it_is_redeemed_is_held_to_the_instant_of_the_request() {
    let bench = Bench::new().await;
    let until = bench.now() + SignedDuration::from_millis(1);
    bench.invite_code(CODE, |code| code.expires_at = Some(until)).await;
    let clock = bench.clock.clone();
    let meanwhile = async move { clock.advance(SignedDuration::from_hours(1)) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    assert_eq!(redeem(&bench, CODE, ADA).await.status, 202);
    assert_eq!(redeem(&bench, CODE, "grace@example.com").await.problem(), "invite-code-expired");
}

#[tokio::test]
async fn a_code_deleted_between_read_and_write_is_unknown_and_one_created_anew_is_another() {
    let bench = Bench::new().await;
    let code = bench.invite_code(CODE, |_| {}).await;
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.delete_code(&code));

    let reply = redeem(&bench, CODE, ADA).await;
    assert_eq!((reply.status, reply.problem()), (404, "invite-code-unknown"));
    assert!(known(&bench, ADA).await.is_none());

    let bench = Arc::new(bench);
    let code = bench.invite_code(CODE, |_| {}).await;
    let (delete, then) = (bench.delete_code(&code), Arc::clone(&bench));
    let anew = async move {
        delete.await;
        then.invite_code(CODE, |code| (code.quota, code.used) = (Some(1), 1)).await;
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", anew);
    assert_eq!(redeem(&bench, CODE, ADA).await.problem(), "invite-code-exhausted");
}

#[tokio::test]
async fn a_team_deleted_between_read_and_write_makes_its_code_inactive() {
    let bench = Bench::new().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let team_id = teams[0].clone();
    bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme, team_id)).await;
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.erase_team(&teams[0]));

    let reply = redeem(&bench, CODE, ADA).await;

    assert_eq!((reply.status, reply.problem()), (409, "invite-code-inactive"));
    assert_eq!(bench.used(CODE).await, 0);
    assert!(known(&bench, ADA).await.is_none());
}
