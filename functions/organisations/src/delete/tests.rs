use harness::{Bench, CODE, Fault, Reply, Sample, SignedIn, email, write_units};
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::{OrganisationId, TeamId},
        name::Name,
        organisation::Placement,
        user::{NewUser, Role, Source, Start, Status, User},
    },
    store::{CreatedWithoutPassword, Earlier, Invited, InvitedElsewhere, Inviting, Places, Redeemed, Sent},
};

use crate::{
    body::tests::{app, names, portal, rename, send},
    router,
};

pub(crate) async fn delete(bench: &Bench, owner: &SignedIn, id: &OrganisationId) -> Reply {
    send(bench, Sample::of("organisations-delete").by(owner).id(id)).await
}

pub(crate) fn newcomer(address: &str, place: Placement, source: Source, start: Start) -> NewUser {
    NewUser {
        email: email(address),
        first_name: Name::parse("Ada").unwrap(),
        last_name: Name::parse("Lovelace").unwrap(),
        role: Role::ConsumerAdmin,
        placement: Some(place),
        source,
        start,
    }
}

/// Invites an address into `place` as a new person.
pub(crate) async fn invite(bench: &Bench, address: &str, place: Placement) -> shared::domain::invitation::Invitation {
    let new = newcomer(address, place, Source::Invitation, Start::As(Status::Invited));
    let inviting = Inviting { by: None, places: &Places::default(), life: jiff::SignedDuration::from_hours(24) };
    let invited = bench.store.invite(new, &inviting, &bench.origin()).await.unwrap();
    let Invited::Done(invitation) = invited else { panic!("{invited:?}") };
    *invitation
}

/// Creates somebody without a password and sends them an invitation.
pub(crate) async fn created_and_invited(bench: &Bench, address: &str, place: Placement) -> User {
    let new = newcomer(address, place, Source::ApiOwner, Start::As(Status::Invited));
    let created = bench.store.create_without_password(new, &bench.origin()).await.unwrap();
    let CreatedWithoutPassword::Done(user) = created else { panic!("{created:?}") };
    let inviting = Inviting { by: None, places: &Places::default(), life: jiff::SignedDuration::from_hours(24) };
    let sent = bench.store.send_invitation(&user, &Earlier::default(), &inviting, &bench.origin()).await.unwrap();
    assert!(matches!(sent, Sent::Done(_)), "{sent:?}");
    bench.read(&user.id).await
}

/// Invites an address that has an account elsewhere.
pub(crate) async fn invite_elsewhere(bench: &Bench, address: &str, place: Placement) {
    let new = newcomer(address, place, Source::Invitation, Start::As(Status::Invited));
    let inviting = Inviting { by: None, places: &Places::default(), life: jiff::SignedDuration::from_hours(24) };
    let holder = bench.store.login_facts(&email(address)).await.unwrap().account.unwrap().user_id;
    let invited = bench.store.invite_elsewhere(new, &holder, &inviting, &bench.origin()).await.unwrap();
    assert!(matches!(invited, InvitedElsewhere::Done(_)), "{invited:?}");
}

/// What is left of an organisation and its teams.
pub(crate) async fn left_of(bench: &Bench, id: &OrganisationId, teams: &[TeamId]) -> Vec<Value> {
    let mut rows = bench.rows_in(&format!("ORG#{id}")).await;
    for team in teams {
        rows.extend(bench.rows_in(&format!("TEAM#{team}")).await);
    }
    rows
}

pub(crate) fn at(organisation_id: &OrganisationId, team_ids: &[TeamId]) -> Placement {
    Placement { organisation_id: organisation_id.clone(), team_ids: team_ids.to_vec() }
}

