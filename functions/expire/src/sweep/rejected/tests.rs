//! Rejected registrations: thirty days, then gone with everything; reopening them wins or loses as a whole.

use harness::{Bench, Fault};
use jiff::SignedDuration;
use shared::domain::{
    email::Email,
    transition::{REJECTED_LIFE, Transition},
    user::{Role, Status, User},
};
use shared::store::Transitioned;

use super::super::{
    Report, handle,
    tests::{MILLISECOND, app, cognito_users, register, sweep, traces, unfinished},
};

/// A registration that was rejected a moment ago, its mails sent.
async fn reject(bench: &Bench, address: &str) -> User {
    let person = bench.person(address, Role::TeamMember, Status::Pending).await;
    let rejected = bench.store.transition(&person, Transition::Reject, None, &bench.origin()).await.unwrap();
    assert!(matches!(rejected, Transitioned::Done(_)));
    bench.mails(address).await;
    bench.read(&person.id).await
}

#[tokio::test]
async fn a_rejected_registration_goes_after_thirty_days_with_everything_of_it_and_not_before() {
    let bench = Bench::new().await;
    let user = reject(&bench, "ada@example.com").await;
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (3, 1));
    bench.advance(SignedDuration::from_hours(30 * 24));
    assert_eq!(sweep(&bench).await, Report::default());

    bench.advance(MILLISECOND);
    let report = sweep(&bench).await;

    assert_eq!(report, Report { rejected_deleted: 1, ..Report::default() });
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (0, 0));
    let events = bench.rows_in("AUDIT#").await;
    let event = events.iter().find(|event| event["action"] == "registration.removed").unwrap();
    assert_eq!((&event["target"], &event["actor"]), (&user.id.as_str().into(), &"system".into()));
    register(&bench, "ada@example.com").await;
}

#[tokio::test]
async fn who_was_reopened_and_rejected_again_has_another_thirty_days() {
    let bench = Bench::new().await;
    let user = reject(&bench, "ada@example.com").await;
    bench.advance(REJECTED_LIFE);
    for transition in [Transition::Reopen, Transition::Reject] {
        let user = bench.read(&user.id).await;
        bench.store.transition(&user, transition, None, &bench.origin()).await.unwrap();
    }
    bench.mails("ada@example.com").await;

    bench.advance(REJECTED_LIFE);
    assert_eq!(sweep(&bench).await.rejected_deleted, 0);

    bench.advance(MILLISECOND);
    assert_eq!(sweep(&bench).await.rejected_deleted, 1);
}

#[tokio::test]
async fn who_is_reopened_between_the_list_and_the_deletion_stays_whole() {
    let bench = Bench::new().await;
    let user = reject(&bench, "ada@example.com").await;
    bench.advance(REJECTED_LIFE + MILLISECOND);
    let (store, late, origin) = (bench.store.clone(), user.clone(), bench.origin());
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move {
        let reopened = store.transition(&late, Transition::Reopen, None, &origin).await.unwrap();
        assert!(matches!(reopened, Transitioned::Done(_)));
    });

    assert_eq!(sweep(&bench).await.rejected_deleted, 0);

    assert_eq!(bench.read(&user.id).await.status, Status::Pending);
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (3, 1));
}

#[tokio::test]
async fn who_was_deleted_cannot_be_reopened() {
    let bench = Bench::new().await;
    let user = reject(&bench, "ada@example.com").await;
    bench.advance(REJECTED_LIFE + MILLISECOND);
    sweep(&bench).await;

    let late = bench.store.transition(&user, Transition::Reopen, None, &bench.origin()).await.unwrap();

    assert!(matches!(late, Transitioned::Gone));
    assert_eq!(traces(&bench, &user).await, 0);
}

#[tokio::test]
async fn who_was_changed_since_they_were_read_is_left_to_the_next_run() {
    let bench = Bench::new().await;
    let user = reject(&bench, "ada@example.com").await;
    bench.advance(REJECTED_LIFE + MILLISECOND);
    let change = bench.overwrite(&user.id, "version", &(user.version + 1).into());
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", change);

    assert_eq!(sweep(&bench).await.rejected_deleted, 0);
    assert_eq!(sweep(&bench).await.rejected_deleted, 1);
}

#[tokio::test]
async fn a_row_that_fails_stops_no_other_and_is_tried_again() {
    let bench = Bench::new().await;
    for address in ["a@example.com", "b@example.com", "c@example.com"] {
        reject(&bench, address).await;
    }
    bench.advance(REJECTED_LIFE + MILLISECOND);
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!(report, Report { rejected_deleted: 2, failures: 1, ..Report::default() });
    assert_eq!(sweep(&bench).await, Report { rejected_deleted: 1, ..Report::default() });
}

#[tokio::test]
async fn a_cognito_user_that_could_not_be_deleted_is_deleted_by_the_note_that_stays() {
    let bench = Bench::new().await;
    let user = reject(&bench, "ada@example.com").await;
    bench.advance(REJECTED_LIFE + MILLISECOND);
    bench.services.calls().fail_next("Cognito.AdminDeleteUser", Fault::refused("AccessDeniedException", "no"));
    bench.services.calls().fail_next("Cognito.ListUsers", Fault::refused("AccessDeniedException", "no"));

    assert_eq!(unfinished(handle(&app(&bench), None).await).failures, 2);
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (1, 1));

    bench.advance(SignedDuration::from_mins(15) + MILLISECOND);
    bench.services.calls().fail_next("Cognito.ListUsers", Fault::refused("AccessDeniedException", "no"));
    assert_eq!(unfinished(handle(&app(&bench), None).await).failures, 1);
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (0, 0));
}

#[tokio::test]
async fn two_sweeps_at_once_delete_each_registration_once() {
    let bench = Bench::new().await;
    for number in 0..5 {
        reject(&bench, &format!("person-{number}@example.com")).await;
    }
    bench.advance(REJECTED_LIFE + MILLISECOND);

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!(one.rejected_deleted + other.rejected_deleted, 5);
    let removed = bench.rows_in("AUDIT#").await.into_iter().filter(|event| event["action"] == "registration.removed");
    assert_eq!((removed.count(), cognito_users(&bench).await), (5, 0));
}

#[tokio::test]
async fn a_hundred_and_twenty_rows_take_one_run_page_after_page_and_none_is_forgotten() {
    let bench = Bench::new().await;
    for number in 0..120 {
        let user = register(&bench, &format!("person-{number}@example.com")).await;
        bench.overwrite(&user.id, "status", &"rejected".into()).await;
        bench.overwrite(&user.id, "queue_pk", &"USERS#rejected".into()).await;
    }
    bench.advance(REJECTED_LIFE + MILLISECOND);

    let runs = [sweep(&bench).await, sweep(&bench).await];

    assert_eq!(runs.each_ref().map(|report| report.rejected_deleted), [120, 0]);
    assert!(bench.rows_in("USER#").await.is_empty() && bench.rows_in("EMAIL#").await.is_empty());
    assert!(bench.store.login_facts(&Email::parse("person-7@example.com").unwrap()).await.unwrap().account.is_none());
}
