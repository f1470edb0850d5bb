//! Deleting others: who may, in which states, and against what was under way.

use std::sync::Arc;

use harness::{Bench, CODE, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::UserId,
        invite_code::InviteCode,
        link::{CONFIRM_LIFE, Link, PlainToken, Purpose},
        name::Name,
        organisation::Placement,
        transition::Transition,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    store::{Claim, Confirmation, Creation, Finish, Redeemed, Transitioned},
};

use crate::list::tests::{place, portal, send};

const WRITE: &str = "DynamoDB.TransactWriteItems";

async fn delete(bench: &Bench, caller: &SignedIn, id: impl std::fmt::Display) -> Reply {
    send(bench, Sample::of("users-delete").by(caller).id(id)).await
}

async fn gone(bench: &Bench, id: &UserId) -> bool {
    bench.store.person(id).await.unwrap().is_none()
}

fn applicant(address: &str, start: Start) -> NewUser {
    NewUser {
        email: harness::email(address),
        first_name: Name::given("Ada"),
        last_name: Name::given("Lovelace"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::InviteCode,
        start,
    }
}

/// Somebody who took a slot of `code` and has not confirmed.
async fn redeemed(bench: &Bench, code: &InviteCode, address: &str) -> User {
    let new = applicant(address, Start::As(Status::Unconfirmed));
    let Redeemed::New(user) = bench.store.redeem(code, new, &bench.origin()).await.unwrap() else { panic!("no slot") };
    *user
}

#[tokio::test]
async fn an_api_owner_deletes_people_in_every_status_and_a_second_time_finds_nobody() {
    let (bench, owner) = portal().await;
    for status in Status::ALL {
        let person = bench.person(&format!("{}@example.com", status.as_str()), Role::TeamMember, status).await;

        let reply = delete(&bench, &owner, &person.id).await;

        assert_eq!((reply.status, reply.body), (204, Value::Null), "{status:?}");
        let again = delete(&bench, &owner, &person.id).await;
        assert_eq!((again.status, again.problem()), (404, "not-found"));
    }
    assert_eq!(bench.rows_in("USER#").await.len(), 1);
    let list = bench.services.cognito().list_users().user_pool_id(bench.services.user_pool_id());
    assert_eq!(list.send().await.unwrap().users().len(), 1);
}

#[tokio::test]
async fn an_id_that_is_none_is_nobodys() {
    let (bench, owner) = portal().await;

    for id in [UserId::new(bench.now(), 7).to_string(), "usr_x".to_owned()] {
        assert_eq!(delete(&bench, &owner, id).await.problem(), "not-found");
    }
}

#[tokio::test]
async fn an_api_owner_does_not_delete_themselves_here() {
    let (bench, owner) = portal().await;
    bench.person("other@example.com", Role::ApiOwner, Status::Active).await;

    let reply = delete(&bench, &owner, &owner.user.id).await;

    assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    assert_eq!(reply.body["detail"], "Nobody may do this to themselves.");
    assert!(!gone(&bench, &owner.user.id).await);
}

#[tokio::test]
async fn consumers_learn_nothing_of_whom_they_name() {
    let (bench, _) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let at = place(&acme, &[&teams[0]]);
    let colleague = bench.person_at("colleague@example.com", Role::TeamMember, Status::Active, at.clone()).await;
    for role in [Role::ConsumerAdmin, Role::TeamMember] {
        let caller = bench.person_at(&format!("{}@example.com", role.as_str()), role, Status::Active, at.clone()).await;
        let caller = bench.sign_in(&caller).await;
        for id in [&colleague.id, &caller.user.id, &UserId::new(bench.now(), 7)] {
            let body = json!({"what": 1});
            let reply = send(&bench, Sample::of("users-delete").by(&caller).id(id).body(&body)).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
        }
        assert!(!gone(&bench, &caller.user.id).await);
    }
    assert!(!gone(&bench, &colleague.id).await);
}

#[tokio::test]
async fn a_named_version_is_held_to() {
    let (bench, owner) = portal().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Active).await;
    let with =
        |version: u64| Sample::of("users-delete").by(&owner).id(&ada.id).header("if-match", &format!("\"{version}\""));

    assert_eq!(send(&bench, with(ada.version + 1)).await.problem(), "version-mismatch");
    assert_eq!(send(&bench, with(ada.version)).await.status, 204);
}

#[tokio::test]
async fn of_two_owners_who_delete_each_other_one_stays() {
    let (bench, one) = portal().await;
    let (bench, other) = (Arc::new(bench), one.clone());
    let second = bench.signed_in("second@example.com", Role::ApiOwner).await;
    let (then, caller) = (bench.clone(), second.clone());
    bench.services.calls().before_next(WRITE, async move {
        assert_eq!(delete(&then, &caller, &other.user.id).await.status, 204);
    });

    let reply = delete(&bench, &one, &second.user.id).await;

    assert_eq!((reply.status, reply.problem()), (409, "last-api-owner"));
    assert!(gone(&bench, &one.user.id).await && !gone(&bench, &second.user.id).await);
}

