//! Creations that are sent again with the same `Idempotency-Key`.

use harness::{Bench, Creating, Fault, Reply, Sample, SignedIn, assert_replays, email, is_replay};
use serde_json::{Value, json};
use shared::domain::ids::UserId;

use super::tests::{ADA, ada, with};
use crate::{
    list::tests::{app, portal, send},
    router,
};

fn keyed(owner: &SignedIn, body: &Value) -> Sample {
    Sample::of("users-create").by(owner).body(body).header("idempotency-key", "k")
}

async fn create(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
    send(bench, keyed(owner, body)).await
}

fn without_password() -> Value {
    let mut body = ada();
    body.as_object_mut().unwrap().remove("password");
    body
}

#[tokio::test]
async fn a_repeat_creates_nobody_more_with_a_password_or_without() {
    for mut body in [ada(), without_password()] {
        let (bench, owner) = portal().await;
        let ask = |number| {
            let mut body = body.clone();
            body["email"] = json!(format!("person{number}@example.com"));
            Sample::of("users-create").by(&owner).body(&body)
        };

        Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 409 }.is_repeatable().await;

        body["email"] = json!("person0@example.com");
        assert_eq!(send(&bench, Sample::of("users-create").by(&owner).body(&body)).await.problem(), "email-taken");
        assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
    }
}

#[tokio::test]
async fn a_repeat_finishes_what_was_cut_off_after_the_row() {
    let (bench, owner) = portal().await;
    let lost = Fault::refused("AccessDeniedException", "the answer that came instead").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);
    assert_eq!(create(&bench, &owner, &with("active", true)).await.status, 500);

    let repeat = create(&bench, &owner, &with("active", true)).await;

    assert_eq!((repeat.status, &repeat.body["status"]), (201, &json!("active")));
    assert!(is_replay(&repeat));
    let person = bench.read(&UserId::parse(repeat.body["id"].as_str().unwrap()).unwrap()).await;
    assert_eq!((person.identity_due, person.begun_by), (None, None));
    assert_eq!(bench.mail_events(ADA).await, ["welcome"]);
    assert_eq!(bench.rows_in("UNFINISHED#").await.len(), 0);
    bench.sign_in(&bench.read(&person.id).await).await;
}

#[tokio::test]
async fn two_that_meet_between_the_row_and_the_password_both_answer_with_the_one_person() {
    let (bench, owner) = portal().await;
    let (rival, same) = (router(app(&bench)), keyed(&owner, &with("active", true)));
    let meanwhile = async move {
        let repeat = same.send(rival).await;
        assert!(repeat.status == 201 && is_replay(&repeat), "{repeat:?}");
    };
    bench.services.calls().before_next("Cognito.AdminSetUserPassword", meanwhile);

    let first = create(&bench, &owner, &with("active", true)).await;

    assert!(first.status == 201 && !is_replay(&first), "{first:?}");
    assert_eq!(bench.mail_events(ADA).await, ["welcome"]);
    assert_replays(&create(&bench, &owner, &with("active", true)).await, &first);
}

#[tokio::test]
async fn what_is_undone_takes_its_record_along() {
    let (bench, owner) = portal().await;
    let refused = Fault::refused("InvalidPasswordException", "no");
    bench.services.calls().fail_next("Cognito.AdminSetUserPassword", refused);
    let first = create(&bench, &owner, &ada()).await;
    assert_eq!((first.status, first.faults()), (422, vec![("/password", "password_refused")]));
    assert!(bench.rows_in("RECORD#").await.is_empty());

    let mended = create(&bench, &owner, &with("password", "another fine tractor")).await;

    assert!(mended.status == 201 && !is_replay(&mended), "{mended:?}");
}

#[tokio::test]
async fn a_repeat_with_a_password_that_does_not_do_finishes_nothing() {
    let (bench, owner) = portal().await;
    let lost = Fault::refused("AccessDeniedException", "the answer that came instead").after();
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);
    create(&bench, &owner, &ada()).await;

    let repeat = create(&bench, &owner, &with("password", "tractor 42!")).await;

    assert_eq!((repeat.status, repeat.faults()), (422, vec![("/password", "password_too_short")]));
    assert_eq!(create(&bench, &owner, &ada()).await.status, 201);
}

#[tokio::test]
async fn the_answer_is_the_first_one_whatever_has_changed_but_for_what_is_personal() {
    let (bench, owner) = portal().await;
    let first = create(&bench, &owner, &ada()).await;
    let id = UserId::parse(first.body["id"].as_str().unwrap()).unwrap();

    bench.overwrite(&id, "status", &json!("active")).await;
    bench.overwrite(&id, "role", &json!("team_member")).await;
    assert_replays(&create(&bench, &owner, &ada()).await, &first);
    bench.overwrite(&id, "last_name", &json!("King")).await;

    assert_eq!(create(&bench, &owner, &ada()).await.body["last_name"], "King");
    bench.erase(&id).await;
    let after_the_deletion = create(&bench, &owner, &ada()).await;
    assert_eq!((after_the_deletion.status, after_the_deletion.problem()), (410, "created-and-deleted"));
}

#[tokio::test]
async fn no_record_holds_anything_personal_or_a_password() {
    let (bench, owner) = portal().await;

    create(&bench, &owner, &ada()).await;

    let records = json!(bench.rows_in("RECORD#").await).to_string().to_lowercase();
    assert!(records.contains("created"));
    for word in ["ada", "lovelace", "example.com", "tractor"] {
        assert!(!records.contains(word), "{word} stands in {records}");
    }
}

#[tokio::test]
async fn a_repeat_of_what_is_done_is_not_judged_by_newer_rules() {
    let (bench, owner) = portal().await;
    let first = create(&bench, &owner, &ada()).await;
    bench.set(|settings| settings.password_policy.min_length = 100).await;

    assert_replays(&create(&bench, &owner, &ada()).await, &first);
}

#[tokio::test]
async fn a_repeat_whose_creation_is_undone_meanwhile_is_told_to_try_again_and_then_creates_anew() {
    let before_it = [&["the caller with the record"][..], &["the caller with the record", "what is personal"]];
    for readings in before_it {
        let (bench, owner) = portal().await;
        let lost = Fault::refused("AccessDeniedException", "the answer that came instead").after();
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", lost);
        create(&bench, &owner, &ada()).await;
        let known = bench.store.registration_facts(&email(ADA)).await.unwrap().known.unwrap();
        let begun = bench.read(&known.user_id).await;
        let (store, origin) = (bench.store.clone(), bench.origin());
        for _ in readings {
            bench.services.calls().before_next("DynamoDB.BatchGetItem", async {});
        }
        let undone = async move { assert!(store.undo_creation(&begun, &origin).await.unwrap()) };
        bench.services.calls().before_next("DynamoDB.BatchGetItem", undone);

        let repeat = create(&bench, &owner, &ada()).await;

        assert_eq!((repeat.status, repeat.problem()), (503, "try-again"), "undone after {readings:?}");
        let anew = create(&bench, &owner, &ada()).await;
        assert!(anew.status == 201 && !is_replay(&anew), "{anew:?}");
    }
}
