//! Placing people while they are approved.

use harness::{Bench, Reply, SignedIn, write_units};
use serde_json::{Value, json};
use shared::domain::{
    ids::{OrganisationId, TeamId},
    organisation::{MAX_TEAMS, Placement},
    user::{Role, Status, User},
};

use crate::{
    act::tests::{app, audited, portal, request, send},
    router,
};

const ADA: &str = "ada@example.com";

async fn waiting() -> (Bench, SignedIn, User) {
    let (bench, owner) = portal().await;
    let ada = bench.person(ADA, Role::TeamMember, Status::Pending).await;
    (bench, owner, ada)
}

async fn approve(bench: &Bench, owner: &SignedIn, person: &User, body: &Value) -> Reply {
    send(bench, request("approve", &person.id, owner).body(body)).await
}

/// The teams in which the person's memberships stand.
async fn memberships(bench: &Bench, person: &User) -> Vec<Value> {
    let mut rows = bench.rows_in("TEAM#").await;
    rows.retain(|row| row["user_id"] == json!(person.id));
    rows.sort_by_key(|row| row["team_id"].to_string());
    rows.into_iter().map(|row| json!([row["organisation_id"], row["team_id"]])).collect()
}

#[tokio::test]
async fn an_approval_puts_the_person_into_the_named_teams_and_gives_the_role() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 2).await;
    let body = json!({"organisation_id": acme, "team_ids": [teams[1], teams[2], teams[1]], "role": "consumer_admin"});

    let reply = approve(&bench, &owner, &ada, &body).await;

    assert_eq!(
        (reply.status, &reply.body["status"], &reply.body["role"]),
        (200, &json!("active"), &json!("consumer_admin"))
    );
    assert_eq!(reply.body["organisation"], json!({"id": acme, "name": "Acme"}));
    let shown = json!([{"id": teams[1], "name": "Acme team 1"}, {"id": teams[2], "name": "Acme team 2"}]);
    assert_eq!(reply.body["teams"], shown);
    let stored = bench.read(&ada.id).await;
    assert_eq!((stored.status, stored.role, stored.version), (Status::Active, Role::ConsumerAdmin, ada.version + 1));
    assert_eq!((stored.organisation_id, &stored.team_ids), (Some(acme.clone()), &teams[1..].to_vec()));
    let mut expected = vec![json!([acme, teams[1]]), json!([acme, teams[2]])];
    expected.sort_by_key(|pair| pair[1].to_string());
    assert_eq!(memberships(&bench, &ada).await, expected);
    assert_eq!(bench.mail_events(ADA).await, ["approved"]);
}

#[tokio::test]
async fn an_organisation_alone_means_its_default_team_and_teams_alone_stay_in_the_persons_organisation() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let place = Placement { organisation_id: acme.clone(), team_ids: vec![teams[0].clone()] };
    let grace = bench.person_at("grace@example.com", Role::TeamMember, Status::Pending, Some(place)).await;

    let organisation = approve(&bench, &owner, &ada, &json!({"organisation_id": acme})).await;
    let team = approve(&bench, &owner, &grace, &json!({"team_ids": [teams[1]]})).await;

    assert_eq!((organisation.status, &organisation.body["teams"][0]["id"]), (200, &json!(teams[0])));
    assert_eq!((team.status, &team.body["teams"][0]["id"]), (200, &json!(teams[1])));
    assert_eq!(memberships(&bench, &grace).await, [json!([acme, teams[1]])]);
}