#[tokio::test]
async fn a_slot_comes_back_from_who_never_confirmed_alone() {
    let (bench, owner) = portal().await;
    let code = bench.invite_code(CODE, |_| {}).await;
    let waiting = redeemed(&bench, &code, "waiting@example.com").await;
    let confirmed = redeemed(&bench, &code, "confirmed@example.com").await;
    let mut redemption = confirmed.redemption.clone().unwrap();
    redemption.confirmed_at = Some(bench.now());
    bench.overwrite(&confirmed.id, "redemption", &json!(redemption)).await;
    assert_eq!(bench.used(CODE).await, 2);

    for person in [&waiting, &confirmed] {
        assert_eq!(delete(&bench, &owner, &person.id).await.status, 204);
    }

    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn a_code_that_is_gone_keeps_nobody() {
    let (bench, owner) = portal().await;
    let code = bench.invite_code(CODE, |_| {}).await;
    let waiting = redeemed(&bench, &code, "waiting@example.com").await;
    bench.delete_code(&bench.code(CODE).await.unwrap()).await;

    assert_eq!(delete(&bench, &owner, &waiting.id).await.status, 204);

    assert!(gone(&bench, &waiting.id).await);
}

#[tokio::test]
async fn a_decision_that_lost_against_the_deletion_finds_nobody() {
    let (bench, owner) = portal().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
    delete(&bench, &owner, &ada.id).await;

    let late = bench.store.transition(&ada, Transition::Approve, None, &bench.origin()).await.unwrap();

    assert!(matches!(late, Transitioned::Gone));
    assert!(gone(&bench, &ada.id).await);
}

#[tokio::test]
async fn who_was_approved_meanwhile_is_deleted_all_the_same() {
    let (bench, owner) = portal().await;
    let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
    let (store, origin, before) = (bench.store.clone(), bench.origin(), ada.clone());
    bench.services.calls().before_next(WRITE, async move {
        let approved = store.transition(&before, Transition::Approve, None, &origin).await.unwrap();
        assert!(matches!(approved, Transitioned::Done(_)));
    });

    assert_eq!(delete(&bench, &owner, &ada.id).await.status, 204);

    assert!(gone(&bench, &ada.id).await);
}

#[tokio::test]
async fn a_confirmation_under_way_comes_to_nothing_and_its_cognito_user_is_noted() {
    let (bench, owner) = portal().await;
    let code = bench.invite_code(CODE, |_| {}).await;
    let ada = redeemed(&bench, &code, "ada@example.com").await;
    let token = PlainToken::new([9; 32]).hashed();
    let expires_at = bench.now() + CONFIRM_LIFE;
    let link = Link { user_id: ada.id.clone(), purpose: Purpose::Confirm, link_version: 1, expires_at };
    bench.mailer.outbox.put_link(&token, &link).await.unwrap();
    let Claim::Yours(claimed) = bench.store.claim(&link, Status::Unconfirmed, bench.now()).await.unwrap() else {
        panic!("no claim")
    };

    assert_eq!(delete(&bench, &owner, &ada.id).await.status, 204);

    let password = shared::domain::password::Password::new(harness::PASSWORD);
    bench.identity.establish(&ada.id, &ada.email, &password).await.unwrap();
    let facts = bench.store.link_facts(&token).await.unwrap();
    let late = bench.store.confirm(&token, &claimed, Status::Active, &facts, &bench.origin()).await.unwrap();
    assert_eq!(late, Confirmation::Void);
    assert!(gone(&bench, &ada.id).await);
    assert!(matches!(bench.store.claim(&link, Status::Unconfirmed, bench.now()).await.unwrap(), Claim::Void));
    let notes = bench.rows_in("UNFINISHED#").await;
    assert_eq!((notes.len(), &notes[0]["user_id"]), (1, &json!(ada.id)));
}

#[tokio::test]
async fn a_creation_under_way_comes_to_nothing() {
    let (bench, owner) = portal().await;
    let new = applicant("ada@example.com", Start::Becoming(Status::Active));
    let Creation::Begun(ada) = bench.store.begin_creation(new, &bench.origin()).await.unwrap() else {
        panic!("not begun")
    };

    assert_eq!(delete(&bench, &owner, &ada.id).await.status, 204);

    let late = bench.store.finish_creation(&ada, &[], &bench.origin()).await.unwrap();
    assert_eq!(late, Finish::Undone);
    assert!(gone(&bench, &ada.id).await && bench.rows_in("EMAIL#ada").await.is_empty());
}
