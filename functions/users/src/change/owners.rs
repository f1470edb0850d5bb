//! API Owners: made, unmade, moved about, and never the last one gone.

use std::sync::Arc;

use harness::Sample;
use serde_json::{Value, json};
use shared::domain::{
    ids::{OrganisationId, TeamId},
    transition::Transition,
    user::{Role, Status},
};

use super::tests::Acme;
use crate::list::tests::send;

/// Who is counted as an active API Owner, and how many are.
async fn counted(acme: &Acme) -> (Vec<String>, u64) {
    let row = acme.bench.rows_in("OWNERS").await.remove(0);
    let mut addresses: Vec<_> =
        row["members"].as_object().unwrap().values().map(|email| email.as_str().unwrap().to_owned()).collect();
    addresses.sort();
    (addresses, row["active"].as_u64().unwrap())
}

#[tokio::test]
async fn who_becomes_an_owner_leaves_organisation_and_teams_and_is_counted() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1, 2]).await;

    let reply = acme.change(&ada.id, &acme.owner, &json!({"role": "api_owner"})).await;

    assert_eq!((reply.status, &reply.body["role"]), (200, &json!("api_owner")));
    assert_eq!((&reply.body["organisation"], &reply.body["teams"]), (&Value::Null, &json!([])));
    assert_eq!(acme.memberships(&ada.id).await, [0; 0]);
    assert_eq!(counted(&acme).await, (vec!["ada@example.com".to_owned(), "owner@example.com".to_owned()], 2));
    let event = acme.audited("user.changed").await.remove(0);
    assert_eq!(event["changed"], json!(["role", "organisation_id", "team_ids"]));
    assert_eq!(event["after"], json!({"role": "api_owner", "organisation_id": null, "team_ids": []}));
}

#[tokio::test]
async fn who_is_an_owner_no_longer_is_placed_where_it_is_said_or_in_the_default_organisation() {
    let acme = Acme::new().await;
    let cases = [
        (json!({}), OrganisationId::default_organisation(), TeamId::default_team()),
        (json!({"organisation_id": acme.id}), acme.id.clone(), acme.teams[0].clone()),
        (json!({"organisation_id": acme.id, "team_ids": [acme.teams[2]]}), acme.id.clone(), acme.teams[2].clone()),
    ];
    for (number, (mut body, organisation, team)) in cases.into_iter().enumerate() {
        let address = format!("owner{number}@example.com");
        let other = acme.bench.person(&address, Role::ApiOwner, Status::Active).await;
        body["role"] = json!("consumer_admin");

        let reply = acme.change(&other.id, &acme.owner, &body).await;

        assert_eq!((reply.status, &reply.body["role"]), (200, &json!("consumer_admin")), "{reply:?}");
        let now = acme.bench.read(&other.id).await;
        assert_eq!((now.organisation_id, &now.team_ids), (Some(organisation), &vec![team.clone()]));
        let rows = acme.bench.rows_in(&format!("TEAM#{team}")).await;
        assert!(rows.iter().any(|row| row["sk"] == format!("USER#{}", other.id)));
        assert_eq!(counted(&acme).await, (vec!["owner@example.com".to_owned()], 1));
    }
}

#[tokio::test]
async fn an_owner_has_no_place_to_name() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let other = acme.bench.person("other@example.com", Role::ApiOwner, Status::Active).await;
    let place = json!({"role": "api_owner", "organisation_id": acme.id, "team_ids": [acme.teams[1]]});
    let none = json!({"organisation_id": null, "team_ids": []});

    let faults = [("/organisation_id", "not_allowed"), ("/team_ids", "not_allowed")];
    assert_eq!(acme.change(&ada.id, &acme.owner, &place).await.faults(), faults);
    assert_eq!(acme.change(&other.id, &acme.owner, &place).await.faults(), faults);
    assert_eq!(acme.change(&other.id, &acme.owner, &none).await.status, 200);
    let nowhere = acme.change(&ada.id, &acme.owner, &json!({"organisation_id": null})).await;
    assert_eq!(nowhere.faults(), [("/organisation_id", "required")]);
}

#[tokio::test]
async fn only_the_active_are_counted_as_owners() {
    let acme = Acme::new().await;
    for status in [Status::Pending, Status::Inactive, Status::Rejected, Status::Invited, Status::Unconfirmed] {
        let ada = acme.person(status.as_str(), Role::TeamMember, status, &[1]).await;

        let made = acme.change(&ada.id, &acme.owner, &json!({"role": "api_owner"})).await;
        assert_eq!((made.status, counted(&acme).await.1), (200, 1), "{status:?}");
        let unmade = acme.change(&ada.id, &acme.owner, &json!({"role": "team_member"})).await;
        assert_eq!((unmade.status, counted(&acme).await.1), (200, 1), "{status:?}");
    }
}

