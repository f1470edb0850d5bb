//! Who hears of which code, when, and how often.

use harness::{Bench, CODE, Fault, email};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::UserId,
        invite_code::notice::NOTICE_BEFORE_END,
        user::{Role, Start, Status},
    },
    store::Redeemed,
};

use super::super::{
    Report, handle,
    tests::{MILLISECOND, app, newcomer, sweep, unfinished},
};

const OWNER: &str = "owner@example.com";
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A portal with two owners; the first of them creates the codes. Their own mails are sent.
async fn portal() -> (Bench, UserId) {
    let bench = Bench::new().await;
    let creator = bench.person(OWNER, Role::ApiOwner, Status::Active).await.id;
    bench.person("second@example.com", Role::ApiOwner, Status::Active).await;
    bench.mails(OWNER).await;
    (bench, creator)
}

/// A portal with a code that ends in a week.
async fn with_an_end() -> Bench {
    let (bench, creator) = portal().await;
    let until = bench.now() + WEEK;
    bench.invite_code(CODE, |code| (code.created_by, code.expires_at) = (creator, Some(until))).await;
    bench
}

/// A portal with a code for so many.
async fn with_quota(quota: u32) -> Bench {
    let (bench, creator) = portal().await;
    bench.invite_code(CODE, |code| (code.created_by, code.quota) = (creator, Some(quota))).await;
    bench
}

async fn redeem(bench: &Bench, name: &str) {
    let code = bench.code(CODE).await.unwrap();
    let new = newcomer(&format!("{name}@example.com"), Start::As(Status::Unconfirmed));
    assert!(matches!(bench.store.redeem(&code, new, &bench.origin()).await.unwrap(), Redeemed::New(_)));
}

async fn redeem_times(bench: &Bench, name: &str, times: usize) {
    for number in 0..times {
        redeem(bench, &format!("{name}-{number}")).await;
    }
}

/// The outbox entries of an event.
async fn queued(bench: &Bench, event: &str) -> Vec<Value> {
    let mut mails = bench.rows_in("OUTBOX#").await;
    mails.retain(|mail| mail["event"] == event);
    mails
}

