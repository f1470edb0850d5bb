//! Inviting people who were created without a password.

use harness::{Bench, Creating, PASSWORD, Reply, Sample, SignedIn, write_units};
use jiff::SignedDuration;
use serde_json::json;
use shared::{
    domain::{
        ids::UserId,
        name::Name,
        organisation::Placement,
        user::{NewUser, Role, Source, Start, User},
    },
    store::CreatedWithoutPassword,
};

use super::*;
use crate::{
    accept::tests::accept,
    create::tests::{portal, send as deliver},
    revoke::tests::revoke,
};

/// A person created by hand, without a password.
async fn by_hand(bench: &Bench) -> User {
    created_by_hand(bench, "ada@example.com").await
}

async fn created_by_hand(bench: &Bench, address: &str) -> User {
    let new = NewUser {
        email: harness::email(address),
        first_name: Name::given("Ada"),
        last_name: Name::given("Lovelace"),
        role: Role::ConsumerAdmin,
        placement: Some(Placement::default_place()),
        source: Source::ApiOwner,
        start: Start::As(Status::Invited),
    };
    let created = bench.store.create_without_password(new, &bench.origin()).await.unwrap();
    let CreatedWithoutPassword::Done(user) = created else { panic!("{created:?}") };
    *user
}

async fn send_invite(bench: &Bench, caller: &SignedIn, id: &UserId) -> Reply {
    deliver(bench, Sample::of("invite-send").by(caller).id(id)).await
}

#[tokio::test]
async fn nothing_is_mailed_until_the_invitation_is_sent_and_then_its_link_works() {
    let (bench, owner) = portal().await;
    let user = by_hand(&bench).await;
    assert!(bench.mails("ada@example.com").await.is_empty());

    let reply = send_invite(&bench, &owner, &user.id).await;

    assert_eq!((reply.status, &reply.body["user_id"]), (201, &json!(user.id)));
    assert_eq!(reply.headers["location"], format!("/v1/invitations/{}", reply.body["id"].as_str().unwrap()));
    let token = bench.token("ada@example.com").await;
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
    assert_eq!(bench.read(&user.id).await.status, Status::Active);
}

#[tokio::test]
async fn a_repeat_with_an_idempotency_key_sends_no_second_one() {
    let (bench, owner) = portal().await;
    let mut people = Vec::new();
    for number in 0..9 {
        people.push(created_by_hand(&bench, &format!("person{number}@example.com")).await.id);
    }
    let ask = |number: usize| Sample::of("invite-send").by(&owner).id(&people[number]);

    let router = || crate::router(crate::create::tests::app(&bench));
    Creating { bench: &bench, router, ask, anew: 409 }.is_repeatable().await;

    assert_eq!(bench.mail_events("person2@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn a_second_one_names_the_first_while_it_waits_and_replaces_it_after() {
    let (bench, owner) = portal().await;
    let user = by_hand(&bench).await;
    let first = send_invite(&bench, &owner, &user.id).await;
    let old = bench.token("ada@example.com").await;

    let second = send_invite(&bench, &owner, &user.id).await;
    assert_eq!((second.status, second.problem()), (409, "invitation-pending"));
    assert_eq!(second.body["invitation_id"], first.body["id"]);

    bench.advance(SignedDuration::from_hours(7 * 24));
    let owner = bench.sign_in(&owner.user).await;
    let third = send_invite(&bench, &owner, &user.id).await;
    assert_eq!(third.status, 201);
    assert_ne!(third.body["id"], first.body["id"]);
    let new = bench.token("ada@example.com").await;
    assert_eq!(accept(&bench, &old, PASSWORD).await.status, 410);
    assert_eq!(accept(&bench, &new, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn revoking_leaves_the_person_and_they_can_be_invited_again() {
    let (bench, owner) = portal().await;
    let user = by_hand(&bench).await;
    let first = send_invite(&bench, &owner, &user.id).await;
    let old = bench.token("ada@example.com").await;

    assert_eq!(revoke(&bench, &owner, &first.body["id"]).await.status, 204);

    assert_eq!(accept(&bench, &old, PASSWORD).await.status, 410);
    assert_eq!(bench.read(&user.id).await.status, Status::Invited);
    assert_eq!(send_invite(&bench, &owner, &user.id).await.status, 201);
    let token = bench.token("ada@example.com").await;
    assert_eq!(accept(&bench, &token, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn who_has_a_password_needs_no_invitation() {
    let (bench, owner) = portal().await;
    for status in [Status::Pending, Status::Active, Status::Inactive, Status::Rejected] {
        let person = bench.person(&format!("{}@example.com", status.as_str()), Role::TeamMember, status).await;
        let reply = send_invite(&bench, &owner, &person.id).await;
        assert_eq!((reply.status, reply.problem()), (409, "password-already-set"), "{status:?}");
    }
    let unconfirmed = bench.person("new@example.com", Role::TeamMember, Status::Unconfirmed).await;
    assert_eq!(send_invite(&bench, &owner, &unconfirmed.id).await.problem(), "wrong-status");
}

#[tokio::test]
async fn of_two_at_once_one_wins_and_a_repeat_names_it() {
    let (bench, owner) = portal().await;
    let user = by_hand(&bench).await;
    let sample = Sample::of("invite-send").by(&owner).id(&user.id);
    let rival = crate::router(crate::create::tests::app(&bench));
    let meanwhile = async move { assert_eq!(sample.send(rival).await.status, 201) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = send_invite(&bench, &owner, &user.id).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    assert_eq!(send_invite(&bench, &owner, &user.id).await.problem(), "invitation-pending");
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"]);
}

#[tokio::test]
async fn one_whose_predecessor_is_marked_at_the_same_moment_is_to_be_tried_again() {
    let (bench, owner) = portal().await;
    let user = by_hand(&bench).await;
    send_invite(&bench, &owner, &user.id).await;
    bench.mails("ada@example.com").await;
    bench.advance(SignedDuration::from_hours(7 * 24));
    let owner = bench.sign_in(&owner.user).await;
    let (store, now) = (bench.store.clone(), bench.now());
    let origin = bench.origin();
    let meanwhile = async move {
        for expired in store.invitations_to_expire(now, None, 9).await.unwrap().rows {
            assert!(store.expire_invitation(&expired.unwrap(), &origin).await.unwrap());
        }
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = send_invite(&bench, &owner, &user.id).await;

    assert_eq!((reply.status, reply.problem()), (503, "try-again"));
    let (reply, calls) = bench.calls(send_invite(&bench, &owner, &user.id)).await;
    assert_eq!((reply.status, write_units(&calls)), (201, 12));
    assert_eq!(bench.mail_events("ada@example.com").await, ["invitation"; 2]);
}

#[tokio::test]
async fn only_api_owners_send_invitations_to_people_and_nobody_else_learns_of_them() {
    let (bench, owner) = portal().await;
    let user = by_hand(&bench).await;
    let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
    let nobody = UserId::new(bench.now(), 7);

    for id in [&user.id, &nobody] {
        assert_eq!(send_invite(&bench, &admin, id).await.problem(), "forbidden");
    }
    assert_eq!(send_invite(&bench, &owner, &nobody).await.problem(), "not-found");
    let sample = Sample::of("invite-send").by(&owner).id("nonsense");
    assert_eq!(deliver(&bench, sample).await.problem(), "not-found");
    bench.set(|settings| settings.sender = None).await;
    assert_eq!(send_invite(&bench, &owner, &user.id).await.problem(), "mail-not-configured");
}
