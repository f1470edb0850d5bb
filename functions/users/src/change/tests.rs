//! What changes by whose will, and what is refused.

use std::sync::Arc;

use harness::{Bench, Reply, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::{
    ids::{OrganisationId, TeamId, UserId},
    organisation::MAX_TEAMS,
    user::{Role, Status, User},
};

use crate::{
    list::tests::{app, list, place, portal, send, who},
    router,
};

/// A portal with an organisation of four teams, an API Owner, and an admin of teams 1 and 2.
pub(crate) struct Acme {
    pub(crate) bench: Bench,
    pub(crate) owner: SignedIn,
    pub(crate) admin: SignedIn,
    pub(crate) id: OrganisationId,
    pub(crate) teams: Vec<TeamId>,
}

impl Acme {
    pub(crate) async fn new() -> Self {
        let (bench, owner) = portal().await;
        let (id, teams) = bench.organisation("Acme", 3).await;
        let there = place(&id, &[&teams[1], &teams[2]]);
        let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, there).await;
        let admin = bench.sign_in(&admin).await;
        Self { bench, owner, admin, id, teams }
    }

    pub(crate) async fn person(&self, name: &str, role: Role, status: Status, teams: &[usize]) -> User {
        let teams: Vec<_> = teams.iter().map(|team| &self.teams[*team]).collect();
        self.bench.person_at(&format!("{name}@example.com"), role, status, place(&self.id, &teams)).await
    }

    /// An active Team Member.
    pub(crate) async fn member(&self, name: &str, teams: &[usize]) -> User {
        self.person(name, Role::TeamMember, Status::Active, teams).await
    }

    pub(crate) async fn change(&self, id: &UserId, caller: &SignedIn, body: &Value) -> Reply {
        send(&self.bench, Sample::of("users-change").id(id).by(caller).body(body)).await
    }

    /// Has the API Owner change a person right before the next transaction.
    pub(crate) fn meanwhile(self: &Arc<Self>, id: &UserId, body: Value) {
        let (acme, id) = (self.clone(), id.clone());
        let change = async move {
            let reply = Box::pin(acme.change(&id, &acme.owner, &body)).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        };
        self.bench.services.calls().before_next("DynamoDB.TransactWriteItems", change);
    }

    /// The teams that have this member, by number.
    pub(crate) async fn memberships(&self, id: &UserId) -> Vec<usize> {
        let mut found = Vec::new();
        for (number, team) in self.teams.iter().enumerate() {
            let rows = self.bench.rows_in(&format!("TEAM#{team}")).await;
            found.extend(rows.iter().any(|row| row["sk"] == format!("USER#{id}")).then_some(number));
        }
        found
    }

    pub(crate) async fn audited(&self, action: &str) -> Vec<Value> {
        let mut events = self.bench.rows_in("AUDIT#").await;
        events.retain(|event| event["action"] == action);
        events
    }
}

#[tokio::test]
async fn what_an_owner_names_changes_and_the_rest_stays() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1, 3]).await;
    let body = json!({"first_name": " Augusta ", "last_name": "King", "role": "consumer_admin",
        "team_ids": [acme.teams[3], acme.teams[2]]});

    let reply = acme.change(&ada.id, &acme.owner, &body).await;

    assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"3\"")));
    let shown = &reply.body;
    assert_eq!((&shown["first_name"], &shown["last_name"]), (&json!("Augusta"), &json!("King")));
    assert_eq!(shown["role"], "consumer_admin");
    let teams = [3, 2].map(|team| json!({"id": acme.teams[team], "name": format!("Acme team {team}")}));
    assert_eq!(shown["teams"], json!(teams));
    let now = acme.bench.read(&ada.id).await;
    let expected = User {
        first_name: now.first_name.clone(),
        last_name: now.last_name.clone(),
        role: Role::ConsumerAdmin,
        team_ids: vec![acme.teams[3].clone(), acme.teams[2].clone()],
        updated_at: acme.bench.now(),
        version: 3,
        ..ada.clone()
    };
    assert_eq!(now, expected);
    assert_eq!(acme.memberships(&ada.id).await, [2, 3]);
    let read = send(&acme.bench, Sample::of("users-read").id(&ada.id).by(&acme.owner)).await;
    assert_eq!((read.body, &read.headers["etag"]), (reply.body, &json!("\"3\"")));
    let event = acme.audited("user.changed").await.remove(0);
    assert_eq!(event["changed"], json!(["first_name", "last_name", "role", "team_ids"]));
    assert_eq!((&event["actor"]["user"], &event["target"]), (&json!(acme.owner.user.id), &json!(ada.id)));
    assert_eq!(event["before"], json!({"role": "team_member", "team_ids": [acme.teams[1], acme.teams[3]]}));
    assert!(!event.to_string().contains("Augusta"));
}