#[tokio::test]
async fn everybody_in_it_goes_to_the_default_organisation_as_a_team_member_whatever_their_status() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let mut people = Vec::new();
    for (number, status) in
        [Status::Active, Status::Pending, Status::Inactive, Status::Rejected].into_iter().enumerate()
    {
        let place = Some(at(&acme, &teams[number % 3..]));
        let address = format!("{}@example.com", status.as_str());
        people.push(bench.person_at(&address, Role::ConsumerAdmin, status, place).await);
    }
    let code =
        bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme.clone(), teams[1].clone())).await;
    let new = newcomer(
        "unconfirmed@example.com",
        at(&acme, &teams[1..2]),
        Source::InviteCode,
        Start::As(Status::Unconfirmed),
    );
    let Redeemed::New(unconfirmed) = bench.store.redeem(&code, new, &bench.origin()).await.unwrap() else { panic!() };
    people.push(*unconfirmed);
    let created = newcomer("invited@example.com", at(&acme, &teams), Source::ApiOwner, Start::As(Status::Invited));
    let created = bench.store.create_without_password(created, &bench.origin()).await.unwrap();
    let CreatedWithoutPassword::Done(invited) = created else { panic!("{created:?}") };
    people.push(*invited);
    let other = bench.person("other@example.com", Role::ConsumerAdmin, Status::Active).await;

    let reply = delete(&bench, &owner, &acme).await;

    assert_eq!((reply.status, &reply.body), (204, &Value::Null));
    for before in people {
        let after = bench.read(&before.id).await;
        assert_eq!((after.status, after.role), (before.status, Role::TeamMember));
        assert_eq!(
            (after.organisation_id.unwrap(), after.team_ids),
            (OrganisationId::default_organisation(), vec![TeamId::default_team()])
        );
        assert_eq!((after.version, after.updated_at), (before.version + 1, bench.now()));
    }
    assert_eq!(bench.read(&other.id).await, other);
    assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new());
    assert_eq!(bench.everybody_placed().await.len(), 8);
}

#[tokio::test]
async fn it_is_found_nowhere_any_more_and_a_repeat_is_told_so() {
    let (bench, owner) = portal().await;
    let (acme, _) = bench.organisation("Acme", 1).await;

    assert_eq!(delete(&bench, &owner, &acme).await.status, 204);

    assert_eq!(delete(&bench, &owner, &acme).await.status, 404);
    assert_eq!(send(&bench, Sample::of("organisations-read").by(&owner).id(&acme)).await.status, 404);
    let list = send(&bench, Sample::of("organisations-list").by(&owner).query("")).await;
    assert_eq!(names(&list), ["Default Organisation"]);
}

#[tokio::test]
async fn the_default_organisation_stays() {
    let (bench, owner) = portal().await;
    let before = bench.rows().await;

    let reply = delete(&bench, &owner, &OrganisationId::default_organisation()).await;

    assert_eq!((reply.status, reply.problem()), (409, "default-organisation"));
    assert_eq!(bench.rows().await, before);
}

#[tokio::test]
async fn codes_into_it_take_nobody_any_more() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme.clone(), teams[1].clone())).await;
    let code = bench.code(CODE).await.unwrap();

    delete(&bench, &owner, &acme).await;

    let new = newcomer("late@example.com", at(&acme, &teams[1..]), Source::InviteCode, Start::As(Status::Unconfirmed));
    let late = bench.store.redeem(&code, new, &bench.origin()).await.unwrap();
    assert!(matches!(late, Redeemed::TeamGone), "{late:?}");
    assert_eq!(bench.used(CODE).await, 0);
}

#[tokio::test]
async fn invitations_into_it_end_and_with_them_who_came_in_by_one_alone() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let invitation = invite(&bench, "ada@example.com", at(&acme, &teams)).await;
    let by_hand = created_and_invited(&bench, "grace@example.com", at(&acme, &teams[..1])).await;
    bench.person("known@example.com", Role::TeamMember, Status::Active).await;
    invite_elsewhere(&bench, "known@example.com", at(&acme, &teams)).await;

    let reply = delete(&bench, &owner, &acme).await;

    assert_eq!(reply.status, 204);
    let rows = bench.rows_in("INVITATION#").await;
    assert_eq!(rows.iter().map(|row| row["status"].as_str().unwrap()).collect::<Vec<_>>(), ["revoked"; 3]);
    assert!(bench.store.person(&invitation.user_id).await.unwrap().is_none());
    assert!(bench.rows_in("EMAIL#ada@example.com").await.is_empty());
    let after = bench.read(&by_hand.id).await;
    assert_eq!((after.status, after.invitation_id.is_none()), (Status::Invited, true));
    assert_eq!((after.link_version, after.team_ids), (by_hand.link_version + 1, vec![TeamId::default_team()]));
    assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new());
    bench.everybody_placed().await;
}