#[tokio::test]
async fn a_role_alone_moves_nobody_and_what_is_empty_or_null_changes_nothing() {
    let (bench, owner, ada) = waiting().await;
    let grace = bench.person("grace@example.com", Role::TeamMember, Status::Pending).await;

    let role = approve(&bench, &owner, &ada, &json!({"role": "consumer_admin"})).await;
    let nothing = json!({"organisation_id": null, "team_ids": [], "role": null});
    let nothing = approve(&bench, &owner, &grace, &nothing).await;

    assert_eq!((role.status, &role.body["role"]), (200, &json!("consumer_admin")));
    assert_eq!((nothing.status, &nothing.body["role"]), (200, &json!("team_member")));
    let default = json!([OrganisationId::default_organisation(), TeamId::default_team()]);
    for person in [&ada, &grace] {
        assert_eq!(memberships(&bench, person).await, std::slice::from_ref(&default));
    }
}

#[tokio::test]
async fn approving_into_a_named_team_takes_one_batch_and_one_transaction_of_at_most_fourteen_units() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let body = json!({"organisation_id": acme, "team_ids": [teams[1]], "role": "consumer_admin"});
    let sample = request("approve", &ada.id, &owner).body(&body);

    let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

    assert_eq!(reply.status, 200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
    assert!(write_units(&calls) <= 14, "{}", write_units(&calls));
}

#[tokio::test]
async fn places_and_roles_that_do_not_go_are_refused_and_nobody_is_approved() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let (_, others) = bench.organisation("Other", 0).await;
    let many = vec![teams[1].clone(); MAX_TEAMS + 1];
    let cases = [
        (
            json!({"organisation_id": "org_01kf0ev11gzqq463a0qnbxxtp1"}),
            vec![("/organisation_id", "unknown_organisation")],
        ),
        (json!({"organisation_id": acme, "team_ids": [teams[1], others[0]]}), vec![("/team_ids", "unknown_team")]),
        (json!({"organisation_id": acme, "team_ids": [TeamId::default_team()]}), vec![("/team_ids", "unknown_team")]),
        (json!({"team_ids": [teams[1]]}), vec![("/team_ids", "unknown_team")]),
        (json!({"team_ids": ["team_01kf0ev11gzqq463a0qnbxxtp1"]}), vec![("/team_ids", "unknown_team")]),
        (json!({"team_ids": ["sales", 7]}), vec![("/team_ids/0", "unknown_team"), ("/team_ids/1", "not_a_string")]),
        (json!({"team_ids": many}), vec![("/team_ids", "too_many")]),
        (
            json!({"organisation_id": "acme", "role": "api_owner"}),
            vec![("/organisation_id", "unknown_choice"), ("/role", "unknown_choice")],
        ),
    ];
    for (body, faults) in cases {
        let reply = approve(&bench, &owner, &ada, &body).await;
        assert_eq!((reply.status, reply.faults()), (422, faults), "{body}");
    }
    assert_eq!(bench.read(&ada.id).await, ada);
    assert_eq!(bench.mail_events(ADA).await, [""; 0]);
}

#[tokio::test]
async fn an_api_owner_is_put_nowhere_and_stays_one() {
    let (bench, owner) = portal().await;
    let second = bench.person("second@example.com", Role::ApiOwner, Status::Pending).await;
    let cases = [
        (json!({"organisation_id": OrganisationId::default_organisation()}), "/organisation_id"),
        (json!({"team_ids": [TeamId::default_team()]}), "/team_ids"),
        (json!({"role": "team_member"}), "/role"),
    ];
    for (body, pointer) in cases {
        let reply = approve(&bench, &owner, &second, &body).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![(pointer, "not_allowed")]));
    }

    assert_eq!(bench.read(&second.id).await, second);
}

#[tokio::test]
async fn who_is_let_into_the_default_organisation_from_another_is_a_team_member_unless_a_role_is_named() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 0).await;
    let place = Placement { organisation_id: acme, team_ids: teams };
    let home = OrganisationId::default_organisation();
    for (name, role, expected) in
        [("ada", json!(null), "team_member"), ("grace", json!("consumer_admin"), "consumer_admin")]
    {
        let address = format!("{name}@example.com");
        let person = bench.person_at(&address, Role::ConsumerAdmin, Status::Pending, Some(place.clone())).await;

        let reply = approve(&bench, &owner, &person, &json!({"organisation_id": home, "role": role})).await;

        assert_eq!((reply.status, &reply.body["role"]), (200, &json!(expected)));
        assert_eq!(bench.read(&person.id).await.role.as_str(), expected);
    }
}

