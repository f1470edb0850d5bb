//! Others at work on an address or on its person, and calls that fail.

use std::sync::Arc;

use harness::{Fault, Sample};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{
        link::{PlainToken, Purpose},
        user::{NewUser, Source, Start, Status, User},
    },
    store::{Claim, Confirmation, LinkClaim, Opening, PasswordChanged, Registered},
};

use super::{
    address::{NEW, to_new},
    tests::Acme,
    unfinished::new,
};
use crate::list::tests::send;

const TRANSACTION: &str = "DynamoDB.TransactWriteItems";

#[tokio::test]
async fn of_two_people_who_get_the_same_address_at_once_one_has_it() {
    let acme = Arc::new(Acme::new().await);
    let (ada, grace) = (acme.member("ada", &[1]).await, acme.member("grace", &[1]).await);
    let (other, id) = (acme.clone(), grace.id.clone());
    let meanwhile = async move { assert_eq!(Box::pin(other.change(&id, &other.owner, &to_new())).await.status, 200) };
    acme.bench.services.calls().before_next(TRANSACTION, meanwhile);

    let reply = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((reply.status, reply.problem()), (409, "email-taken"));
    assert_eq!((acme.bench.read(&ada.id).await, acme.sentinel("ada@example.com").await.is_some()), (ada, true));
    assert_eq!(acme.sentinel(NEW).await.unwrap()["user_id"], json!(grace.id));
}

#[tokio::test]
async fn a_registration_that_takes_the_address_in_between_keeps_it() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let applicant = NewUser { source: Source::SelfRegistration, ..new(&acme, NEW, Start::As(Status::Unconfirmed)) };
    let (store, origin) = (acme.bench.store.clone(), acme.bench.origin());
    let registered = async move {
        assert!(matches!(store.register(applicant, &origin).await.unwrap(), Registered::New(_)));
    };
    acme.bench.services.calls().before_next(TRANSACTION, registered);

    let reply = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((reply.status, reply.problem()), (409, "email-taken"));
    assert_eq!(
        (acme.bench.read(&ada.id).await, acme.known_to_cognito(&ada).await),
        (ada, "ada@example.com".to_owned())
    );
    assert_eq!((acme.notes().await, acme.audited("user.changed").await), (0, Vec::<Value>::new()));
}

#[tokio::test]
async fn of_two_addresses_given_at_once_the_later_counts_everywhere() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    let (other, id) = (acme.clone(), ada.id.clone());
    let meanwhile = async move {
        let reply = Box::pin(other.change(&id, &other.owner, &json!({"email": "king@example.org"}))).await;
        assert_eq!(reply.status, 200);
    };
    acme.bench.services.calls().before_next(TRANSACTION, meanwhile);

    let reply = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((reply.status, &reply.body["email"]), (200, &json!(NEW)));
    assert_eq!((acme.known_to_cognito(&ada).await.as_str(), acme.notes().await), (NEW, 0));
    for free in ["ada@example.com", "king@example.org"] {
        assert_eq!(acme.sentinel(free).await, None);
    }
}

#[tokio::test]
async fn an_address_told_to_cognito_too_late_leaves_its_note_for_the_sweep() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    let (other, id) = (acme.clone(), ada.id.clone());
    let meanwhile = async move {
        let reply = Box::pin(other.change(&id, &other.owner, &json!({"email": "king@example.org"}))).await;
        assert_eq!(reply.status, 200);
    };
    acme.bench.services.calls().before_next("Cognito.AdminUpdateUserAttributes", meanwhile);

    assert_eq!(acme.change(&ada.id, &acme.owner, &to_new()).await.status, 200);

    assert_eq!(acme.bench.read(&ada.id).await.email.as_str(), "king@example.org");
    assert_eq!((acme.known_to_cognito(&ada).await.as_str(), acme.notes().await), (NEW, 1));
}

#[tokio::test]
async fn a_login_by_the_old_address_that_the_change_overtakes_opens_no_session() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let account = acme.bench.store.login_facts(&ada.email).await.unwrap().account.unwrap();
    let session = shared::domain::user::SessionId::new("raced");

    acme.change(&ada.id, &acme.owner, &to_new()).await;

    let opening = acme.bench.store.open_session(&account, &session, true, acme.bench.now()).await.unwrap();
    assert_eq!((opening, acme.bench.read(&ada.id).await.sessions), (Opening::Stale, ada.sessions));
}

#[tokio::test]
async fn a_password_forgotten_at_the_old_address_is_reset_by_no_link() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let account = acme.bench.store.login_facts(&ada.email).await.unwrap().account;
    acme.bench.advance(SignedDuration::from_millis(1));
    let forget = async || {
        let origin = acme.bench.origin();
        acme.bench.store.forgot_password(&ada.email, account.as_ref(), &origin).await.unwrap();
    };
    forget().await;
    let early = PlainToken::parse(&acme.bench.token("ada@example.com").await).unwrap();

    acme.change(&ada.id, &acme.owner, &to_new()).await;
    forget().await;

    assert!(!acme.opens(&early, Purpose::Reset, Status::Active).await);
    let mails = acme.bench.mail_events("ada@example.com").await;
    assert_eq!(mails.iter().filter(|event| *event == "reset_password").count(), 1, "{mails:?}");
}

