//! What other organisations kept about an address goes with its account, whatever stands in its place by now.

use harness::Bench;
use jiff::SignedDuration;
use shared::{
    domain::{
        name::Name,
        organisation::Placement,
        user::{NewUser, Role, Source, Start, Status},
    },
    store::{Inviting, Places},
};

use super::tests::leave;

/// How many invitations there are, and how many items that stand for one in a team.
async fn kept(bench: &Bench) -> (usize, usize) {
    let mut standing = bench.rows_in("TEAM#").await;
    standing.retain(|row| row["sk"].as_str().unwrap().starts_with("ELSEWHERE#"));
    (bench.rows_in("INVITATION#").await.len(), standing.len())
}

#[tokio::test]
async fn an_old_invitation_elsewhere_goes_although_a_newer_one_stands_in_its_place() {
    let bench = Bench::new().await;
    let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
    let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
    let new = || NewUser {
        email: ada.user.email.clone(),
        first_name: Name::given("Addie"),
        last_name: Name::given("Byron"),
        role: Role::TeamMember,
        placement: Some(Placement::default_place()),
        source: Source::Invitation,
        start: Start::As(Status::Invited),
    };
    let (places, life) = (Places::default(), SignedDuration::from_millis(1));
    let inviting = Inviting { by: Some(&admin.user), places: &places, life };
    let store = &bench.store;
    store.invite_elsewhere(new(), &ada.user.id, &inviting, &bench.origin()).await.unwrap();
    bench.advance(life * 2);
    for invitation in store.invitations_to_expire(bench.now(), None, 9).await.unwrap().rows {
        assert!(store.expire_invitation(&invitation.unwrap(), &bench.origin()).await.unwrap());
    }
    for invitation in store.invitations_to_forget(bench.now(), None, 9).await.unwrap().rows {
        assert!(store.forget_invited(&invitation.unwrap(), &bench.origin()).await.unwrap().is_none());
    }
    store.invite_elsewhere(new(), &ada.user.id, &inviting, &bench.origin()).await.unwrap();
    assert_eq!(kept(&bench).await, (2, 1));

    assert_eq!(leave(&bench, &ada).await.status, 204);

    assert_eq!(kept(&bench).await, (0, 0));
}
