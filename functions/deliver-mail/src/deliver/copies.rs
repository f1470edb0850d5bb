//! A mail to several: each gets a copy of their own, once.

use std::sync::Arc;

use harness::{Bench, Fault, email};
use serde_json::{Value, json};
use shared::{
    domain::{
        name::Name,
        organisation::Placement,
        user::{NewUser, Role, Source, Start, Status},
    },
    store::Creation,
};

use super::{
    handle,
    tests::{app, queued, recipients, waiting},
};

const OWNERS: [&str; 3] = ["grace@example.com", "katherine@example.com", "mary@example.com"];

/// Queues one mail that tells three owners of a registration that waits.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    let new = NewUser {
        email: email("ada@example.com"),
        first_name: Name::parse("Ada").unwrap(),
        last_name: Name::parse("Lovelace").unwrap(),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::SelfRegistration,
        start: Start::Becoming(Status::Pending),
    };
    let begun = bench.store.begin_creation(new, &bench.origin()).await.unwrap();
    let Creation::Begun(user) = begun else { panic!("{begun:?}") };
    bench.store.finish_creation(&user, &OWNERS.map(email), &bench.origin()).await.unwrap();
    bench
}

async fn deliveries(bench: &Bench) -> Vec<Value> {
    let entry = bench.rows_in("OUTBOX#").await.remove(0);
    entry["to"].as_array().unwrap().iter().map(|recipient| recipient["delivery"].clone()).collect()
}

#[tokio::test]
async fn each_recipient_gets_a_copy_that_names_no_other() {
    let bench = bench().await;
    let event = queued(&bench).await;

    handle(&app(&bench), event).await.unwrap();

    assert_eq!(recipients(&bench), OWNERS);
    assert_eq!(deliveries(&bench).await, ["sent"; 3]);
    for mail in bench.services.mailbox().list(None).unwrap() {
        let whole = format!("{mail:?}");
        assert!(OWNERS.iter().all(|owner| whole.contains(owner) == mail.is_to(owner)), "{whole}");
    }
}

#[tokio::test]
async fn a_failure_half_way_leaves_only_the_rest_to_be_sent() {
    let bench = Arc::new(bench().await);
    let event = queued(&bench).await;
    let later = bench.clone();
    let second_fails = async move {
        later.services.calls().fail_next("SES.SendEmail", Fault::refused("SendingPausedException", "later"));
    };
    bench.services.calls().before_next("SES.SendEmail", second_fails);

    assert!(handle(&app(&bench), event.clone()).await.is_err());

    assert_eq!((recipients(&bench), waiting(&bench).await), (vec![OWNERS[0].to_owned()], 1));
    assert_eq!(deliveries(&bench).await, ["sent", "queued", "queued"]);
    handle(&app(&bench), event).await.unwrap();
    assert_eq!(recipients(&bench), OWNERS);
    assert_eq!((deliveries(&bench).await, waiting(&bench).await), (vec![json!("sent"); 3], 0));
}

#[tokio::test]
async fn a_copy_that_is_refused_for_good_keeps_no_other_from_its_recipient() {
    let bench = bench().await;
    let event = queued(&bench).await;
    bench.services.calls().fail_next("SES.SendEmail", Fault::refused("MessageRejected", "no"));

    handle(&app(&bench), event).await.unwrap();

    assert_eq!(deliveries(&bench).await, ["refused", "sent", "sent"]);
    assert_eq!(recipients(&bench), OWNERS[1..]);
}
