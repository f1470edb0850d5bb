//! Creations that were cut off before their Cognito user was made.

use harness::{Bench, Fault, PASSWORD};
use jiff::SignedDuration;
use shared::{
    domain::{
        change_of_person::ChangeOfPerson,
        password::Password,
        user::{Role, Start, Status, User},
    },
    store::{Creation, Deleted, Finish, PersonChanged, Places},
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

/// Gives somebody another address, of which Cognito hears nothing.
async fn readdress(bench: &Bench, user: &User, address: &str) -> User {
    let before = bench.read(&user.id).await;
    let change = ChangeOfPerson { email: Some(harness::email(address)), ..ChangeOfPerson::default() };
    let owner = User { role: Role::ApiOwner, ..before.clone() };
    let (after, _) = change.over(&owner, &before).unwrap();
    let after = after.following(&before, bench.now());
    let facts = bench.store.address_facts(&before, &after.email).await.unwrap();
    let written = bench
        .store
        .readdress_person(&owner, (&before, &after, &Places::default()), &facts, false, &bench.origin())
        .await;
    assert!(matches!(written.unwrap(), PersonChanged::Done));
    bench.mails(address).await;
    after
}

async fn known_to_cognito(bench: &Bench, user: &User) -> String {
    let request = bench.services.cognito().admin_get_user().user_pool_id(bench.services.user_pool_id());
    let found = request.username(user.id.as_str()).send().await.unwrap();
    let email = found.user_attributes().iter().find(|attribute| attribute.name() == "email");
    email.and_then(|email| email.value()).unwrap().to_owned()
}

#[tokio::test]
async fn an_address_that_cognito_has_not_heard_of_is_told_after_fifteen_minutes() {
    let bench = Bench::new().await;
    let user = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    readdress(&bench, &user, "augusta@example.org").await;
    bench.advance(CREATION_GRACE);
    sweep(&bench).await;
    assert_eq!(known_to_cognito(&bench, &user).await, "ada@example.com");

    bench.advance(MILLISECOND);
    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!(known_to_cognito(&bench, &user).await, "augusta@example.org");
    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
    assert_eq!((bench.read(&user.id).await.status, cognito_users(&bench).await), (Status::Active, 1));
}

#[tokio::test]
async fn of_several_addresses_the_rows_is_told_and_every_note_goes() {
    let bench = Bench::new().await;
    let user = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    for address in ["augusta@example.org", "king@example.org"] {
        bench.advance(MILLISECOND);
        readdress(&bench, &user, address).await;
    }
    bench.advance(CREATION_GRACE + MILLISECOND);

    sweep(&bench).await;

    assert_eq!(known_to_cognito(&bench, &user).await, "king@example.org");
    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
}

#[tokio::test]
async fn an_address_that_changes_while_it_is_told_keeps_its_note_for_the_next_run() {
    let bench = Bench::new().await;
    let user = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let before = readdress(&bench, &user, "augusta@example.org").await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    let changed = bench.overwrite(&before.id, "email", &"king@example.org".into());
    bench.services.calls().before_next("Cognito.AdminUpdateUserAttributes", changed);

    sweep(&bench).await;

    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 1);
    sweep(&bench).await;
    assert_eq!(known_to_cognito(&bench, &user).await, "king@example.org");
    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
}

#[tokio::test]
async fn who_has_no_cognito_user_needs_none_and_a_failure_keeps_the_note() {
    let bench = Bench::new().await;
    let user = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    bench.identity.delete(&user.id).await.unwrap();
    readdress(&bench, &user, "augusta@example.org").await;
    bench.advance(CREATION_GRACE + MILLISECOND);
    bench
        .services
        .calls()
        .fail_next("Cognito.AdminUpdateUserAttributes", Fault::refused("AccessDeniedException", "no"));

    let failed = unfinished(handle(&app(&bench), None).await);
    assert_eq!((failed.failures, bench.rows_in("UNFINISHED#").await.len()), (1, 1));
    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!((bench.rows_in("UNFINISHED#").await.len(), cognito_users(&bench).await), (0, 0));
}

#[tokio::test]
async fn notes_that_fail_keep_none_behind_them_from_their_turn() {
    let bench = Bench::new().await;
    for number in 0..super::BATCH {
        let user = begin(&bench, &format!("failing-{number}@example.com")).await;
        bench.overwrite(&user.id, "status", &serde_json::json!("unheard_of")).await;
    }
    bench.advance(MILLISECOND);
    let behind = begin(&bench, "behind@example.com").await;
    bench.advance(CREATION_GRACE + MILLISECOND);

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!((report.creations_undone, report.failures), (1, usize::from(super::BATCH)));
    assert!(bench.store.person(&behind.id).await.unwrap().is_none());
}
