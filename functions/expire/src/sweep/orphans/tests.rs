//! The walk over the pool: who goes, how far a run gets, and how the next goes on.

use harness::{Bench, Fault, PASSWORD, email};
use jiff::SignedDuration;
use shared::domain::{
    ids::UserId,
    password::Password,
    user::{Role, Status},
};

use super::{
    super::{
        Report, handle,
        tests::{MILLISECOND, app, cognito_users, sweep, unfinished},
    },
    CREATION_GRACE, EVERY,
};

/// A user of the pool, with a name of ours, whom no row knows.
pub(super) async fn orphan(bench: &Bench) -> UserId {
    let id = UserId::new(bench.now(), bench.random.number());
    bench.identity.establish(&id, &email("ada@example.com"), &Password::new(PASSWORD)).await.unwrap();
    id
}

/// People with rows, and nothing of theirs left to do.
pub(super) async fn people(bench: &Bench, number: usize) {
    for number in 0..number {
        bench.person(&format!("person-{number}@example.com"), Role::TeamMember, Status::Active).await;
    }
    for mut entry in bench.rows_in("OUTBOX#").await {
        // Sent: what mails do is another part's business.
        entry.as_object_mut().unwrap().retain(|name, _| !name.starts_with("unsent"));
        let put = bench.services.dynamodb().put_item().table_name(bench.services.mail_table());
        put.set_item(Some(serde_dynamo::to_item(&entry).unwrap())).send().await.unwrap();
    }
}

fn removed(orphans_removed: usize) -> Report {
    Report { orphans_removed, ..Report::default() }
}

#[tokio::test]
async fn a_user_without_a_row_goes_after_fifteen_minutes_and_who_has_one_stays() {
    let bench = Bench::new().await;
    people(&bench, 2).await;
    orphan(&bench).await;
    bench.advance(CREATION_GRACE);
    assert_eq!(sweep(&bench).await, Report::default(), "too young");
    bench.advance(EVERY);

    assert_eq!(sweep(&bench).await, removed(1));

    assert_eq!(cognito_users(&bench).await, 2);
    assert_eq!(sweep(&bench).await, Report::default());
}

#[tokio::test]
async fn a_walk_starts_once_a_day_and_costs_nothing_in_between() {
    let bench = Bench::new().await;
    people(&bench, 1).await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    sweep(&bench).await;
    orphan(&bench).await;
    let listed = async || {
        let (report, calls) = bench.calls(async { Box::pin(handle(&app(&bench), None)).await.unwrap() }).await;
        (report.orphans_removed, calls.iter().filter(|call| call.operation == "Cognito.ListUsers").count())
    };

    bench.advance(EVERY - MILLISECOND * 2);
    assert_eq!(listed().await, (0, 0));
    assert_eq!(listed().await, (1, 1));
    assert_eq!(listed().await, (0, 0));
}

#[tokio::test]
async fn one_run_removes_ten_and_the_following_ones_the_others() {
    let bench = Bench::new().await;
    people(&bench, 30).await;
    for _ in 0..25 {
        orphan(&bench).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);

    let runs = [sweep(&bench).await, sweep(&bench).await, sweep(&bench).await, sweep(&bench).await];

    assert_eq!(runs.map(|report| report.orphans_removed), [10, 10, 5, 0]);
    assert_eq!(cognito_users(&bench).await, 30);
}

