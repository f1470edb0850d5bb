//! Who hears of waiting registrations, how often, and what about.

use harness::{Bench, Fault, email};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::domain::{
    transition::Transition,
    user::{Role, Status, User},
};

use super::super::{
    Report, handle,
    tests::{MILLISECOND, app, sweep, unfinished},
};

const OWNER: &str = "owner@example.com";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A portal with an owner.
async fn portal() -> Bench {
    let bench = Bench::new().await;
    bench.person(OWNER, Role::ApiOwner, Status::Active).await;
    bench
}

async fn wait(bench: &Bench, address: &str) -> User {
    bench.person(address, Role::TeamMember, Status::Pending).await
}

async fn digests(bench: &Bench) -> Vec<Value> {
    let mut mails = bench.rows_in("OUTBOX#").await;
    mails.retain(|mail| mail["event"] == "pending_digest");
    mails
}

async fn queued(bench: &Bench) -> usize {
    sweep(bench).await.digests_queued
}

#[tokio::test]
async fn a_registration_that_waited_for_more_than_a_day_is_told_of_once_a_day_as_long_as_it_waits() {
    let bench = portal().await;
    let ada = wait(&bench, "ada@example.com").await;
    bench.advance(DAY);
    assert_eq!(queued(&bench).await, 0);

    bench.advance(MILLISECOND);
    let first = [queued(&bench).await, queued(&bench).await];
    bench.advance(DAY - MILLISECOND);
    let within_the_day = queued(&bench).await;
    bench.advance(MILLISECOND);
    let next_day = [queued(&bench).await, queued(&bench).await];

    assert_eq!((first, within_the_day, next_day), ([1, 0], 0, [1, 0]));
    let mail = bench.mails(OWNER).await.remove(0);
    assert_eq!(mail.subject, "A registration waits for approval at Developer portal");
    let text = mail.text.unwrap();
    assert!(text.contains("has waited for more than a day, since 15 January 2026"), "{text}");
    bench.store.transition(&ada, Transition::Reject, None, &bench.origin()).await.unwrap();
    bench.advance(DAY);
    assert_eq!(queued(&bench).await, 0);
}

#[tokio::test]
async fn many_are_counted_and_none_is_named() {
    let bench = portal().await;
    for number in 0..23 {
        wait(&bench, &format!("person-{number}@example.com")).await;
        bench.advance(SignedDuration::from_mins(1));
    }
    bench.advance(DAY);
    wait(&bench, "late@example.com").await;

    assert_eq!(queued(&bench).await, 1);

    let mail = bench.mails(OWNER).await.remove(0);
    assert_eq!(mail.subject, "23 registrations wait for approval at Developer portal");
    let text = mail.text.unwrap();
    assert!(text.contains("the longest since 15 January 2026, 09:30 UTC."), "{text}");
    assert!(!text.contains("person-") && !text.contains("Hopper"), "{text}");
}

#[tokio::test]
async fn the_addresses_of_the_settings_are_told_instead_in_one_entry() {
    let bench = portal().await;
    let set = vec![email("one@example.com"), email("two@example.com")];
    bench.set(|settings| settings.owner_notification_addresses = set).await;
    wait(&bench, "ada@example.com").await;
    bench.advance(DAY + MILLISECOND);

    assert_eq!(queued(&bench).await, 1);

    let digests = digests(&bench).await;
    let to: Vec<_> = digests[0]["to"].as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap()).collect();
    assert_eq!((digests.len(), to), (1, vec!["one@example.com", "two@example.com"]));
}

#[tokio::test]
async fn without_a_sender_or_anybody_to_tell_nothing_is_written_and_it_is_told_once_there_is() {
    let bench = Bench::new().await;
    bench.set(|settings| settings.sender = None).await;
    wait(&bench, "ada@example.com").await;
    bench.advance(DAY + MILLISECOND);
    let without_both = queued(&bench).await;
    bench.set(|settings| settings.sender = Some(email("portal@example.com"))).await;
    let without_owner = queued(&bench).await;
    bench.person(OWNER, Role::ApiOwner, Status::Active).await;

    assert_eq!((without_both, without_owner, queued(&bench).await), (0, 0, 1));
    assert_eq!(digests(&bench).await.len(), 1);
}

#[tokio::test]
async fn who_is_approved_by_the_settings_is_let_in_and_not_told_of() {
    let bench = portal().await;
    wait(&bench, "ada@example.com").await;
    bench.advance(DAY + MILLISECOND);
    bench.set(|settings| settings.auto_approve = true).await;

    let report = sweep(&bench).await;

    assert_eq!((report.waiting_approved, report.digests_queued), (1, 0));
}

#[tokio::test]
async fn two_runs_at_once_send_one() {
    let bench = portal().await;
    wait(&bench, "ada@example.com").await;
    bench.advance(DAY + MILLISECOND);

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!((one.digests_queued + other.digests_queued, digests(&bench).await.len()), (1, 1));
}

#[tokio::test]
async fn a_digest_that_could_not_be_written_is_tried_again_and_a_lost_answer_sends_no_second() {
    let bench = portal().await;
    wait(&bench, "ada@example.com").await;
    bench.mails(OWNER).await;
    bench.advance(DAY + MILLISECOND);
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    assert_eq!(unfinished(handle(&app(&bench), None).await), Report { failures: 1, ..Report::default() });

    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
    assert_eq!(queued(&bench).await, 1);

    assert_eq!(digests(&bench).await.len(), 1);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_counted_and_keeps_the_others_from_nothing() {
    let bench = portal().await;
    let broken = wait(&bench, "broken@example.com").await;
    wait(&bench, "ada@example.com").await;
    bench.overwrite(&broken.id, "email", &json!(7)).await;
    bench.mails(OWNER).await;
    bench.advance(DAY + MILLISECOND);

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!((report.digests_queued, report.failures), (1, 1));
    let text = bench.mails(OWNER).await.remove(0).text.unwrap();
    assert!(text.contains("2 registrations") && text.contains("the longest since 15 January 2026"), "{text}");
}

#[tokio::test]
async fn who_waits_no_longer_is_not_counted_though_the_index_still_has_them() {
    let bench = portal().await;
    let ada = wait(&bench, "ada@example.com").await;
    wait(&bench, "grace@example.com").await;
    bench.advance(DAY + MILLISECOND);
    // The row alone changes: its place in the index stays behind.
    bench.overwrite(&ada.id, "status", &json!("active")).await;

    assert_eq!(queued(&bench).await, 1);

    let mail = bench.mails(OWNER).await.remove(0);
    assert_eq!(mail.subject, "A registration waits for approval at Developer portal");
}
