//! Where people who are created by hand are put.

use serde_json::{Value, json};
use shared::domain::{
    ids::{OrganisationId, TeamId},
    organisation::MAX_TEAMS,
};

use super::tests::{ADA, ada, create, with};
use crate::list::tests::portal;

#[tokio::test]
async fn an_organisation_alone_means_its_default_team() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;

    let reply = create(&bench, &owner, &with("organisation_id", &acme)).await;

    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["organisation"], json!({"id": acme, "name": "Acme"}));
    assert_eq!(reply.body["teams"], json!([{"id": teams[0], "name": "Acme team 0"}]));
    let memberships = bench.rows_in(&format!("TEAM#{}", teams[0])).await;
    assert!(memberships.iter().any(|row| row["user_id"] == reply.body["id"]));
}

#[tokio::test]
async fn a_person_is_in_exactly_the_teams_that_are_named_each_once() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 3).await;
    let mut body = with("organisation_id", &acme);
    body["team_ids"] = json!([teams[3], teams[1], teams[3]]);

    let reply = create(&bench, &owner, &body).await;

    assert_eq!(reply.status, 201);
    let shown = json!([{"id": teams[3], "name": "Acme team 3"}, {"id": teams[1], "name": "Acme team 1"}]);
    assert_eq!(reply.body["teams"], shown);
    let mut placed = bench.rows_in("TEAM#").await;
    placed.retain(|row| row["user_id"] == reply.body["id"]);
    assert_eq!(placed.len(), 2);
}

#[tokio::test]
async fn the_default_place_can_be_named_and_empty_names_are_none() {
    let (bench, owner) = portal().await;
    let mut body = with("organisation_id", OrganisationId::default_organisation());
    body["team_ids"] = json!([]);
    let named = create(&bench, &owner, &body).await;
    let mut body = with("team_ids", [TeamId::default_team()]);
    body["email"] = json!("grace@example.com");
    body["organisation_id"] = Value::Null;
    let team_alone = create(&bench, &owner, &body).await;

    assert_eq!((named.status, team_alone.status), (201, 201));
    assert_eq!(named.body["teams"], team_alone.body["teams"]);
}

#[tokio::test]
async fn places_that_are_not_there_are_refused() {
    let (bench, owner) = portal().await;
    let (acme, acme_teams) = bench.organisation("Acme", 1).await;
    let (_, other_teams) = bench.organisation("Other", 1).await;
    let both = |organisation: Value, teams: Value| {
        let mut body = ada();
        body["organisation_id"] = organisation;
        body["team_ids"] = teams;
        body
    };
    let many = vec![acme_teams[1].clone(); MAX_TEAMS + 1];
    let cases = [
        (both(json!("org_01kf0ev11gzqq463a0qnbxxtp1"), json!(null)), ("/organisation_id", "unknown_organisation")),
        (both(json!(acme), json!([acme_teams[1], other_teams[1]])), ("/team_ids", "unknown_team")),
        (both(json!(acme), json!([TeamId::default_team()])), ("/team_ids", "unknown_team")),
        (both(json!(null), json!([acme_teams[1]])), ("/team_ids", "unknown_team")),
        (both(json!(acme), json!(["team_01kf0ev11gzqq463a0qnbxxtp1"])), ("/team_ids", "unknown_team")),
        (both(json!(acme), json!(["sales"])), ("/team_ids/0", "unknown_team")),
        (both(json!(acme), json!([7])), ("/team_ids/0", "not_a_string")),
        (both(json!(acme), json!(many)), ("/team_ids", "too_many")),
    ];
    for (body, fault) in cases {
        let reply = create(&bench, &owner, &body).await;
        assert_eq!((reply.status, reply.faults()), (422, vec![fault]), "{body}");
    }
    assert!(bench.store.login_facts(&harness::email(ADA)).await.unwrap().account.is_none());
}