#[tokio::test]
async fn a_pool_of_many_pages_is_walked_over_several_runs_and_every_orphan_is_found() {
    let bench = Bench::new().await;
    // Five full pages and a bit. That there is a row is all that matters here.
    for _ in 0..310 {
        let id = UserId::new(bench.now(), bench.random.number());
        let create = bench.services.cognito().admin_create_user().user_pool_id(bench.services.user_pool_id());
        create.username(id.as_str()).message_action("SUPPRESS".into()).send().await.unwrap();
        bench.overwrite(&id, "id", &id.as_str().into()).await;
    }
    bench.advance(MILLISECOND);
    let last = orphan(&bench).await;
    bench.advance(CREATION_GRACE + MILLISECOND);

    let (first, calls) = bench.calls(async { Box::pin(handle(&app(&bench), None)).await.unwrap() }).await;
    let pages = calls.iter().filter(|call| call.operation == "Cognito.ListUsers").count();
    let walk = bench.store.pool_walk().await.unwrap().unwrap();
    let second = sweep(&bench).await;

    assert_eq!((first, pages), (Report::default(), 5));
    assert!(walk.token.is_some());
    assert_eq!(second, removed(1));
    let after = bench.store.pool_walk().await.unwrap().unwrap();
    assert_eq!((after.token, after.began_at, after.step), (None, walk.began_at, 6));
    assert!(!bench.identity.delete(&last).await.unwrap(), "it is gone");
}

#[tokio::test]
async fn a_place_that_cognito_has_forgotten_starts_the_walk_over() {
    let bench = Bench::new().await;
    people(&bench, 2).await;
    orphan(&bench).await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    let forgotten = shared::store::PoolWalk { token: Some("*".to_owned()), began_at: bench.now() - EVERY, step: 7 };
    assert!(bench.store.step_pool_walk(None, &forgotten).await.unwrap());

    assert_eq!(sweep(&bench).await, removed(1));

    let walk = bench.store.pool_walk().await.unwrap().unwrap();
    assert_eq!((walk.token, walk.began_at, walk.step), (None, bench.now(), 8));
}

#[tokio::test]
async fn two_sweeps_at_once_remove_each_user_once_and_both_are_content() {
    let bench = Bench::new().await;
    people(&bench, 6).await;
    for _ in 0..4 {
        orphan(&bench).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!(one.orphans_removed + other.orphans_removed, 4);
    assert_eq!((cognito_users(&bench).await, bench.store.pool_walk().await.unwrap().unwrap().step), (6, 1));
}

#[tokio::test]
async fn a_run_that_was_overtaken_leaves_the_walk_to_the_other() {
    let bench = Bench::new().await;
    people(&bench, 70).await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    let other = app(&bench);
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move {
        assert_eq!(Box::pin(handle(&other, None)).await.unwrap(), Report::default());
    });

    let (report, calls) = bench.calls(async { Box::pin(handle(&app(&bench), None)).await.unwrap() }).await;

    let pages = calls.iter().filter(|call| call.operation == "Cognito.ListUsers").count();
    assert_eq!((report, pages), (Report::default(), 3), "one page of this run's, both of the other's");
    assert_eq!(bench.store.pool_walk().await.unwrap().unwrap().step, 2);
}

#[tokio::test]
async fn a_user_that_fails_stops_no_other_and_is_met_again_by_the_next_walk() {
    let bench = Bench::new().await;
    people(&bench, 6).await;
    for _ in 0..3 {
        orphan(&bench).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);
    bench.services.calls().fail_next("Cognito.AdminDeleteUser", Fault::refused("AccessDeniedException", "no"));

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!(report, Report { orphans_removed: 2, failures: 1, ..Report::default() });
    bench.advance(EVERY);
    assert_eq!(sweep(&bench).await, removed(1));
}

#[tokio::test]
async fn a_run_whose_time_is_up_leaves_the_rest_of_its_page_to_the_next() {
    let bench = Bench::new().await;
    people(&bench, 6).await;
    for _ in 0..3 {
        orphan(&bench).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(1)) };
    bench.services.calls().before_next("Cognito.AdminDeleteUser", pass);

    let until = bench.now() + SignedDuration::from_secs(1);
    let report = handle(&app(&bench), Some(until)).await.unwrap();

    assert_eq!((report, bench.store.pool_walk().await.unwrap()), (removed(1), None));
    assert_eq!(sweep(&bench).await, removed(2));
}