#[tokio::test]
async fn the_audit_tells_of_the_organisation_its_teams_and_everybody_who_was_moved_and_names_nobody() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let admin = bench.person_at("ada@example.com", Role::ConsumerAdmin, Status::Active, Some(at(&acme, &teams))).await;

    delete(&bench, &owner, &acme).await;

    let mut events = bench.rows_in("AUDIT#").await;
    events.retain(|event| event["actor"]["user"] == json!(owner.user.id));
    let of = |action: &str| events.iter().filter(|event| event["action"] == action).collect::<Vec<_>>();
    assert_eq!(of("organisation.deleted")[0]["target"], json!(acme));
    assert_eq!(of("team.deleted").len(), 2);
    let [moved] = of("user.moved")[..] else { panic!("{events:?}") };
    assert_eq!((&moved["target"], &moved["before"]["organisation_id"]), (&json!(admin.id), &json!(acme)));
    assert_eq!(
        (&moved["before"]["team_ids"], &moved["after"]["team_ids"]),
        (&json!(teams), &json!([TeamId::default_team()]))
    );
    assert_eq!((&moved["before"]["role"], &moved["after"]["role"]), (&json!("consumer_admin"), &json!("team_member")));
    assert!(!events.iter().any(|event| event.to_string().contains("Acme") || event.to_string().contains("ada@")));
}

#[tokio::test]
async fn a_deletion_is_held_to_the_version_that_it_names() {
    let (bench, owner) = portal().await;
    let (acme, _) = bench.organisation("Acme", 0).await;
    let held = |tag: &str| Sample::of("organisations-delete").by(&owner).id(&acme).header("if-match", tag);
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", rename(&bench, acme.as_str(), "Apex"));

    let overtaken = send(&bench, held("\"1\"")).await;
    let wrong = send(&bench, held("\"1\"")).await;
    let right = send(&bench, held("\"2\"")).await;

    for reply in [overtaken, wrong] {
        assert_eq!((reply.status, reply.problem()), (412, "version-mismatch"));
    }
    assert_eq!(right.status, 204);
}

#[tokio::test]
async fn an_empty_organisation_takes_a_mark_a_deletion_per_team_and_its_own() {
    let (bench, owner) = portal().await;
    let (acme, _) = bench.organisation("Acme", 0).await;
    let sample = Sample::of("organisations-delete").by(&owner).id(&acme);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 204);
    let writes = calls.iter().filter(|call| call.operation == "DynamoDB.TransactWriteItems").count();
    assert_eq!((writes, write_units(&calls)), (4, 14));
}

#[tokio::test]
async fn a_step_that_fails_stops_nobody_else_and_a_repeat_finishes() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    for number in 0..3 {
        let address = format!("person-{number}@example.com");
        bench.person_at(&address, Role::TeamMember, Status::Active, Some(at(&acme, &teams))).await;
    }
    // Mark and team go through; the first of the people does not.
    for _ in 0..2 {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let calls = bench.services.calls().clone();
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move {
        calls.fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    });

    let failed = delete(&bench, &owner, &acme).await;
    let held = left_of(&bench, &acme, &teams).await.iter().filter(|row| row["user_id"].is_string()).count();
    let repeated = delete(&bench, &owner, &acme).await;

    assert_eq!((failed.status, failed.problem(), held), (500, "internal", 1));
    assert_eq!(repeated.status, 204);
    assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new());
    bench.everybody_placed().await;
}

#[tokio::test]
async fn a_mark_whose_answer_is_lost_is_one_mark_and_one_that_fails_changes_nothing() {
    let (bench, owner) = portal().await;
    let (acme, _) = bench.organisation("Acme", 0).await;
    let before = bench.rows().await;

    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
    let failed = delete(&bench, &owner, &acme).await;
    assert_eq!((failed.status, bench.rows().await), (500, before));
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
    let done = delete(&bench, &owner, &acme).await;

    assert_eq!(done.status, 204);
    let events = bench.rows_in("AUDIT#").await;
    assert_eq!(events.iter().filter(|event| event["action"] == "organisation.deleted").count(), 1);
}
