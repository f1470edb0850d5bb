//! Starting, ending, and starting again.

use std::path::Path;

use shared::{
    domain::{
        audit::{Actor, Origin},
        email::Email,
        name::Name,
        user::{NewUser, Role, Source, Start, Status},
    },
    store::Creation,
};

use super::Site;
use crate::{Options, OwnerOptions, Portal, Standing, StartError, parts::Parts};

const PASSWORD: &str = "correct horse battery";

fn kept(place: &Path, password: Option<&str>) -> Options {
    let owner = OwnerOptions { password: password.map(str::to_owned), ..OwnerOptions::default() };
    Options { data: Some(place.to_owned()), owner: Some(owner), ..Options::in_memory() }
}

#[tokio::test]
async fn a_restart_keeps_people_and_the_owners_password() {
    let place = tempfile::tempdir().unwrap();
    let site = Site::start(kept(place.path(), None)).await;
    let Standing::Created { password } = site.portal.owner().unwrap().standing.clone() else { panic!() };
    site.register("ada@example.com").await;
    site.portal.shutdown().await;

    let site = Site::start(kept(place.path(), None)).await;

    let standing = &site.portal.owner().unwrap().standing;
    assert!(*standing == Standing::There { made: Some(password.clone()), given: false });
    site.access_token("owner@example.com", &password).await;
    assert_eq!(site.mail("ada@example.com").await.len(), 1);
}

#[tokio::test]
async fn a_password_given_to_a_later_start_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    Site::start(kept(place.path(), Some(PASSWORD))).await.portal.shutdown().await;

    let site = Site::start(kept(place.path(), Some("another good one"))).await;

    assert!(site.portal.owner().unwrap().standing == Standing::There { made: None, given: true });
    site.access_token("owner@example.com", PASSWORD).await;
}

#[tokio::test]
async fn an_owner_whose_creation_was_cut_off_is_finished_by_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let nobody = || Options { owner: None, ..kept(place.path(), None) };
    let portal = Portal::start(nobody()).await.unwrap();
    let parts = Parts::new(portal.services(), "http://127.0.0.1", portal.time().clock());
    let new = NewUser {
        email: Email::parse("owner@example.com").unwrap(),
        first_name: Name::given("Olivia"),
        last_name: Name::given("Owner"),
        role: Role::ApiOwner,
        placement: None,
        source: Source::ApiOwner,
        start: Start::Becoming(Status::Active),
    };
    let origin = Origin::new(Actor::System, "test", parts.clock.now());
    let begun = parts.store.begin_creation(new, &origin).await.unwrap();
    assert!(matches!(begun, Creation::Begun(_)), "{begun:?}");
    portal.shutdown().await;

    let site = Site::start(kept(place.path(), Some(PASSWORD))).await;

    assert!(site.portal.owner().unwrap().standing == Standing::Created { password: PASSWORD.to_owned() });
    site.access_token("owner@example.com", PASSWORD).await;
}

#[tokio::test]
async fn an_address_that_is_somebody_elses_is_left_to_them() {
    let place = tempfile::tempdir().unwrap();
    let site = Site::start(Options { owner: None, ..kept(place.path(), None) }).await;
    site.register("owner@example.com").await;
    site.portal.shutdown().await;

    let site = Site::start(kept(place.path(), None)).await;

    let standing = &site.portal.owner().unwrap().standing;
    assert!(*standing == Standing::Else { role: Role::TeamMember, status: Status::Unconfirmed });
}

#[tokio::test]
async fn a_taken_port_and_a_folder_in_use_are_said_clearly() {
    let place = tempfile::tempdir().unwrap();
    let site = Site::start(kept(place.path(), None)).await;
    let port = site.portal.address().rsplit(':').next().unwrap().parse().unwrap();

    let taken = Portal::start(Options { port, ..Options::in_memory() }).await.err().unwrap();
    let in_use = Portal::start(kept(place.path(), None)).await.err().unwrap();

    assert!(matches!(taken, StartError::Port { .. }), "{taken}");
    assert!(matches!(in_use, StartError::Folder(_)), "{in_use}");
}

#[tokio::test]
async fn an_owners_password_that_the_policy_refuses_stops_the_start() {
    let place = tempfile::tempdir().unwrap();

    let refused = Portal::start(kept(place.path(), Some("short"))).await.err().unwrap();

    assert!(matches!(refused, StartError::Seed(_)), "{refused}");
}

#[tokio::test]
async fn the_mail_of_the_last_request_is_sent_before_the_end() {
    let place = tempfile::tempdir().unwrap();
    let site = Site::start(kept(place.path(), None)).await;
    site.register("ada@example.com").await;
    let mailbox = site.portal.services().mailbox().clone();

    site.portal.shutdown().await;

    assert_eq!(mailbox.list(Some("ada@example.com")).unwrap().len(), 1);
}
