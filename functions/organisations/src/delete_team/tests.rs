use harness::{Bench, CODE, Reply, Sample, SignedIn, write_units};
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::{OrganisationId, TeamId},
        user::{Role, Source, Start, Status},
    },
    store::Redeemed,
};

use crate::{
    body::tests::{app, names, portal, rename_team, send},
    delete::tests::{at, created_and_invited, invite, invite_elsewhere, left_of, newcomer},
    router,
};

pub(crate) async fn delete(bench: &Bench, owner: &SignedIn, id: &OrganisationId, team: &TeamId) -> Reply {
    send(bench, Sample::of("organisations-delete-team").by(owner).id(id).team(team)).await
}

/// What is left of a team.
async fn left_of_team(bench: &Bench, id: &OrganisationId, team: &TeamId) -> Vec<Value> {
    let mut rows = left_of(bench, id, std::slice::from_ref(team)).await;
    rows.retain(|row| row["sk"] != "ORG");
    rows
}

#[tokio::test]
async fn people_lose_the_team_and_whoever_has_no_other_goes_to_the_default_team() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let at_work = async |address: &str, role, status, teams: &[TeamId]| {
        bench.person_at(address, role, status, Some(at(&acme, teams))).await
    };
    let both = at_work("both@example.com", Role::ConsumerAdmin, Status::Active, &teams[1..]).await;
    let only = at_work("only@example.com", Role::ConsumerAdmin, Status::Active, &teams[1..2]).await;
    let default = at_work("default@example.com", Role::TeamMember, Status::Pending, &teams[..2]).await;
    let other = at_work("other@example.com", Role::TeamMember, Status::Active, &teams[2..]).await;

    let reply = delete(&bench, &owner, &acme, &teams[1]).await;

    assert_eq!((reply.status, &reply.body), (204, &Value::Null));
    for (before, team) in [(both, &teams[2]), (only, &teams[0]), (default, &teams[0])] {
        let after = bench.read(&before.id).await;
        assert_eq!((&after.organisation_id, &after.team_ids), (&Some(acme.clone()), &vec![team.clone()]));
        assert_eq!((after.role, after.status), (before.role, before.status));
    }
    assert_eq!(bench.read(&other.id).await, other);
    assert_eq!(left_of_team(&bench, &acme, &teams[1]).await, Vec::<Value>::new());
    let list = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(&acme)).await;
    assert_eq!(names(&list).len(), 2);
    bench.everybody_placed().await;
}

#[tokio::test]
async fn default_teams_stay() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let before = bench.rows().await;

    for (id, team) in [(&acme, &teams[0]), (&OrganisationId::default_organisation(), &TeamId::default_team())] {
        let reply = delete(&bench, &owner, id, team).await;
        assert_eq!((reply.status, reply.problem()), (409, "default-team"));
    }

    assert_eq!(bench.rows().await, before);
}

#[tokio::test]
async fn a_team_of_the_default_organisation_can_go_and_leaves_people_their_role() {
    let (bench, owner) = portal().await;
    let default = OrganisationId::default_organisation();
    let body = json!({"name": "Guests"});
    let sample = Sample::of("organisations-create-team").by(&owner).id(&default).body(&body);
    let team = TeamId::parse(send(&bench, sample).await.body["id"].as_str().unwrap()).unwrap();
    let place = Some(at(&default, std::slice::from_ref(&team)));
    let admin = bench.person_at("ada@example.com", Role::ConsumerAdmin, Status::Active, place).await;

    let reply = delete(&bench, &owner, &default, &team).await;

    assert_eq!(reply.status, 204);
    let after = bench.read(&admin.id).await;
    assert_eq!((after.team_ids, after.role), (vec![TeamId::default_team()], Role::ConsumerAdmin));
    assert_eq!(left_of_team(&bench, &default, &team).await, Vec::<Value>::new());
}

#[tokio::test]
async fn its_codes_and_invitations_stop() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    bench.invite_code(CODE, |code| (code.organisation_id, code.team_id) = (acme.clone(), teams[1].clone())).await;
    let code = bench.code(CODE).await.unwrap();
    let gone = invite(&bench, "ada@example.com", at(&acme, &teams[1..])).await;
    let stays = invite(&bench, "joan@example.com", at(&acme, &teams[2..])).await;
    let by_hand = created_and_invited(&bench, "grace@example.com", at(&acme, &teams[1..])).await;
    bench.person("known@example.com", Role::TeamMember, Status::Active).await;
    invite_elsewhere(&bench, "known@example.com", at(&acme, &teams[1..])).await;

    let reply = delete(&bench, &owner, &acme, &teams[1]).await;

    assert_eq!(reply.status, 204);
    let new = newcomer("late@example.com", at(&acme, &teams[1..2]), Source::InviteCode, Start::As(Status::Unconfirmed));
    assert!(matches!(bench.store.redeem(&code, new, &bench.origin()).await.unwrap(), Redeemed::TeamGone));
    assert!(bench.store.person(&gone.user_id).await.unwrap().is_none());
    let pending = bench.read(&stays.user_id).await;
    assert_eq!((pending.status, pending.invitation_id), (Status::Invited, Some(stays.id.clone())));
    assert_eq!(bench.read(&by_hand.id).await.team_ids, teams[2..]);
    let rows = bench.rows_in("INVITATION#").await;
    let pending: Vec<_> = rows.iter().filter(|row| row["status"] == "pending").map(|row| &row["id"]).collect();
    assert_eq!(pending, [&json!(stays.id)]);
    assert_eq!(left_of_team(&bench, &acme, &teams[1]).await, Vec::<Value>::new());
    assert!(!bench.rows().await.iter().any(|row| row["sk"].as_str().unwrap().starts_with("ELSEWHERE#")));
    bench.everybody_placed().await;
}

#[tokio::test]
async fn a_team_of_another_organisation_an_unknown_one_and_one_that_is_gone_are_not_found() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let (other, _) = bench.organisation("Other", 0).await;

    let foreign = delete(&bench, &owner, &other, &teams[1]).await;
    let unknown = delete(&bench, &owner, &acme, &TeamId::new(bench.now(), 7)).await;
    let done = delete(&bench, &owner, &acme, &teams[1]).await;
    let again = delete(&bench, &owner, &acme, &teams[1]).await;

    assert_eq!(done.status, 204);
    for reply in [foreign, unknown, again] {
        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    }
}

#[tokio::test]
async fn a_deletion_is_held_to_the_version_that_it_names() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let held = |tag: &str| {
        Sample::of("organisations-delete-team").by(&owner).id(&acme).team(&teams[1]).header("if-match", tag)
    };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", rename_team(&bench, &acme, &teams[1], "Desk"));

    let overtaken = send(&bench, held("\"1\"")).await;
    let right = send(&bench, held("\"2\"")).await;

    assert_eq!((overtaken.status, overtaken.problem()), (412, "version-mismatch"));
    assert_eq!(right.status, 204);
}

#[tokio::test]
async fn an_empty_team_takes_two_transactions_of_eight_units() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let sample = Sample::of("organisations-delete-team").by(&owner).id(&acme).team(&teams[1]);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 204);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let expected = ["BatchGetItem", "TransactWriteItems", "Query", "TransactWriteItems"];
    assert_eq!(operations, expected.map(|operation| format!("DynamoDB.{operation}")));
    assert_eq!(write_units(&calls), 8);
}