#[tokio::test]
async fn a_place_or_role_that_is_named_holds_to_the_person_who_was_read_also_where_it_changes_nothing() {
    for named in ["place", "role"] {
        let (bench, owner, ada) = waiting().await;
        let home = OrganisationId::default_organisation();
        let body = if named == "role" { json!({"role": "team_member"}) } else { json!({"organisation_id": home}) };
        let changed = bench.overwrite(&ada.id, "version", &json!(ada.version + 1));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", changed);

        let overtaken = approve(&bench, &owner, &ada, &body).await;
        let again = approve(&bench, &owner, &ada, &body).await;

        assert_eq!((overtaken.status, overtaken.problem(), again.status), (503, "try-again", 200), "{named}");
    }
}

#[tokio::test]
async fn a_team_deleted_between_read_and_write_takes_nobody_and_the_registration_waits_on() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.erase_team(&teams[1]));

    let reply = approve(&bench, &owner, &ada, &json!({"organisation_id": acme, "team_ids": [teams[1]]})).await;

    assert_eq!((reply.status, reply.faults()), (422, vec![("/team_ids", "unknown_team")]));
    assert_eq!(bench.read(&ada.id).await, ada);
    assert_eq!(memberships(&bench, &ada).await.len(), 1);
}

#[tokio::test]
async fn who_was_changed_between_read_and_write_is_decided_about_anew() {
    for body in [json!({"team_ids": []}), json!({"role": "consumer_admin"}), json!({"organisation_id": true})] {
        let (bench, owner, ada) = waiting().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let mut body = body;
        let placed = body["organisation_id"] == true;
        if placed {
            body["organisation_id"] = json!(acme);
        }
        let changed = bench.overwrite(&ada.id, "version", &json!(ada.version + 1));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", changed);

        let reply = approve(&bench, &owner, &ada, &body).await;

        if placed || body["role"].is_string() {
            assert_eq!((reply.status, reply.problem()), (503, "try-again"));
            assert_eq!(bench.read(&ada.id).await.status, Status::Pending);
            assert_eq!(approve(&bench, &owner, &ada, &body).await.status, 200);
        } else {
            assert_eq!(reply.status, 200, "an approval that changes nothing else has nothing to lose");
        }
    }
}

#[tokio::test]
async fn of_an_approval_with_a_place_and_a_rejection_one_happens() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let (same, rival) = (request("reject", &ada.id, &owner), router(app(&bench)));
    let meanwhile = async move { assert_eq!(same.send(rival).await.status, 200) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = approve(&bench, &owner, &ada, &json!({"organisation_id": acme, "team_ids": [teams[1]]})).await;

    assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
    let stored = bench.read(&ada.id).await;
    assert_eq!((stored.status, stored.team_ids), (Status::Rejected, ada.team_ids.clone()));
    assert_eq!(memberships(&bench, &ada).await.len(), 1);
    assert_eq!(bench.mail_events(ADA).await, ["rejected"]);
}

#[tokio::test]
async fn the_audit_tells_of_place_and_role_what_changed() {
    let (bench, owner, ada) = waiting().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    let body = json!({"organisation_id": acme, "team_ids": [teams[1]], "role": "consumer_admin"});

    approve(&bench, &owner, &ada, &body).await;

    let event = audited(&bench, "user.approved").await;
    let (default, team) = (OrganisationId::default_organisation(), TeamId::default_team());
    let before = json!({"status": "pending", "role": "team_member", "organisation_id": default, "team_ids": [team]});
    let after = json!({"status": "active", "role": "consumer_admin", "organisation_id": acme, "team_ids": [teams[1]]});
    assert_eq!((&event["before"], &event["after"]), (&before, &after));
}