#[tokio::test]
async fn a_change_counts_for_the_very_next_request_with_the_old_token() {
    let acme = Acme::new().await;
    let ada = acme.bench.sign_in(&acme.member("ada", &[1]).await).await;
    acme.member("colleague", &[2]).await;
    assert_eq!(who(&list(&acme.bench, &ada, "").await), ["admin", "ada"]);

    acme.change(&ada.user.id, &acme.owner, &json!({"team_ids": [acme.teams[2]], "role": "consumer_admin"})).await;

    assert_eq!(who(&list(&acme.bench, &ada, "").await), ["admin", "ada", "colleague"]);
    let read = send(&acme.bench, Sample::of("users-read").id(&acme.admin.user.id).by(&ada)).await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn an_admin_changes_only_the_part_within_their_own_teams() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[3, 1]).await;

    let reply = acme.change(&ada.id, &acme.admin, &json!({"team_ids": [acme.teams[2]], "first_name": "Augusta"})).await;

    assert_eq!((reply.status, &reply.body["first_name"]), (200, &json!("Augusta")));
    assert_eq!(reply.body["teams"], json!([{"id": acme.teams[2], "name": "Acme team 2"}]));
    assert_eq!(acme.memberships(&ada.id).await, [2, 3]);
    let left = acme.change(&ada.id, &acme.admin, &json!({"team_ids": []})).await;
    assert_eq!((left.status, &left.body["teams"]), (200, &json!([])));
    assert_eq!(acme.memberships(&ada.id).await, [3]);
    assert_eq!(acme.change(&ada.id, &acme.admin, &json!({})).await.problem(), "not-found");
}

#[tokio::test]
async fn who_leaves_their_last_team_is_in_the_organisations_default_team() {
    let acme = Acme::new().await;
    for caller in [&acme.admin, &acme.owner] {
        let ada = acme.member(&format!("of-{}", caller.user.id), &[1]).await;

        let reply = acme.change(&ada.id, caller, &json!({"team_ids": []})).await;

        assert_eq!(reply.status, 200);
        assert_eq!(acme.memberships(&ada.id).await, [0]);
        assert_eq!(acme.bench.read(&ada.id).await.organisation_id.as_ref(), Some(&acme.id));
    }
}

#[tokio::test]
async fn an_admin_makes_nobody_the_admin_of_a_default_team_that_is_not_theirs() {
    let acme = Acme::new().await;
    let admin = acme.person("colleague", Role::ConsumerAdmin, Status::Active, &[1]).await;
    let member = acme.member("member", &[1]).await;
    let promoting = json!({"team_ids": [], "role": "consumer_admin"});
    for (id, body) in
        [(&acme.admin.user.id, json!({"team_ids": []})), (&admin.id, json!({"team_ids": []})), (&member.id, promoting)]
    {
        assert_eq!(acme.change(id, &acme.admin, &body).await.faults(), [("/team_ids", "required")]);
    }
    assert_eq!([acme.bench.read(&admin.id).await, acme.bench.read(&member.id).await], [admin.clone(), member]);
    assert_eq!(acme.change(&admin.id, &acme.owner, &json!({"team_ids": []})).await.status, 200);
    assert_eq!(acme.memberships(&admin.id).await, [0]);
}

#[tokio::test]
async fn a_person_is_in_a_bounded_number_of_teams_however_they_come_together() {
    let acme = Acme::new().await;
    let (elsewhere, many) = acme.bench.organisation("Many", MAX_TEAMS).await;
    let there = place(&elsewhere, &many[1..].iter().collect::<Vec<_>>());
    let ada = acme.bench.person_at("ada@example.com", Role::TeamMember, Status::Active, there).await;
    let guide = place(&elsewhere, &[&many[0], &many[1]]);
    let guide = acme.bench.person_at("guide@example.com", Role::ConsumerAdmin, Status::Active, guide).await;
    let guide = acme.bench.sign_in(&guide).await;

    let more = acme.change(&ada.id, &guide, &json!({"team_ids": [many[0], many[1]]})).await;
    let instead = acme.change(&ada.id, &guide, &json!({"team_ids": [many[0]]})).await;

    assert_eq!(more.faults(), [("/team_ids", "too_many")]);
    assert_eq!((instead.status, acme.bench.read(&ada.id).await.team_ids.len()), (200, MAX_TEAMS));
}

#[tokio::test]
async fn an_admin_names_no_team_that_is_not_theirs() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1, 3]).await;
    let nowhere = TeamId::new(acme.bench.now(), 7);
    for team in [&acme.teams[3], &acme.teams[0], &nowhere, &TeamId::default_team()] {
        let reply = acme.change(&ada.id, &acme.admin, &json!({"team_ids": [acme.teams[1], team]})).await;
        assert_eq!(reply.faults(), [("/team_ids", "unknown_team")]);
    }
    assert_eq!(acme.bench.read(&ada.id).await, ada);
}

