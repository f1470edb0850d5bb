//! People who are not in yet: invited, unconfirmed, just being created.

use jiff::SignedDuration;
use serde_json::json;
use shared::{
    domain::{
        ids::InvitationId,
        name::Name,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    store::{Creation, Invited, Inviting, Places, Revoked},
};

use super::tests::Acme;
use crate::list::tests::place;

/// Somebody invited into a team, with the id of their invitation.
pub(super) async fn invited(acme: &Acme, address: &str) -> (User, InvitationId) {
    let new = new(acme, address, Start::As(Status::Invited));
    let places = Places::default();
    let inviting = Inviting { by: Some(&acme.owner.user), places: &places, life: SignedDuration::from_hours(24) };
    let made = acme.bench.store.invite(new, &inviting, &acme.bench.origin()).await.unwrap();
    let Invited::Done(invitation) = made else { panic!("{made:?}") };
    (acme.bench.read(&invitation.user_id).await, invitation.id)
}

pub(super) fn new(acme: &Acme, address: &str, start: Start) -> NewUser {
    NewUser {
        email: harness::email(address),
        first_name: Name::given("Grace"),
        last_name: Name::given("Hopper"),
        role: Role::TeamMember,
        placement: place(&acme.id, &[&acme.teams[1]]),
        source: Source::Invitation,
        start,
    }
}

#[tokio::test]
async fn an_invitation_follows_its_person_and_so_does_its_next_mail() {
    let acme = Acme::new().await;
    let (person, id) = invited(&acme, "ada@example.com").await;
    let body = json!({"first_name": "Ada", "role": "consumer_admin", "team_ids": [acme.teams[2]]});

    assert_eq!(acme.change(&person.id, &acme.admin, &body).await.status, 200);

    let row = acme.bench.rows_in(&format!("INVITATION#{id}")).await.remove(0);
    assert_eq!((&row["first_name"], &row["role"]), (&json!("Ada"), &json!("consumer_admin")));
    assert_eq!((&row["team_ids"], &row["version"]), (&json!([acme.teams[2]]), &json!(2)));
    let known = acme.bench.rows_in("EMAIL#ada@example.com").await.remove(0);
    let said = &known["invitation"]["variables"];
    assert_eq!((&said["first_name"], &said["organisation"]), (&json!("Ada"), &json!("Acme")));
    assert_eq!((&said["teams"], &said["inviter"]), (&json!(["Acme team 2"]), &json!(null)));
    assert_eq!(known["link_version"], json!(person.link_version));
}

#[tokio::test]
async fn an_invitation_moves_with_its_person_from_one_organisations_list_to_anothers_or_to_none() {
    let acme = Acme::new().await;
    let (other, _) = acme.bench.organisation("Other", 0).await;
    let (person, id) = invited(&acme, "ada@example.com").await;
    let listed = async || {
        let row = acme.bench.rows_in(&format!("INVITATION#{id}")).await.remove(0);
        (row["group_pk"].clone(), row["organisation_id"].clone())
    };

    acme.change(&person.id, &acme.owner, &json!({"organisation_id": other})).await;
    assert_eq!(listed().await, (json!(format!("ORGANISATION#{other}#INVITATIONS")), json!(other)));
    acme.change(&person.id, &acme.owner, &json!({"role": "api_owner"})).await;
    assert_eq!(listed().await, (json!(null), json!(null)));
}

#[tokio::test]
async fn who_was_created_by_hand_and_not_invited_yet_is_changed_too() {
    let acme = Acme::new().await;
    let new = NewUser { source: Source::ApiOwner, ..new(&acme, "ada@example.com", Start::As(Status::Invited)) };
    acme.bench.store.create_without_password(new, &acme.bench.origin()).await.unwrap();
    let known = acme.bench.store.login_facts(&harness::email("ada@example.com")).await.unwrap().account.unwrap();

    let reply = acme.change(&known.user_id, &acme.owner, &json!({"first_name": "Ada"})).await;

    assert_eq!((reply.status, &reply.body["first_name"]), (200, &json!("Ada")));
}

#[tokio::test]
async fn an_invitation_revoked_meanwhile_is_not_written_anew() {
    let acme = Acme::new().await;
    let (person, id) = invited(&acme, "ada@example.com").await;
    let (store, origin) = (acme.bench.store.clone(), acme.bench.origin());
    let facts = store.resend_facts(&acme.owner.user.id, Some(&id)).await.unwrap();
    let invitation = facts.invitation.unwrap();
    let invitee = store.invitee(&invitation).await.unwrap();
    let revoked = async move {
        assert_eq!(store.revoke_invitation(&invitation, &invitee, &origin).await.unwrap(), Revoked::Done);
    };
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", revoked);

    let reply = acme.change(&person.id, &acme.owner, &json!({"team_ids": [acme.teams[2]]})).await;

    assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    assert_eq!(acme.memberships(&person.id).await, [0; 0]);
    assert_eq!(acme.bench.rows_in(&format!("INVITATION#{id}")).await[0]["status"], "revoked");
}

#[tokio::test]
async fn who_is_just_being_created_is_changed_a_moment_later() {
    let acme = Acme::new().await;
    let new = new(&acme, "ada@example.com", Start::Becoming(Status::Active));
    let Creation::Begun(person) = acme.bench.store.begin_creation(new, &acme.bench.origin()).await.unwrap() else {
        panic!("the address is free")
    };

    let early = acme.change(&person.id, &acme.owner, &json!({"role": "api_owner"})).await;
    acme.bench.store.finish_creation(&person, &[], &acme.bench.origin()).await.unwrap();
    let late = acme.change(&person.id, &acme.owner, &json!({"role": "api_owner"})).await;

    assert_eq!((early.status, early.problem(), late.status), (503, "try-again", 200));
}
