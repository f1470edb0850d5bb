//! What becomes of a creation that stops half-way.

use harness::{Bench, Fault, email};
use jiff::SignedDuration;
use serde_json::json;
use shared::store::Store;

use super::tests::{ADA, ada, create, with};
use crate::{
    list::tests::{app, portal},
    router,
};

/// Whether anything but the audit, and the note of a Cognito user to be deleted, still tells of the person.
async fn left(bench: &Bench) -> bool {
    let known = bench.store.login_facts(&email(ADA)).await.unwrap().account.is_some();
    known || bench.rows().await.iter().any(|row| row.to_string().contains("Lovelace"))
}

async fn unfinished(bench: &Bench) -> usize {
    bench.rows_in("UNFINISHED#").await.len()
}

#[tokio::test]
async fn cognito_being_down_undoes_the_row_and_frees_the_address() {
    let (bench, owner) = portal().await;
    for operation in ["Cognito.AdminCreateUser", "Cognito.AdminSetUserPassword"] {
        bench.services.calls().fail_next(operation, Fault::refused("AccessDeniedException", "a role of ours"));

        let reply = create(&bench, &owner, &ada()).await;

        assert_eq!((reply.status, reply.problem()), (500, "internal"), "{operation}");
        assert!(!reply.body.to_string().contains("a role of ours"));
        assert!(!left(&bench).await, "{operation}");
    }
    assert!(bench.mails(ADA).await.is_empty());
    assert_eq!(create(&bench, &owner, &ada()).await.status, 201);
}

#[tokio::test]
async fn what_the_pool_refuses_is_a_fault_of_the_password() {
    let (bench, owner) = portal().await;
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);

    let reply = create(&bench, &owner, &ada()).await;

    assert_eq!((reply.status, reply.faults()), (422, vec![("/password", "password_refused")]));
    assert!(!left(&bench).await);
    assert_eq!(create(&bench, &owner, &ada()).await.status, 201);
}

#[tokio::test]
async fn until_cognito_has_the_password_the_person_is_inactive_and_the_address_taken() {
    let (bench, owner) = portal().await;
    let (store, rival, same) = (bench.store.clone(), router(app(&bench)), owner.clone());
    let meanwhile = async move {
        let known = store.login_facts(&email(ADA)).await.unwrap().account.unwrap();
        let person = store.person(&known.user_id).await.unwrap().unwrap();
        assert_eq!(json!(person.status), "inactive");
        assert_eq!(json!(person.identity_due), "active");
        let again = harness::Sample::of("users-create").by(&same).send(rival).await;
        assert_eq!((again.status, again.problem()), (503, "try-again"));
    };
    bench.services.calls().before_next("Cognito.AdminCreateUser", meanwhile);

    assert_eq!(create(&bench, &owner, &with("active", true)).await.status, 201);
    assert_eq!((bench.mail_events(ADA).await, unfinished(&bench).await), (vec!["welcome".to_owned()], 0));
}

#[tokio::test]
async fn a_creation_that_the_sweep_undid_meanwhile_may_be_sent_again() {
    let (bench, owner) = portal().await;
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", undo(bench.store.clone(), &bench));

    let reply = create(&bench, &owner, &ada()).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert!(reply.headers.contains_key("retry-after"));
    assert!(!left(&bench).await && bench.mails(ADA).await.is_empty());
    assert_eq!(create(&bench, &owner, &ada()).await.status, 201);
}

fn undo(store: Store, bench: &Bench) -> impl Future<Output = ()> + Send + use<> {
    let origin = bench.origin();
    async move {
        let known = store.login_facts(&email(ADA)).await.unwrap().account.unwrap();
        let person = store.person(&known.user_id).await.unwrap().unwrap();
        assert!(store.undo_creation(&person, &origin).await.unwrap());
    }
}

#[tokio::test]
async fn of_two_creations_of_one_address_at_once_one_wins() {
    let (bench, owner) = portal().await;
    let (rival, same) = (router(app(&bench)), owner.clone());
    let meanwhile = async move {
        let first = harness::Sample::of("users-create").by(&same).send(rival).await;
        assert_eq!(first.status, 201);
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = create(&bench, &owner, &ada()).await;

    assert_eq!((reply.status, reply.problem()), (409, "email-taken"));
    assert_eq!(bench.mail_events(ADA).await, ["welcome"]);
}

#[tokio::test]
async fn a_lost_answer_of_the_row_leaves_a_note_for_the_sweep() {
    let (bench, owner) = portal().await;
    let lost = Fault::refused("AccessDeniedException", "the answer that came instead").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);

    let reply = create(&bench, &owner, &ada()).await;

    assert_eq!((reply.status, reply.problem()), (500, "internal"));
    assert_eq!(unfinished(&bench).await, 1);
    assert_eq!(create(&bench, &owner, &ada()).await.problem(), "try-again");
    let later = bench.now() + SignedDuration::from_secs(1);
    let waiting = bench.store.unfinished_identities(later, None, 10).await.unwrap().rows;
    let (_, person) = waiting[0].as_ref().unwrap();
    assert!(bench.store.undo_creation(person.as_ref().unwrap(), &bench.origin()).await.unwrap());
    assert!(!left(&bench).await);
    assert_eq!(create(&bench, &owner, &ada()).await.status, 201);
}
