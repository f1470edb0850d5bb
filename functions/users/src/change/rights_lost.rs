//! Rights that an admin loses between being read and the write: they count for it.

use std::sync::Arc;

use serde_json::json;
use shared::domain::user::Role;

use super::tests::Acme;

#[tokio::test]
async fn a_team_taken_from_an_admin_does_not_come_back_by_their_own_change() {
    let acme = Arc::new(Acme::new().await);
    let admin = &acme.admin.user.id;
    acme.meanwhile(admin, json!({"team_ids": [acme.teams[2]]}));

    let body = json!({"team_ids": [acme.teams[1], acme.teams[2]], "first_name": "Joan"});
    let reply = acme.change(admin, &acme.admin, &body).await;

    assert_eq!(reply.faults(), [("/team_ids", "unknown_team")]);
    assert_eq!(acme.memberships(admin).await, [2]);
}

#[tokio::test]
async fn who_is_no_admin_any_more_does_not_become_one_by_their_own_change() {
    let acme = Arc::new(Acme::new().await);
    let admin = &acme.admin.user.id;
    acme.meanwhile(admin, json!({"role": "team_member"}));

    let reply = acme.change(admin, &acme.admin, &json!({"role": "consumer_admin", "first_name": "Joan"})).await;

    assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    assert_eq!(acme.bench.read(admin).await.role, Role::TeamMember);
}

#[tokio::test]
async fn a_team_or_role_taken_from_an_admin_meanwhile_gives_nothing_to_others() {
    for (lost, expected) in [("team", (422, "validation-failed")), ("role", (403, "forbidden"))] {
        let acme = Arc::new(Acme::new().await);
        let ada = acme.member("ada", &[1]).await;
        let taken = if lost == "role" { json!({"role": "team_member"}) } else { json!({"team_ids": [acme.teams[1]]}) };
        acme.meanwhile(&acme.admin.user.id, taken);
        let body = json!({"team_ids": [acme.teams[1], acme.teams[2]], "role": "consumer_admin"});

        let reply = acme.change(&ada.id, &acme.admin, &body).await;

        assert_eq!((reply.status, reply.problem()), expected, "{lost}");
        assert_eq!((acme.memberships(&ada.id).await, acme.bench.read(&ada.id).await), (vec![1], ada), "{lost}");
    }
}

#[tokio::test]
async fn a_change_of_the_admin_that_takes_no_right_is_no_hindrance() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    acme.meanwhile(&acme.admin.user.id, json!({"first_name": "Joan", "team_ids": [acme.teams[1], acme.teams[3]]}));

    let reply = acme.change(&ada.id, &acme.admin, &json!({"team_ids": [acme.teams[1]], "first_name": "Augusta"})).await;

    assert_eq!((reply.status, &reply.body["first_name"]), (200, &json!("Augusta")));
}

#[tokio::test]
async fn an_admin_whose_session_ended_meanwhile_changes_nobody() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    let off = acme.bench.overwrite(&acme.admin.user.id, "status", &json!("inactive"));
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", off);

    let reply = acme.change(&ada.id, &acme.admin, &json!({"first_name": "Augusta"})).await;

    assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
    assert_eq!(acme.bench.read(&ada.id).await, ada);
}

#[tokio::test]
async fn an_owner_who_is_none_any_more_changes_no_attributes_as_an_admin() {
    let acme = Arc::new(Acme::new().await);
    let ada = acme.member("ada", &[1]).await;
    let former = acme.bench.signed_in("former@example.com", Role::ApiOwner).await;
    let (other, id, target) = (acme.clone(), former.user.id.clone(), ada.id.clone());
    let demoted = async move {
        let body = json!({"role": "consumer_admin", "organisation_id": other.id, "team_ids": [other.teams[1]]});
        assert_eq!(Box::pin(other.change(&id, &other.owner, &body)).await.status, 200);
        let name = json!({"first_name": "Grace-Ada"});
        assert_eq!(Box::pin(other.change(&target, &other.admin, &name)).await.status, 200);
    };
    acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", demoted);

    let reply = acme.change(&ada.id, &former, &json!({"attributes": {}, "last_name": "King"})).await;

    assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
    assert_eq!(acme.bench.read(&ada.id).await.last_name, ada.last_name);
}
