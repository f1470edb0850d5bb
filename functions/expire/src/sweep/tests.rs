//! What all parts of a run share, and what their tests stand on.

use std::sync::Arc;

use harness::{Bench, Fault, Sample, email};
use shared::{
    domain::{
        link::{CONFIRM_LIFE, Link, Purpose},
        name::Name,
        organisation::Placement,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    store::Registered,
};

use super::*;

pub(super) const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

pub(super) fn app(bench: &Bench) -> App {
    let (store, identity, mailer) = (bench.store.clone(), bench.identity.clone(), bench.mailer.clone());
    App { store, identity, mailer, owns_pool: true, clock: bench.clock.clone() }
}

pub(super) async fn sweep(bench: &Bench) -> Report {
    handle(&app(bench), None).await.unwrap()
}

/// The report of a run that could not deal with everything.
pub(super) fn unfinished(result: Result<Report, Error>) -> Report {
    result.unwrap_err().downcast::<Unfinished>().unwrap().0
}

/// What a new person with `address` starts from.
pub(super) fn newcomer(address: &str, start: Start) -> NewUser {
    NewUser {
        email: email(address),
        first_name: Name::parse("Ada").unwrap(),
        last_name: Name::parse("Lovelace").unwrap(),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start,
    }
}

pub(super) async fn register(bench: &Bench, address: &str) -> User {
    let new = newcomer(address, Start::As(Status::Unconfirmed));
    let registered = bench.store.register(new, &bench.origin()).await.unwrap();
    let Registered::New(user) = registered else { panic!("{registered:?}") };
    *user
}

/// The confirmation link of a person.
pub(super) fn link(user: &User) -> Link {
    let (user_id, link_version) = (user.id.clone(), user.link_version);
    Link { user_id, purpose: Purpose::Confirm, link_version, expires_at: Timestamp::MAX }
}

/// How many items of state are left of a person: row, sentinel, memberships, notes.
pub(super) async fn traces(bench: &Bench, user: &User) -> usize {
    let rows = bench.rows().await;
    let kept = |pk: &str| ["AUDIT#", "OUTBOX#", "LINK#"].iter().any(|prefix| pk.starts_with(prefix));
    let of_state = rows.iter().filter(|row| !kept(row["pk"].as_str().unwrap()));
    of_state.filter(|row| row.to_string().contains(user.id.as_str())).count()
}

/// How many users Cognito has.
pub(super) async fn cognito_users(bench: &Bench) -> usize {
    let list = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
    list.send().await.unwrap().users().len()
}

#[test]
fn the_schedules_event_holds_nothing_that_a_run_needs() {
    let event = Sample::of("expire-schedule").event();

    assert_eq!((&event["source"], &event["detail"]), (&"aws.scheduler".into(), &"{}".into()));
}

#[tokio::test]
async fn a_portal_where_nothing_is_due_is_left_as_it_is() {
    let bench = Bench::new().await;
    bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
    bench.mails("ada@example.com").await;
    bench.advance(CONFIRM_LIFE * 2);
    // The first run of a day walks over the pool and notes that it did.
    sweep(&bench).await;
    let before = bench.rows().await;

    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!(bench.rows().await, before);
}

/// Refuses the query number `number` of those to come.
fn refuse_query(bench: &Arc<Bench>, number: usize) {
    let refuse = |bench: &Bench| {
        bench.services.calls().fail_next("DynamoDB.Query", Fault::refused("AccessDeniedException", "no"));
    };
    let Some(before) = number.checked_sub(1) else { return refuse(bench) };
    for _ in 0..before {
        bench.services.calls().before_next("DynamoDB.Query", async {});
    }
    let then = bench.clone();
    bench.services.calls().before_next("DynamoDB.Query", async move { refuse(&then) });
}

/// A portal where a registration and a mail are due.
async fn something_due() -> Arc<Bench> {
    let bench = Arc::new(Bench::new().await);
    register(&bench, "ada@example.com").await;
    bench.person("grace@example.com", Role::TeamMember, Status::Active).await;
    bench.advance(CONFIRM_LIFE + MILLISECOND);
    bench
}

#[tokio::test]
async fn a_list_that_cannot_be_read_stops_none_of_the_other_work() {
    let bench = something_due().await;
    let (undisturbed, calls) = bench.calls(sweep(&bench)).await;
    assert_eq!((undisturbed.unconfirmed_deleted, undisturbed.mails_sent), (1, 1));
    let lists = calls.iter().filter(|call| call.operation == "DynamoDB.Query").count();
    let mut stopped = Vec::new();
    for list in 0..lists {
        let bench = something_due().await;
        refuse_query(&bench, list);

        let report = unfinished(handle(&app(&bench), None).await);

        assert_eq!((report.failures, bench.services.calls().outstanding()), (1, 0), "list {list}");
        let done = report.unconfirmed_deleted + report.mails_sent;
        assert!(done >= 1, "list {list} stops more than itself");
        stopped.extend((done == 1).then_some(list));
    }
    assert_eq!(stopped.len(), 2, "each of the two is one list's: {stopped:?}");
}
