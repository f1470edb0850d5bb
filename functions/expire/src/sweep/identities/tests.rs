//! Creations that were cut off before their Cognito user was made.

use harness::{Bench, Fault, PASSWORD};
use jiff::SignedDuration;
use shared::{
    domain::{
        password::Password,
        user::{Role, Start, Status, User},
    },
    store::{Creation, Deleted, Finish},
};

use super::{
    super::{
        Report, handle,
        tests::{MILLISECOND, app, cognito_users, newcomer, sweep, traces, unfinished},
    },
    CREATION_GRACE,
};

/// A creation whose last step is missing; its Cognito user is there.
async fn begin(bench: &Bench, address: &str) -> User {
    let new = newcomer(address, Start::Becoming(Status::Active));
    let begun = bench.store.begin_creation(new, &bench.origin()).await.unwrap();
    let Creation::Begun(user) = begun else { panic!("{begun:?}") };
    bench.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
    *user
}

#[tokio::test]
async fn an_unfinished_creation_is_undone_after_fifteen_minutes_and_not_before() {
    let bench = Bench::new().await;
    let user = begin(&bench, "ada@example.com").await;
    assert_eq!(traces(&bench, &user).await, 4);
    bench.advance(SignedDuration::from_mins(15));
    assert_eq!(sweep(&bench).await, Report::default());

    bench.advance(MILLISECOND);
    let report = sweep(&bench).await;

    assert_eq!(report, Report { creations_undone: 1, ..Report::default() });
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (0, 0));
    assert_eq!(bench.rows_in("AUDIT#").await.pop().unwrap()["action"], "user.creation_undone");
    begin(&bench, "ada@example.com").await;
}

#[tokio::test]
async fn a_finished_creation_stays() {
    let bench = Bench::new().await;
    let user = begin(&bench, "ada@example.com").await;
    bench.store.finish_creation(&user, &[], &bench.origin()).await.unwrap();
    bench.mails("ada@example.com").await;
    bench.advance(CREATION_GRACE + MILLISECOND);

    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (3, 1));
}

#[tokio::test]
async fn a_creation_that_is_finished_between_the_list_and_the_deletion_wins() {
    let bench = Bench::new().await;
    let user = begin(&bench, "ada@example.com").await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    let (store, late, origin) = (bench.store.clone(), user.clone(), bench.origin());
    let finish = async move {
        assert_eq!(store.finish_creation(&late, &[], &origin).await.unwrap(), Finish::Done(Status::Active));
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", finish);

    assert_eq!(sweep(&bench).await.creations_undone, 0);

    assert_eq!(bench.read(&user.id).await.status, Status::Active);
    assert_eq!(cognito_users(&bench).await, 1);
}

#[tokio::test]
async fn a_creation_that_was_undone_cannot_be_finished() {
    let bench = Bench::new().await;
    let user = begin(&bench, "ada@example.com").await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    sweep(&bench).await;

    let late = bench.store.finish_creation(&user, &[], &bench.origin()).await.unwrap();

    assert_eq!(late, Finish::Undone);
    assert_eq!(traces(&bench, &user).await, 0);
}

#[tokio::test]
async fn a_creation_that_fails_stops_no_other_and_is_tried_again() {
    let bench = Bench::new().await;
    for address in ["a@example.com", "b@example.com"] {
        begin(&bench, address).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!(report, Report { creations_undone: 1, failures: 1, ..Report::default() });
    assert_eq!(sweep(&bench).await, Report { creations_undone: 1, ..Report::default() });
    assert_eq!(cognito_users(&bench).await, 0);
}

#[tokio::test]
async fn two_sweeps_at_once_undo_a_creation_once() {
    let bench = Bench::new().await;
    begin(&bench, "ada@example.com").await;
    bench.advance(CREATION_GRACE + MILLISECOND);

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!(one.creations_undone + other.creations_undone, 1);
}

#[tokio::test]
async fn what_reaches_cognito_after_a_deletion_is_deleted_too() {
    let bench = Bench::new().await;
    let user = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    assert!(matches!(bench.store.delete_person(&user, None, &bench.origin()).await.unwrap(), Deleted::Done));
    bench.identity.delete(&user.id).await.unwrap();
    bench.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
    bench.mails("ada@example.com").await;
    bench.advance(CREATION_GRACE + MILLISECOND);

    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (0, 0));
}

#[tokio::test]
async fn a_cognito_user_whose_row_is_gone_is_deleted_in_the_end() {
    let bench = Bench::new().await;
    let user = begin(&bench, "ada@example.com").await;
    // What a refused password leaves: the row undone at once, the Cognito user there.
    assert!(bench.store.undo_creation(&user, &bench.origin()).await.unwrap());
    assert_eq!(cognito_users(&bench).await, 1);
    bench.advance(CREATION_GRACE + MILLISECOND);
    bench.services.calls().fail_next("Cognito.AdminDeleteUser", Fault::refused("AccessDeniedException", "no"));

    let failed = unfinished(handle(&app(&bench), None).await);
    let report = sweep(&bench).await;

    assert_eq!((failed.failures, report), (1, Report::default()));
    assert_eq!(cognito_users(&bench).await, 0);
    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
}