#[tokio::test]
async fn a_reset_that_claimed_the_person_before_the_change_writes_nothing_after_it() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let account = acme.bench.store.login_facts(&ada.email).await.unwrap().account;
    acme.bench.advance(SignedDuration::from_millis(1));
    acme.bench.store.forgot_password(&ada.email, account.as_ref(), &acme.bench.origin()).await.unwrap();
    let token = PlainToken::parse(&acme.bench.token("ada@example.com").await).unwrap();
    let claim =
        acme.bench.store.claim_by_link(Some(&token), Purpose::Reset, Status::Active, acme.bench.now()).await.unwrap();
    let LinkClaim::Yours { user: claimed, token: link, .. } = claim else { panic!("{claim:?}") };

    assert_eq!(acme.change(&ada.id, &acme.owner, &to_new()).await.status, 200);

    let late = acme.bench.store.change_password(&claimed, Some(&link), &acme.bench.origin()).await.unwrap();
    assert_eq!(late, PasswordChanged::Void);
    assert_eq!(acme.sentinel("ada@example.com").await, None);
}

#[tokio::test]
async fn a_confirmation_that_claimed_the_person_before_the_change_is_void_and_cognito_gets_the_new_address_later() {
    let acme = Acme::new().await;
    let applicant =
        NewUser { source: Source::SelfRegistration, ..new(&acme, "ada@example.com", Start::As(Status::Unconfirmed)) };
    let registered = acme.bench.store.register(applicant, &acme.bench.origin()).await.unwrap();
    let Registered::New(ada) = registered else { panic!("{registered:?}") };
    let token = PlainToken::parse(&acme.bench.token("ada@example.com").await).unwrap();
    let now = acme.bench.now();
    let claim = acme.bench.store.claim_by_link(Some(&token), Purpose::Confirm, Status::Unconfirmed, now).await.unwrap();
    let LinkClaim::Yours { user: claimed, token: link, facts } = claim else { panic!("{claim:?}") };

    assert_eq!(acme.change(&ada.id, &acme.owner, &to_new()).await.status, 200);

    let origin = acme.bench.origin();
    let late = acme.bench.store.confirm(&link, &claimed, Status::Pending, &facts, &origin).await.unwrap();
    assert_eq!((late, acme.bench.read(&ada.id).await.status), (Confirmation::Void, Status::Unconfirmed));
    assert_eq!(acme.notes().await, 1);
}

#[tokio::test]
async fn a_link_that_is_raised_in_between_makes_the_change_start_from_there() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let session = acme.bench.sign_in(&ada).await.session;
    let claimed = acme.bench.store.claim_oneself(&ada, &session, acme.bench.now()).await.unwrap();
    let Claim::Yours(claimed) = claimed else { panic!("{claimed:?}") };
    let (store, origin) = (acme.bench.store.clone(), acme.bench.origin());
    let changed = async move {
        let done = store.change_password(&claimed, None, &origin).await.unwrap();
        assert!(matches!(done, PasswordChanged::Done(_)));
    };
    acme.bench.services.calls().before_next(TRANSACTION, changed);

    let reply = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((reply.status, &reply.body["email"]), (200, &json!(NEW)));
    let now = acme.bench.read(&ada.id).await;
    assert_eq!((now.link_version, now.sessions.len()), (ada.link_version + 2, 0));
    assert_eq!(acme.sentinel(NEW).await.unwrap()["link_version"], json!(now.link_version));
}

#[tokio::test]
async fn a_lost_answer_changes_an_address_once_and_a_repeat_finds_it_done() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    acme.bench.services.calls().fail_next(TRANSACTION, Fault::dropped().after());

    let first = acme.change(&ada.id, &acme.owner, &to_new()).await;
    let repeat = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((first.status, repeat.status, &first.body), (200, 200, &repeat.body));
    assert_eq!((acme.bench.read(&ada.id).await.version, acme.audited("user.changed").await.len()), (3, 1));
    assert_eq!(acme.bench.mail_events(NEW).await, ["email_changed"]);
}

#[tokio::test]
async fn where_cognito_fails_the_change_stands_and_its_note_too() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let fault = Fault::refused("NotAuthorizedException", "arn:secret");
    acme.bench.services.calls().fail_next("Cognito.AdminUpdateUserAttributes", fault);

    let reply = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((reply.status, &reply.body["email"]), (200, &json!(NEW)));
    assert_eq!((acme.known_to_cognito(&ada).await.as_str(), acme.notes().await), ("ada@example.com", 1));
}

#[tokio::test]
async fn who_was_deleted_right_after_leaves_the_note_of_the_change_to_the_sweep() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let gone = acme.bench.erase(&ada.id);
    acme.bench.services.calls().before_next("Cognito.AdminUpdateUserAttributes", gone);

    assert_eq!(acme.change(&ada.id, &acme.owner, &to_new()).await.status, 200);

    assert_eq!(acme.notes().await, 1);
}

#[tokio::test]
async fn a_named_version_is_held_to_and_a_failure_changes_nothing() {
    let acme = Acme::new().await;
    let ada: User = acme.member("ada", &[1]).await;
    let stale = Sample::of("users-change").id(&ada.id).by(&acme.owner).body(&to_new()).header("if-match", "\"1\"");
    assert_eq!(send(&acme.bench, stale).await.problem(), "version-mismatch");
    acme.bench.services.calls().fail_next(TRANSACTION, Fault::refused("AccessDeniedException", "arn:secret"));

    let reply = acme.change(&ada.id, &acme.owner, &to_new()).await;

    assert_eq!((reply.status, reply.problem()), (500, "internal"));
    assert!(!reply.body.to_string().contains("arn:"));
    assert_eq!((acme.bench.read(&ada.id).await, acme.sentinel(NEW).await, acme.notes().await), (ada, None, 0));
}
