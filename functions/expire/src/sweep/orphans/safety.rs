//! Who must never be removed.

use harness::{Bench, Fault, PASSWORD};
use jiff::SignedDuration;
use shared::{
    domain::{
        password::Password,
        user::{Start, Status},
    },
    store::Creation,
};

use super::{
    super::{
        Report, handle,
        tests::{MILLISECOND, app, cognito_users, newcomer, sweep, unfinished},
    },
    CREATION_GRACE,
    tests::{orphan, people},
};

#[tokio::test]
async fn a_pool_that_was_there_before_loses_nobody_and_its_strangers_are_reported() {
    let bench = Bench::new().await;
    people(&bench, 2).await;
    for _ in 0..15 {
        orphan(&bench).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);
    let app = crate::App { owns_pool: false, ..app(&bench) };

    let (report, calls) = bench.calls(async { Box::pin(handle(&app, None)).await.unwrap() }).await;

    assert_eq!(report, Report { orphans_reported: 15, ..Report::default() });
    assert!(calls.iter().all(|call| call.operation != "Cognito.AdminDeleteUser"));
    assert_eq!(cognito_users(&bench).await, 17);
    assert_eq!(handle(&app, None).await.unwrap(), Report::default(), "once a day");
}

#[tokio::test]
async fn a_page_most_of_which_has_no_row_is_doubted_as_a_whole() {
    for (with_row, without) in [(4, 6), (0, 10)] {
        let bench = Bench::new().await;
        people(&bench, with_row).await;
        for _ in 0..without {
            orphan(&bench).await;
        }
        bench.advance(CREATION_GRACE + MILLISECOND);

        let report = unfinished(handle(&app(&bench), None).await);

        assert_eq!(report, Report { failures: 1, ..Report::default() });
        assert_eq!(cognito_users(&bench).await, 10);
        assert_eq!(sweep(&bench).await, Report::default(), "judged again by the next walk");
    }
}

#[tokio::test]
async fn half_a_page_or_most_of_a_small_one_is_removed() {
    for (with_row, without) in [(5, 5), (0, 9)] {
        let bench = Bench::new().await;
        people(&bench, with_row).await;
        for _ in 0..without {
            orphan(&bench).await;
        }
        bench.advance(CREATION_GRACE + MILLISECOND);

        assert_eq!(sweep(&bench).await, Report { orphans_removed: without, ..Report::default() });

        assert_eq!(cognito_users(&bench).await, with_row);
    }
}

#[tokio::test]
async fn a_table_without_settings_empties_no_pool() {
    let bench = Bench::without_foundation().await;
    orphan(&bench).await;
    bench.advance(CREATION_GRACE + MILLISECOND);

    let report = unfinished(handle(&app(&bench), None).await);

    // Whoever else asks the settings fails as well.
    assert!(report.failures >= 1, "{report:?}");
    assert_eq!((report.orphans_removed, cognito_users(&bench).await), (0, 1));
}

#[tokio::test]
async fn settings_that_vanish_before_the_deletion_save_everybody() {
    let bench = Bench::new().await;
    orphan(&bench).await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    let calls = bench.services.calls();
    // What is approved by itself, the reminder, the walk, the page, and then the last look before the deletion.
    for _ in 0..4 {
        calls.before_next("DynamoDB.BatchGetItem", async {});
    }
    calls.before_next("DynamoDB.BatchGetItem", bench.discard("SETTINGS", "SETTINGS"));

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!((report.failures, report.orphans_removed, cognito_users(&bench).await), (1, 0, 1));
}

#[tokio::test]
async fn somebody_whose_row_comes_between_the_look_and_the_deletion_stays() {
    let bench = Bench::new().await;
    people(&bench, 1).await;
    let id = orphan(&bench).await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    let calls = bench.services.calls();
    for _ in 0..4 {
        calls.before_next("DynamoDB.BatchGetItem", async {});
    }
    // An update of a row that is not there writes one.
    calls.before_next("DynamoDB.BatchGetItem", bench.overwrite(&id, "id", &id.as_str().into()));

    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!(cognito_users(&bench).await, 2);
}

#[tokio::test]
async fn a_creation_under_way_is_left_to_the_part_that_undoes_creations() {
    let bench = Bench::new().await;
    people(&bench, 1).await;
    let new = newcomer("ada@example.com", Start::Becoming(Status::Active));
    let begun = bench.store.begin_creation(new, &bench.origin()).await.unwrap();
    let Creation::Begun(user) = begun else { panic!("{begun:?}") };
    bench.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
    bench.advance(CREATION_GRACE + MILLISECOND);
    let refuse = || bench.services.calls().fail_next("DynamoDB.Query", Fault::refused("AccessDeniedException", "no"));

    // The list of creations cannot be read, so the row stays; then the row is gone and the note stays.
    refuse();
    assert_eq!(unfinished(handle(&app(&bench), None).await), Report { failures: 1, ..Report::default() });
    bench.erase(&user.id).await;
    bench.advance(SignedDuration::from_hours(24));
    refuse();
    assert_eq!(unfinished(handle(&app(&bench), None).await), Report { failures: 1, ..Report::default() });

    assert_eq!(cognito_users(&bench).await, 2);
}