#[tokio::test]
async fn an_admin_gives_consumer_roles_alone_and_moves_nobody() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let body = json!({"role": "api_owner", "organisation_id": OrganisationId::default_organisation()});
    let moving = json!({"organisation_id": OrganisationId::default_organisation()});

    let faults = [("/role", "not_allowed"), ("/organisation_id", "not_allowed")];
    assert_eq!(acme.change(&ada.id, &acme.admin, &body).await.faults(), faults);
    assert_eq!(acme.change(&ada.id, &acme.admin, &moving).await.faults(), [("/organisation_id", "not_allowed")]);
    let promoted = acme.change(&ada.id, &acme.admin, &json!({"role": "consumer_admin"})).await;
    assert_eq!((promoted.status, &promoted.body["role"]), (200, &json!("consumer_admin")));
    let unchanged = json!({"role": "consumer_admin", "organisation_id": acme.id});
    assert_eq!(acme.change(&ada.id, &acme.admin, &unchanged).await.headers["etag"], "\"3\"");
}

#[tokio::test]
async fn admins_change_nobody_whom_they_do_not_see() {
    let acme = Acme::new().await;
    let elsewhere = acme.member("elsewhere", &[3]).await;
    let unconfirmed = acme.person("unconfirmed", Role::TeamMember, Status::Unconfirmed, &[1]).await;
    let nobody = UserId::new(acme.bench.now(), 7);
    for id in [&elsewhere.id, &unconfirmed.id, &acme.owner.user.id, &nobody] {
        let reply = acme.change(id, &acme.admin, &json!({"nonsense": 1})).await;
        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
    }
}

#[tokio::test]
async fn who_manages_nobody_is_told_before_anybody_is_looked_for() {
    let (bench, owner) = portal().await;
    let member = bench.signed_in("member@example.com", Role::TeamMember).await;
    let stranger = bench.signed_in("stranger@example.com", Role::ConsumerAdmin).await;
    for caller in [&member, &stranger] {
        for id in [&caller.user.id, &owner.user.id, &UserId::new(bench.now(), 7)] {
            let sample = Sample::of("users-change").id(id).by(caller).body(&json!({"nonsense": 1}));
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
        }
    }
}

#[tokio::test]
async fn nobody_changes_their_own_role_and_everything_else_of_oneself_may_be() {
    let acme = Acme::new().await;
    for caller in [&acme.owner, &acme.admin] {
        let refused = acme.change(&caller.user.id, caller, &json!({"role": "team_member"})).await;
        let named =
            acme.change(&caller.user.id, caller, &json!({"first_name": "Joan", "role": caller.user.role})).await;

        assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
        assert_eq!((named.status, &named.body["first_name"]), (200, &json!("Joan")));
    }
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1, 2]).await;
    let same = json!({"first_name": "Grace", "team_ids": [acme.teams[2], acme.teams[1]], "organisation_id": acme.id});
    for body in [json!({}), same] {
        let reply = acme.change(&ada.id, &acme.owner, &body).await;
        assert_eq!((reply.status, &reply.headers["etag"]), (200, &json!("\"2\"")));
    }
    assert_eq!((acme.bench.read(&ada.id).await, acme.audited("user.changed").await.len()), (ada, 0));
}

#[tokio::test]
async fn every_fault_is_named_and_the_rest_cannot_be_changed() {
    let acme = Acme::new().await;
    let ada = acme.member("ada", &[1]).await;
    let body = json!({"first_name": "", "last_name": null, "role": "king", "team_ids": ["x"], "organisation_id": 7,
        "status": "active", "must_change_password": false});

    let mut reply = acme.change(&ada.id, &acme.owner, &body).await;
    reply.body["errors"].as_array_mut().unwrap().sort_by_key(|fault| fault["pointer"].to_string());

    let expected = [
        ("/first_name", "invalid_name"),
        ("/last_name", "required"),
        ("/must_change_password", "unknown_field"),
        ("/organisation_id", "not_a_string"),
        ("/role", "unknown_choice"),
        ("/status", "unknown_field"),
        ("/team_ids/0", "unknown_team"),
    ];
    assert_eq!(reply.faults(), expected);
}

#[tokio::test]
async fn a_change_takes_one_batch_and_one_transaction_and_one_batch_more_for_names_or_teams() {
    let acme = Acme::new().await;
    let stranger = acme.bench.person("stranger@example.com", Role::TeamMember, Status::Active).await;
    let ada = acme.member("ada", &[1]).await;
    let (names, teams) = (json!({"first_name": "Augusta"}), json!({"team_ids": [acme.teams[1], acme.teams[2]]}));
    for (id, body, batches, units) in [(&stranger.id, &names, 1, 4), (&ada.id, &names, 2, 4), (&ada.id, &teams, 3, 8)] {
        let sample = Sample::of("users-change").id(id).by(&acme.owner).body(body);
        let sample = if batches == 2 { sample.header("if-match", "\"2\"") } else { sample };

        let (reply, calls) = acme.bench.calls(sample.send(router(app(&acme.bench)))).await;

        assert_eq!(reply.status, 200, "{reply:?}");
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let mut expected = vec!["DynamoDB.BatchGetItem"; batches];
        expected.push("DynamoDB.TransactWriteItems");
        assert_eq!(operations, expected);
        assert_eq!(harness::write_units(&calls), units);
    }
}