/// To whom the one mail of an event goes.
async fn told(bench: &Bench, event: &str) -> Vec<String> {
    let mails = queued(bench, event).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let to = mails[0]["to"].as_array().unwrap().iter();
    to.map(|one| one["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_creator_hears_of_an_end_three_days_before_it_and_once() {
    let bench = with_an_end().await;
    bench.advance(WEEK - NOTICE_BEFORE_END - MILLISECOND);
    assert_eq!(sweep(&bench).await, Report::default());

    bench.advance(MILLISECOND);
    let runs = [sweep(&bench).await, sweep(&bench).await];

    assert_eq!(runs.map(|report| report.code_ends_told), [1, 0]);
    assert_eq!(told(&bench, "invite_code_expiring").await, [OWNER]);
    let mail = bench.mails(OWNER).await.remove(0);
    assert_eq!(mail.subject, "An invite code for Developer portal ends on 22 January 2026, 09:30 UTC");
    let text = mail.text.unwrap();
    assert!(text.contains(CODE) && text.contains("the team Default team of Default Organisation"), "{text}");
    bench.advance(NOTICE_BEFORE_END);
    assert_eq!(sweep(&bench).await, Report { codes_expired: 1, ..Report::default() });
}

#[tokio::test]
async fn another_expiry_is_told_of_again_and_one_that_is_near_when_it_is_set_is_not() {
    let bench = with_an_end().await;
    bench.advance(WEEK - NOTICE_BEFORE_END);
    sweep(&bench).await;
    let extended = bench.now() + WEEK;
    bench.change_code(CODE, move |code| code.expires_at = Some(extended)).await;

    let at_once = sweep(&bench).await.code_ends_told;
    bench.advance(WEEK - NOTICE_BEFORE_END);
    let in_time = sweep(&bench).await.code_ends_told;
    let shortened = bench.now() + SignedDuration::from_hours(1);
    bench.change_code(CODE, move |code| code.expires_at = Some(shortened)).await;
    let near = sweep(&bench).await.code_ends_told;
    bench.advance(SignedDuration::from_hours(1));

    assert_eq!((at_once, in_time, near), (0, 1, 0));
    assert_eq!(sweep(&bench).await.codes_expired, 1);
}

#[tokio::test]
async fn a_code_that_lets_nobody_in_anyway_ends_untold() {
    let bench = with_an_end().await;
    bench.change_code(CODE, |code| code.active = false).await;
    bench.advance(WEEK - NOTICE_BEFORE_END);
    assert_eq!(sweep(&bench).await, Report::default());

    // Nor is one told of whose end no run saw coming: it is marked at once.
    let until = bench.now() + WEEK;
    bench.invite_code("ANOTHER-CODE", |code| code.expires_at = Some(until)).await;
    bench.advance(WEEK);
    assert_eq!(sweep(&bench).await, Report { codes_expired: 2, ..Report::default() });
    assert!(queued(&bench, "invite_code_expiring").await.is_empty());
}

#[tokio::test]
async fn a_tenth_of_the_slots_left_is_told_once_however_many_are_taken_after_that() {
    let bench = with_quota(20).await;
    redeem_times(&bench, "early", 17).await;
    assert_eq!(sweep(&bench).await.low_codes_told, 0);
    let row = bench.rows_in("CODE#").await.remove(0);
    assert!(row["group_pk"].is_null(), "it was looked at: {row}");

    redeem(&bench, "next").await;
    let crossed = [sweep(&bench).await.low_codes_told, sweep(&bench).await.low_codes_told];
    redeem_times(&bench, "late", 2).await;
    let used_up = sweep(&bench).await.low_codes_told;

    assert_eq!((crossed, used_up), ([1, 0], 0));
    assert_eq!(told(&bench, "invite_code_low").await, [OWNER]);
    let text = bench.mails(OWNER).await.remove(0).text.unwrap();
    assert!(text.contains(CODE) && text.contains("lets in 2 more of 20 people"), "{text}");
}

#[tokio::test]
async fn slots_taken_all_at_once_are_told_of_although_none_of_them_saw_the_tenth() {
    let bench = with_quota(20).await;
    let code = bench.code(CODE).await.unwrap();
    for number in 0..20 {
        let new = newcomer(&format!("person-{number}@example.com"), Start::As(Status::Unconfirmed));
        // Each as one that read the code before anybody had redeemed it.
        assert!(matches!(bench.store.redeem(&code, new, &bench.origin()).await.unwrap(), Redeemed::New(_)));
    }

    assert_eq!(sweep(&bench).await.low_codes_told, 1);

    let mail = bench.mails(OWNER).await.remove(0);
    assert_eq!(mail.subject, "An invite code for Developer portal is used up");
}

#[tokio::test]
async fn a_raised_quota_is_told_of_again_when_it_runs_low_and_a_lowered_one_at_once() {
    let bench = with_quota(2).await;
    redeem_times(&bench, "first", 2).await;
    let used_up = sweep(&bench).await.low_codes_told;
    bench.change_code(CODE, |code| code.quota = Some(20)).await;
    let raised = sweep(&bench).await.low_codes_told;
    redeem_times(&bench, "more", 8).await;
    let half = sweep(&bench).await.low_codes_told;
    bench.change_code(CODE, |code| code.quota = Some(11)).await;
    let lowered = [sweep(&bench).await.low_codes_told, sweep(&bench).await.low_codes_told];

    assert_eq!((used_up, raised, half, lowered), (1, 0, 0, [1, 0]));
}

#[tokio::test]
async fn codes_for_one_person_or_for_any_number_and_those_switched_off_are_not_told_of() {
    for quota in [Some(1), None] {
        let (bench, _) = portal().await;
        bench.invite_code(CODE, |code| code.quota = quota).await;
        redeem(&bench, "ada").await;
        assert_eq!(sweep(&bench).await, Report::default());
    }
    let bench = with_quota(2).await;
    redeem_times(&bench, "person", 2).await;
    bench.change_code(CODE, |code| code.active = false).await;
    assert_eq!(sweep(&bench).await, Report::default());
}

#[tokio::test]
async fn where_the_creator_is_no_active_owner_every_active_owner_hears_and_nobody_else() {
    let bench = Bench::new().await;
    for address in [OWNER, "second@example.com"] {
        bench.person(address, Role::ApiOwner, Status::Active).await;
    }
    bench.set(|settings| settings.owner_notification_addresses = vec![email("desk@example.com")]).await;
    let gone = bench.person("gone@example.com", Role::ApiOwner, Status::Inactive).await.id;
    bench.invite_code(CODE, |code| (code.created_by, code.quota) = (gone, Some(2))).await;
    redeem_times(&bench, "person", 2).await;

    assert_eq!(sweep(&bench).await.low_codes_told, 1);

    assert_eq!(told(&bench, "invite_code_low").await, [OWNER, "second@example.com"]);
}

#[tokio::test]
async fn without_a_sender_it_is_told_once_there_is_one() {
    let bench = with_quota(2).await;
    redeem_times(&bench, "person", 2).await;
    bench.set(|settings| settings.sender = None).await;
    assert_eq!(sweep(&bench).await, Report::default());

    bench.set(|settings| settings.sender = Some(email("portal@example.com"))).await;

    assert_eq!(sweep(&bench).await.low_codes_told, 1);
}

#[tokio::test]
async fn two_sweeps_at_once_tell_once_of_each() {
    let bench = with_an_end().await;
    bench.change_code(CODE, |code| code.quota = Some(20)).await;
    redeem_times(&bench, "person", 18).await;
    bench.advance(WEEK - NOTICE_BEFORE_END);

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!((one.code_ends_told + other.code_ends_told, one.low_codes_told + other.low_codes_told), (1, 1));
    assert_eq!(queued(&bench, "invite_code_low").await.len() + queued(&bench, "invite_code_expiring").await.len(), 2);
}

#[tokio::test]
async fn a_code_changed_between_the_list_and_the_mail_is_looked_at_anew() {
    let bench = with_quota(2).await;
    redeem_times(&bench, "person", 2).await;
    let raise = bench.change_code(CODE, |code| code.quota = Some(100));
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", raise);
    assert_eq!(sweep(&bench).await.low_codes_told, 0);

    assert_eq!(sweep(&bench).await.low_codes_told, 0);
    assert!(queued(&bench, "invite_code_low").await.is_empty());
    let bench = with_an_end().await;
    bench.advance(WEEK - NOTICE_BEFORE_END);
    let later = bench.now() + WEEK;
    let extend = bench.change_code(CODE, move |code| code.expires_at = Some(later));
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", extend);
    assert_eq!(sweep(&bench).await.code_ends_told, 0);
    assert!(queued(&bench, "invite_code_expiring").await.is_empty());
}

#[tokio::test]
async fn a_code_redeemed_while_it_is_looked_at_is_looked_at_again() {
    let bench = std::sync::Arc::new(with_quota(2).await);
    redeem(&bench, "ada").await;
    let then = bench.clone();
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move { redeem(&then, "grace").await });

    assert_eq!([sweep(&bench).await.low_codes_told, sweep(&bench).await.low_codes_told], [0, 1]);
}

#[tokio::test]
async fn a_notice_that_fails_is_tried_again_and_a_lost_answer_tells_once() {
    let bench = with_quota(2).await;
    redeem_times(&bench, "person", 2).await;
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    assert_eq!(unfinished(handle(&app(&bench), None).await).failures, 1);

    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
    assert_eq!(sweep(&bench).await.low_codes_told, 1);

    assert_eq!(queued(&bench, "invite_code_low").await.len(), 1);
}

#[tokio::test]
async fn the_codes_text_stands_in_the_mail_and_in_no_audit_event() {
    let bench = with_quota(2).await;
    redeem_times(&bench, "person", 2).await;

    sweep(&bench).await;

    assert_eq!(queued(&bench, "invite_code_low").await[0]["variables"]["code"], json!(CODE));
    let kept = json!(bench.rows_in("AUDIT#").await).to_string();
    assert!(!kept.contains(CODE) && !kept.to_lowercase().contains("spring"), "{kept}");
}

#[tokio::test]
async fn a_code_that_works_again_within_its_last_days_is_told_of_then() {
    let bench = with_an_end().await;
    bench.change_code(CODE, |code| code.active = false).await;
    bench.advance(WEEK - NOTICE_BEFORE_END);
    let while_it_was_off = sweep(&bench).await.code_ends_told;
    bench.change_code(CODE, |code| code.active = true).await;

    let runs = [sweep(&bench).await, sweep(&bench).await];

    assert_eq!((while_it_was_off, runs.map(|report| report.code_ends_told)), (0, [1, 0]));
    assert_eq!(told(&bench, "invite_code_expiring").await, [OWNER]);
}
