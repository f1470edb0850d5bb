//! Slots of invite codes come back with registrations that end before they are confirmed.

use harness::{Bench, CODE, email};
use jiff::SignedDuration;
use shared::{
    domain::{
        invite_code::InviteCode,
        link::CONFIRM_LIFE,
        user::{Start, Status, User},
    },
    store::{Claim, Redeemed},
};

use super::super::{
    Report,
    identities::CREATION_GRACE,
    tests::{link, newcomer, sweep, traces},
};

const ADA: &str = "ada@example.com";

fn taken(redeemed: Redeemed) -> User {
    let Redeemed::New(user) = redeemed else { panic!("{redeemed:?}") };
    *user
}

/// A code with a person who has not confirmed yet and who is due, with their mail sent.
async fn due(bench: &Bench) -> (InviteCode, User) {
    let code = bench.invite_code(CODE, |code| code.quota = Some(1)).await;
    let new = newcomer(ADA, Start::As(Status::Unconfirmed));
    let user = taken(bench.store.redeem(&code, new, &bench.origin()).await.unwrap());
    bench.mails(ADA).await;
    bench.advance(CONFIRM_LIFE + SignedDuration::from_millis(1));
    (code, user)
}

#[tokio::test]
async fn a_registration_that_nobody_confirmed_gives_its_slot_back() {
    let bench = Bench::new().await;
    let (code, user) = due(&bench).await;
    assert_eq!(bench.used(CODE).await, 1);

    let runs = [sweep(&bench).await, sweep(&bench).await];

    assert_eq!(runs, [Report { unconfirmed_deleted: 1, ..Report::default() }, Report::default()]);
    assert_eq!((bench.used(CODE).await, traces(&bench, &user).await), (0, 0));
    let again = bench.store.redeem(&code, newcomer(ADA, Start::As(Status::Unconfirmed)), &bench.origin()).await;
    assert!(matches!(again.unwrap(), Redeemed::New(_)));
}

#[tokio::test]
async fn a_slot_comes_back_whatever_an_owner_did_to_the_code() {
    let bench = Bench::new().await;
    due(&bench).await;
    bench.change_code(CODE, |code| (code.active, code.quota) = (false, Some(7))).await;

    assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);

    assert_eq!(bench.used(CODE).await, 0);
}

#[tokio::test]
async fn a_registration_whose_code_is_gone_ends_all_the_same() {
    let bench = Bench::new().await;
    let (_, user) = due(&bench).await;
    bench.delete_code(&bench.code(CODE).await.unwrap()).await;

    assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);

    assert_eq!(traces(&bench, &user).await, 0);
    assert!(bench.code(CODE).await.is_none());
}

#[tokio::test]
async fn a_code_created_anew_gets_no_slot_of_the_old_one() {
    let bench = Bench::new().await;
    let (_, user) = due(&bench).await;
    bench.delete_code(&bench.code(CODE).await.unwrap()).await;
    bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(9), 4)).await;

    assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);

    assert_eq!((bench.used(CODE).await, traces(&bench, &user).await), (4, 0));
}

#[tokio::test]
async fn a_count_that_is_at_nothing_stays_there() {
    let bench = Bench::new().await;
    due(&bench).await;
    bench.overwrite_code(CODE, "used", &0.into()).await;

    assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);

    assert_eq!(bench.used(CODE).await, 0);
}

#[tokio::test]
async fn who_begins_to_confirm_first_keeps_the_slot() {
    let bench = Bench::new().await;
    let (_, user) = due(&bench).await;
    let (store, claimed, now) = (bench.store.clone(), link(&user), bench.now());
    let claim = async move {
        let claim = store.claim(&claimed, Status::Unconfirmed, now).await.unwrap();
        assert!(matches!(claim, Claim::Yours(_)));
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", claim);

    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!(bench.used(CODE).await, 1);
}

#[tokio::test]
async fn two_sweeps_at_once_give_each_slot_back_once() {
    let bench = Bench::new().await;
    let code = bench.invite_code(CODE, |code| (code.quota, code.used) = (Some(20), 3)).await;
    for number in 0..5 {
        let new = newcomer(&format!("person-{number}@example.com"), Start::As(Status::Unconfirmed));
        taken(bench.store.redeem(&code, new, &bench.origin()).await.unwrap());
    }
    bench.advance(CONFIRM_LIFE + SignedDuration::from_millis(1));

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!((one.unconfirmed_deleted + other.unconfirmed_deleted, bench.used(CODE).await), (5, 3));
}

#[tokio::test]
async fn a_registration_with_a_password_that_stopped_half_way_gives_its_slot_back() {
    let bench = Bench::new().await;
    let code = bench.invite_code(CODE, |_| {}).await;
    let new = newcomer(ADA, Start::Becoming(Status::Active));
    let user = taken(bench.store.begin_redemption(&code, new, &bench.origin()).await.unwrap());
    assert_eq!(bench.used(CODE).await, 1);
    bench.advance(CREATION_GRACE + SignedDuration::from_millis(1));

    assert_eq!(sweep(&bench).await, Report { creations_undone: 1, ..Report::default() });

    assert_eq!((bench.used(CODE).await, traces(&bench, &user).await), (0, 0));
    assert!(bench.store.registration_facts(&email(ADA)).await.unwrap().known.is_none());
}
