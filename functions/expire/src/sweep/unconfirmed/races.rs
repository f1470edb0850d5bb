//! A sweep beside a sweep, and beside a confirmation: one winner, and nothing left of the other.

use harness::{Bench, PASSWORD};
use jiff::SignedDuration;
use shared::{
    domain::{
        link::{CONFIRM_LIFE, PlainToken},
        password::Password,
        user::{Status, User},
    },
    store::{Claim, Confirmation},
};

use super::super::{
    Report, handle,
    tests::{app, cognito_users, link, register, sweep, traces},
};

/// A registration that is due, and the token of its link.
async fn due(bench: &Bench) -> (User, PlainToken) {
    let user = register(bench, "ada@example.com").await;
    let token = PlainToken::parse(&bench.token("ada@example.com").await).unwrap();
    bench.advance(CONFIRM_LIFE + SignedDuration::from_millis(1));
    (user, token)
}

#[tokio::test]
async fn two_sweeps_at_once_delete_each_registration_once() {
    let bench = Bench::new().await;
    for number in 0..5 {
        register(&bench, &format!("person-{number}@example.com")).await;
    }
    bench.advance(CONFIRM_LIFE + SignedDuration::from_millis(1));

    let (one, other) = tokio::join!(sweep(&bench), sweep(&bench));

    assert_eq!(one.unconfirmed_deleted + other.unconfirmed_deleted, 5);
    assert_eq!(one.mails_sent + other.mails_sent, 0);
    let expired = bench.rows_in("AUDIT#").await.into_iter().filter(|event| event["action"] == "registration.expired");
    assert_eq!(expired.count(), 5);
}

#[tokio::test]
async fn a_claim_that_comes_between_the_list_and_the_deletion_wins() {
    let bench = Bench::new().await;
    let (user, _) = due(&bench).await;
    let (store, claimed, now) = (bench.store.clone(), link(&user), bench.now());
    let claim = async move {
        let claim = store.claim(&claimed, Status::Unconfirmed, now).await.unwrap();
        assert!(matches!(claim, Claim::Yours(_)));
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", claim);

    assert_eq!(sweep(&bench).await, Report::default());

    assert_eq!(traces(&bench, &user).await, 3);
}

#[tokio::test]
async fn a_confirmation_that_comes_between_the_list_and_the_deletion_wins_and_keeps_its_cognito_user() {
    let bench = Bench::new().await;
    let (user, token) = due(&bench).await;
    let (store, identity, confirmed, origin) =
        (bench.store.clone(), bench.identity.clone(), user.clone(), bench.origin());
    let confirm = async move {
        let facts = store.link_facts(&token.hashed()).await.unwrap();
        let claim = store.claim(&link(&confirmed), Status::Unconfirmed, origin.now).await.unwrap();
        let Claim::Yours(claimed) = claim else { panic!("{claim:?}") };
        identity.establish(&claimed.id, &claimed.email, &Password::new(PASSWORD)).await.unwrap();
        let done = store.confirm(&token.hashed(), &claimed, Status::Pending, &facts, &origin).await.unwrap();
        assert_eq!(done, Confirmation::Done(Status::Pending));
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", confirm);

    let report = handle(&app(&bench), None).await.unwrap();

    assert_eq!(report.unconfirmed_deleted, 0);
    assert_eq!(bench.read(&user.id).await.status, Status::Pending);
    assert_eq!(cognito_users(&bench).await, 1);
}

#[tokio::test]
async fn a_confirmation_that_stood_still_past_its_claim_loses_and_leaves_no_orphan() {
    let bench = Bench::new().await;
    let (user, token) = due(&bench).await;
    let facts = bench.store.link_facts(&token.hashed()).await.unwrap();
    let claim = bench.store.claim(&link(&user), Status::Unconfirmed, bench.now()).await.unwrap();
    let Claim::Yours(claimed) = claim else { panic!("{claim:?}") };
    bench.identity.establish(&user.id, &user.email, &Password::new(PASSWORD)).await.unwrap();
    bench.advance(SignedDuration::from_secs(60));

    assert_eq!(sweep(&bench).await.unconfirmed_deleted, 1);

    let late = bench.store.confirm(&token.hashed(), &claimed, Status::Pending, &facts, &bench.origin()).await.unwrap();
    assert_eq!(late, Confirmation::Void);
    assert_eq!((traces(&bench, &user).await, cognito_users(&bench).await), (0, 0));
    let claim = bench.store.claim(&link(&user), Status::Unconfirmed, bench.now()).await.unwrap();
    assert!(matches!(claim, Claim::Void));
}

#[tokio::test]
async fn a_resend_that_comes_between_the_list_and_the_deletion_wins() {
    let bench = Bench::new().await;
    let (user, _) = due(&bench).await;
    let (store, address, origin) = (bench.store.clone(), user.email.clone(), bench.origin());
    let resend = async move {
        let known = store.login_facts(&address).await.unwrap().account;
        store.resend_confirmation(&address, known.as_ref(), &origin).await.unwrap();
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", resend);

    assert_eq!(sweep(&bench).await.unconfirmed_deleted, 0);

    assert_eq!(bench.read(&user.id).await.link_version, 2);
}
