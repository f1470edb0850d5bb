//! What happens while an organisation is being deleted: nobody is ever left in a place that is gone.

use harness::{Bench, CODE, Sample};
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::{OrganisationId, TeamId, UserId},
        name::Name,
        user::{Role, Source, Start, Status},
    },
    store::{Creation, Placing, Redeemed, TeamCreation},
};

use super::tests::{at, delete, invite, left_of, newcomer};
use crate::body::tests::{portal, send};

async fn acme(bench: &Bench) -> (OrganisationId, Vec<TeamId>) {
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.person_at("grace@example.com", Role::ConsumerAdmin, Status::Active, Some(at(&acme, &teams))).await;
    (acme, teams)
}

/// Lets `step` happen before transaction number `number` of the deletion.
fn before_step(bench: &Bench, number: usize, step: impl Future<Output = ()> + Send + 'static) {
    for _ in 0..number {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", step);
}

#[tokio::test]
async fn whoever_is_created_redeems_or_is_invited_meanwhile_is_refused_or_moved_with_the_others() {
    for step in 0..5 {
        let (bench, owner) = portal().await;
        let (acme, teams) = acme(&bench).await;
        bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme.clone(), teams[1].clone())).await;
        let (store, origin, place) = (bench.store.clone(), bench.origin(), at(&acme, &teams[1..]));
        let code = bench.code(CODE).await.unwrap();
        before_step(&bench, step, async move {
            let created =
                newcomer("created@example.com", place.clone(), Source::ApiOwner, Start::Becoming(Status::Active));
            let creation = store.begin_creation(created, &origin).await.unwrap();
            assert!(matches!(creation, Creation::Begun(_) | Creation::NoSuchTeam), "{creation:?}");
            let redeemer = newcomer("code@example.com", place, Source::InviteCode, Start::As(Status::Unconfirmed));
            let redemption = store.redeem(&code, redeemer, &origin).await.unwrap();
            assert!(matches!(redemption, Redeemed::New(_) | Redeemed::TeamGone), "{redemption:?}");
        });

        let reply = delete(&bench, &owner, &acme).await;

        assert_eq!(reply.status, 204, "{step}: {reply:?}");
        assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new(), "{step}");
        bench.everybody_placed().await;
    }
}

#[tokio::test]
async fn a_team_that_is_created_meanwhile_goes_too_or_is_never_created() {
    for step in 0..4 {
        let (bench, owner) = portal().await;
        let (acme, teams) = acme(&bench).await;
        let (store, origin, id) = (bench.store.clone(), bench.origin(), acme.clone());
        before_step(&bench, step, async move {
            let created = store.create_team(&id, Name::parse("Late").unwrap(), &origin).await.unwrap();
            assert_eq!(matches!(created, TeamCreation::Created(_)), step == 0, "{created:?}");
        });

        let reply = delete(&bench, &owner, &acme).await;

        assert_eq!(reply.status, 204, "{step}");
        assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new(), "{step}");
        assert!(bench.rows_in("TEAM#").await.iter().all(|row| row["name"] != "Late"), "{step}");
    }
}

#[tokio::test]
async fn nobody_can_be_placed_in_it_between_its_mark_and_its_end() {
    let (bench, owner) = portal().await;
    let (acme, teams) = acme(&bench).await;
    let (store, id, named) = (bench.store.clone(), acme.clone(), teams.clone());
    before_step(&bench, 1, async move {
        for team_ids in [vec![], named] {
            let placing = store.placing(Some(id.clone()), team_ids).await.unwrap();
            assert!(matches!(placing, Placing::NoSuchOrganisation), "{placing:?}");
        }
    });

    assert_eq!(delete(&bench, &owner, &acme).await.status, 204);
}

#[tokio::test]
async fn an_invitation_that_is_made_at_the_last_moment_ends_with_the_others() {
    let (bench, owner) = portal().await;
    let (acme, teams) = acme(&bench).await;
    let invitation = invite(&bench, "ada@example.com", at(&acme, &teams)).await;
    // The person leaves the status in which the deletion read them: somebody revokes the invitation first.
    let (store, origin) = (bench.store.clone(), bench.origin());
    let revoked = invitation.clone();
    before_step(&bench, 3, async move {
        let invitee = store.invitee(&revoked).await.unwrap();
        store.revoke_invitation(&revoked, &invitee, &origin).await.unwrap();
    });

    let reply = delete(&bench, &owner, &acme).await;

    assert_eq!(reply.status, 204);
    assert!(bench.store.person(&invitation.user_id).await.unwrap().is_none());
    assert_eq!(bench.rows_in("INVITATION#").await[0]["status"], "revoked");
    bench.everybody_placed().await;
}

#[tokio::test]
async fn two_deletions_at_once_delete_it_once_and_move_everybody_once() {
    let (bench, owner) = portal().await;
    let (acme, teams) = acme(&bench).await;
    bench.crowd(&at(&acme, &teams), 40).await;

    let (one, other) = tokio::join!(delete(&bench, &owner, &acme), delete(&bench, &owner, &acme));

    for reply in [one, other] {
        assert!([204, 404, 503].contains(&reply.status), "{reply:?}");
    }
    assert!([204, 404].contains(&delete(&bench, &owner, &acme).await.status));
    assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new());
    bench.everybody_placed().await;
    let events = bench.rows_in("AUDIT#").await;
    let count = |action: &str| events.iter().filter(|event| event["action"] == action).count();
    assert_eq!((count("organisation.deleted"), count("team.deleted"), count("user.moved")), (1, 2, 41));
}

#[tokio::test]
async fn somebody_who_is_changed_between_reading_and_moving_is_moved_as_they_then_are() {
    let (bench, owner) = portal().await;
    let (acme, teams) = acme(&bench).await;
    let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Pending, Some(at(&acme, &teams[..1]))).await;
    let id: UserId = ada.id.clone();
    let (store, origin) = (bench.store.clone(), bench.origin());
    before_step(&bench, 3, async move {
        let approved = store.transition(&ada, shared::domain::transition::Transition::Approve, None, &origin).await;
        drop(approved.unwrap());
    });

    let reply = delete(&bench, &owner, &acme).await;

    assert_eq!(reply.status, 204);
    let after = bench.read(&id).await;
    assert_eq!((after.status, after.team_ids), (Status::Active, vec![TeamId::default_team()]));
    bench.everybody_placed().await;
}

#[tokio::test]
async fn a_membership_whose_person_is_gone_stops_nothing() {
    let (bench, owner) = portal().await;
    let (acme, teams) = acme(&bench).await;
    let lost = bench.person_at("lost@example.com", Role::TeamMember, Status::Active, Some(at(&acme, &teams))).await;
    bench.erase(&lost.id).await;

    let reply = delete(&bench, &owner, &acme).await;

    assert_eq!(reply.status, 204);
    assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new());
    let organisations = send(&bench, Sample::of("organisations-list").by(&owner).query("")).await;
    assert_eq!(organisations.body["items"].as_array().map(Vec::len), Some(1), "{}", json!(organisations.body));
}
