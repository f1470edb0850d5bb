//! Another address for people who are not in yet: their way in goes there.

use jiff::SignedDuration;
use serde_json::json;
use shared::domain::{
    link::{PlainToken, Purpose},
    user::{NewUser, Source, Start, Status},
};

use super::{
    address::{NEW, to_new},
    tests::Acme,
    unfinished::{invited, new},
};

#[tokio::test]
async fn who_has_not_confirmed_gets_a_link_to_the_new_address_and_the_full_time_for_it() {
    let acme = Acme::new().await;
    let applicant =
        NewUser { source: Source::SelfRegistration, ..new(&acme, "ada@example.com", Start::As(Status::Unconfirmed)) };
    acme.bench.store.register(applicant, &acme.bench.origin()).await.unwrap();
    let ada = acme.bench.store.login_facts(&harness::email("ada@example.com")).await.unwrap().account.unwrap().user_id;
    let old = PlainToken::parse(&acme.bench.token("ada@example.com").await).unwrap();
    acme.bench.advance(SignedDuration::from_hours(6 * 24));

    assert_eq!(acme.change(&ada, &acme.owner, &to_new()).await.status, 200);

    let now = acme.bench.read(&ada).await;
    assert_eq!((now.status, now.status_since), (Status::Unconfirmed, acme.bench.now()));
    let known = acme.sentinel(NEW).await.unwrap();
    assert_eq!(known["stage"], "unconfirmed");
    assert_eq!(known["confirm_until"], json!((acme.bench.now() + SignedDuration::from_hours(7 * 24)).as_millisecond()));
    assert_eq!(acme.bench.mail_events(NEW).await, ["confirm_registration"]);
    assert_eq!(acme.bench.mail_events("ada@example.com").await, ["confirm_registration"]);
    assert!(!acme.opens(&old, Purpose::Confirm, Status::Unconfirmed).await);
    let token = PlainToken::parse(&acme.bench.token(NEW).await).unwrap();
    assert!(acme.opens(&token, Purpose::Confirm, Status::Unconfirmed).await);
    let queued = acme.bench.rows_in(&format!("USER#{ada}")).await.remove(0);
    assert_eq!(queued["queue_sk"], json!(format!("{:015}#{ada}", now.status_since.as_millisecond())));
}

#[tokio::test]
async fn who_is_invited_gets_the_invitation_at_the_new_address_anew() {
    let acme = Acme::new().await;
    let (person, id) = invited(&acme, "ada@example.com").await;
    let old = PlainToken::parse(&acme.bench.token("ada@example.com").await).unwrap();
    acme.bench.advance(SignedDuration::from_hours(20));

    let reply = acme.change(&person.id, &acme.owner, &json!({"email": NEW, "first_name": "Augusta"})).await;

    assert_eq!(reply.status, 200);
    let until = acme.bench.now() + SignedDuration::from_hours(7 * 24);
    let row = acme.bench.rows_in(&format!("INVITATION#{id}")).await.remove(0);
    assert_eq!(
        (&row["email"], &row["first_name"], &row["status"]),
        (&json!(NEW), &json!("Augusta"), &json!("pending"))
    );
    assert_eq!(
        (&row["expires_at"], &row["sent_at"]),
        (&json!(until.as_millisecond()), &json!(acme.bench.now().as_millisecond()))
    );
    assert_eq!(row["queue_sk"], json!(format!("{:015}#{id}", until.as_millisecond())));
    assert_eq!(acme.bench.rows_in(&format!("OUTBOX#{}", row["mail_id"].as_str().unwrap())).await.len(), 1);
    let known = acme.sentinel(NEW).await.unwrap();
    assert_eq!((&known["stage"], &known["invitation"]["id"]), (&json!("invited"), &json!(id)));
    assert_eq!(known["invitation"]["variables"]["first_name"], "Augusta");
    assert!(!acme.opens(&old, Purpose::Accept, Status::Invited).await);
    assert_eq!(
        (acme.bench.mail_events("ada@example.com").await, acme.bench.mail_events(NEW).await),
        (vec!["invitation".to_owned()], vec!["invitation".to_owned()])
    );
    let token = PlainToken::parse(&acme.bench.token(NEW).await).unwrap();
    assert!(acme.opens(&token, Purpose::Accept, Status::Invited).await);
}

#[tokio::test]
async fn an_invitation_that_has_run_out_follows_and_is_not_mailed_by_itself() {
    let acme = Acme::new().await;
    let (person, id) = invited(&acme, "ada@example.com").await;
    acme.bench.advance(SignedDuration::from_hours(25));
    let before = acme.bench.rows_in(&format!("INVITATION#{id}")).await.remove(0);

    assert_eq!(acme.change(&person.id, &acme.owner, &to_new()).await.status, 200);

    let after = acme.bench.rows_in(&format!("INVITATION#{id}")).await.remove(0);
    assert_eq!((&after["email"], &after["expires_at"]), (&json!(NEW), &before["expires_at"]));
    assert_eq!(acme.sentinel(NEW).await.unwrap()["invitation"]["id"], json!(id));
    assert_eq!(acme.bench.mail_events(NEW).await, Vec::<String>::new());
}

#[tokio::test]
async fn who_was_created_by_hand_and_not_invited_yet_hears_nothing() {
    let acme = Acme::new().await;
    let by_hand = NewUser { source: Source::ApiOwner, ..new(&acme, "ada@example.com", Start::As(Status::Invited)) };
    acme.bench.store.create_without_password(by_hand, &acme.bench.origin()).await.unwrap();
    let ada = acme.bench.store.login_facts(&harness::email("ada@example.com")).await.unwrap().account.unwrap().user_id;

    assert_eq!(acme.change(&ada, &acme.owner, &to_new()).await.status, 200);

    assert_eq!(acme.sentinel(NEW).await.unwrap()["stage"], "invited");
    for address in ["ada@example.com", NEW] {
        assert_eq!(acme.bench.mail_events(address).await, Vec::<String>::new());
    }
}