#[tokio::test]
async fn somebody_moved_goes_to_the_default_team_or_those_named_and_keeps_the_role() {
    let acme = Acme::new().await;
    let (other, teams) = acme.bench.organisation("Other", 2).await;
    let ada = acme.person("ada", Role::ConsumerAdmin, Status::Active, &[1, 2]).await;

    let moved = acme.change(&ada.id, &acme.owner, &json!({"organisation_id": other, "team_ids": [teams[2]]})).await;
    assert_eq!(moved.body["organisation"], json!({"id": other, "name": "Other"}));
    assert_eq!(moved.body["teams"], json!([{"id": teams[2], "name": "Other team 2"}]));
    assert_eq!((&moved.body["role"], acme.memberships(&ada.id).await), (&json!("consumer_admin"), vec![]));
    let back = acme.change(&ada.id, &acme.owner, &json!({"organisation_id": acme.id})).await;
    assert_eq!((back.status, acme.memberships(&ada.id).await), (200, vec![0]));
    let home = json!({"organisation_id": OrganisationId::default_organisation()});
    let home = acme.change(&ada.id, &acme.owner, &home).await;
    assert_eq!((home.status, &home.body["role"]), (200, &json!("team_member")));
}

#[tokio::test]
async fn organisation_and_teams_have_to_fit() {
    let acme = Acme::new().await;
    let (other, teams) = acme.bench.organisation("Other", 1).await;
    let ada = acme.member("ada", &[1]).await;
    let nowhere = "org_01kf0ev11gzqq463a0qnbxxtp1";
    let cases = [
        (json!({"organisation_id": nowhere}), ("/organisation_id", "unknown_organisation")),
        (json!({"organisation_id": other, "team_ids": [acme.teams[1]]}), ("/team_ids", "unknown_team")),
        (json!({"team_ids": [acme.teams[1], teams[1]]}), ("/team_ids", "unknown_team")),
        (json!({"team_ids": [TeamId::default_team()]}), ("/team_ids", "unknown_team")),
    ];
    for (body, fault) in cases {
        assert_eq!(acme.change(&ada.id, &acme.owner, &body).await.faults(), [fault]);
    }
    assert_eq!(acme.bench.read(&ada.id).await, ada);
}

#[tokio::test]
async fn of_two_owners_who_unmake_each_other_at_once_one_succeeds() {
    let acme = Arc::new(Acme::new().await);
    let other = acme.bench.signed_in("other@example.com", Role::ApiOwner).await;
    let (rival, by) = (acme.clone(), other.clone());
    let meanwhile = async move {
        let reply = Box::pin(rival.change(&rival.owner.user.id, &by, &json!({"role": "team_member"}))).await;
        assert_eq!(reply.status, 200);
    };
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

    let reply = acme.change(&other.user.id, &acme.owner, &json!({"role": "team_member"})).await;

    assert_eq!((reply.status, reply.problem()), (409, "last-api-owner"));
    assert_eq!(acme.bench.read(&other.user.id).await.role, Role::ApiOwner);
    assert_eq!(counted(&acme).await, (vec!["other@example.com".to_owned()], 1));
}

#[tokio::test]
async fn an_owner_unmade_while_the_other_is_switched_off_stays() {
    let acme = Acme::new().await;
    let other = acme.bench.signed_in("other@example.com", Role::ApiOwner).await;
    let (store, origin, owner) =
        (acme.bench.store.clone(), acme.bench.origin(), acme.bench.read(&acme.owner.user.id).await);
    let switched_off =
        async move { drop(store.transition(&owner, Transition::Deactivate, None, &origin).await.unwrap()) };
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", switched_off);

    let reply = acme.change(&other.user.id, &acme.owner, &json!({"role": "team_member"})).await;

    assert_eq!((reply.status, reply.problem()), (409, "last-api-owner"));
    assert_eq!(acme.bench.read(&other.user.id).await.role, Role::ApiOwner);
    assert_eq!(counted(&acme).await, (vec!["other@example.com".to_owned()], 1));
    let read = send(&acme.bench, Sample::of("users-read").id(&other.user.id).by(&other)).await;
    assert_eq!(read.status, 200);
}
