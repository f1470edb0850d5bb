//! What consumers find: the people of shared teams, and themselves.

use harness::{Bench, Sample, SignedIn};
use serde_json::{Value, json};
use shared::domain::{
    ids::{OrganisationId, TeamId},
    user::{Role, Status},
};

use super::tests::{app, list, place, portal, who};
use crate::router;

/// An organisation with its default team and three more.
struct Acme {
    bench: Bench,
    id: OrganisationId,
    teams: Vec<TeamId>,
}

impl Acme {
    async fn new() -> Self {
        let (bench, _) = portal().await;
        let (id, teams) = bench.organisation("Acme", 3).await;
        Self { bench, id, teams }
    }

    async fn person(&self, name: &str, role: Role, status: Status, teams: &[usize]) {
        let teams: Vec<_> = teams.iter().map(|team| &self.teams[*team]).collect();
        let place = place(&self.id, &teams);
        self.bench.person_at(&format!("{name}@example.com"), role, status, place).await;
    }

    async fn signed_in(&self, name: &str, role: Role, teams: &[usize]) -> SignedIn {
        self.person(name, role, Status::Active, teams).await;
        let address = harness::email(&format!("{name}@example.com"));
        let known = self.bench.store.login_facts(&address).await.unwrap().account.unwrap();
        self.bench.sign_in(&self.bench.read(&known.user_id).await).await
    }

    async fn finds(&self, caller: &SignedIn, query: &str) -> String {
        who(&list(&self.bench, caller, query).await).join(" ")
    }

    fn team(&self, number: usize) -> Value {
        json!({"id": self.teams[number], "name": format!("Acme team {number}")})
    }
}

#[tokio::test]
async fn consumers_find_the_people_of_shared_teams_and_themselves() {
    let acme = Acme::new().await;
    acme.person("shared", Role::TeamMember, Status::Active, &[1, 2]).await;
    acme.person("elsewhere", Role::TeamMember, Status::Active, &[2, 3]).await;
    acme.bench.person("stranger@example.com", Role::TeamMember, Status::Active).await;
    let admin = acme.signed_in("admin", Role::ConsumerAdmin, &[1]).await;
    let member = acme.signed_in("member", Role::TeamMember, &[1]).await;

    assert_eq!(acme.finds(&admin, "").await, "shared admin member");
    assert_eq!(acme.finds(&member, "").await, "shared admin member");
}

#[tokio::test]
async fn a_consumer_admin_sees_people_whole_but_only_shared_teams() {
    let acme = Acme::new().await;
    acme.person("shared", Role::TeamMember, Status::Pending, &[2, 1, 3]).await;
    let admin = acme.signed_in("admin", Role::ConsumerAdmin, &[1, 3, 0]).await;

    let reply = list(&acme.bench, &admin, "").await;

    let (shared, oneself) = (&reply.body["items"][0], &reply.body["items"][1]);
    assert_eq!(shared["teams"], json!([acme.team(1), acme.team(3)]));
    assert_eq!(shared["organisation"], json!({"id": acme.id, "name": "Acme"}));
    assert_eq!(oneself["teams"], json!([acme.team(1), acme.team(3), acme.team(0)]));
    let mut fields: Vec<_> = shared.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = "attributes created_at email first_name id last_login_at last_name mail_status must_change_password \
                    organisation role source status teams updated_at";
    assert_eq!(fields.join(" "), expected);
}

#[tokio::test]
async fn a_team_member_sees_a_few_fields_alone() {
    let acme = Acme::new().await;
    acme.person("shared", Role::ConsumerAdmin, Status::Inactive, &[2, 1]).await;
    let member = acme.signed_in("member", Role::TeamMember, &[1]).await;

    let reply = list(&acme.bench, &member, "").await;

    let id = reply.body["items"][0]["id"].clone();
    let shared = json!({
        "id": id,
        "first_name": "Grace",
        "last_name": "Hopper",
        "email": "shared@example.com",
        "status": "inactive",
        "role": "consumer_admin",
        "teams": [acme.team(1)],
    });
    let oneself = json!({
        "id": member.user.id,
        "first_name": "Grace",
        "last_name": "Hopper",
        "email": "member@example.com",
        "status": "active",
        "role": "team_member",
        "teams": [acme.team(1)],
    });
    assert_eq!(reply.body, json!({"items": [shared, oneself], "next_cursor": null}));
}

#[tokio::test]
async fn strangers_in_the_default_place_do_not_find_each_other() {
    let (bench, _) = portal().await;
    bench.person("stranger@example.com", Role::TeamMember, Status::Active).await;
    let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;
    let member = bench.signed_in("member@example.com", Role::TeamMember).await;
    let default_team = format!("team_id={}", TeamId::default_team());

    assert_eq!(who(&list(&bench, &admin, "").await), ["admin"]);
    assert_eq!(who(&list(&bench, &member, "").await), ["member"]);
    assert_eq!(who(&list(&bench, &admin, &default_team).await), ["admin"]);
    let reply = list(&bench, &member, "status=active&role=team_member").await;
    assert_eq!(reply.body["items"][0]["teams"], json!([{"id": TeamId::default_team(), "name": "Default team"}]));
    assert_eq!(who(&list(&bench, &member, "status=pending").await), [""; 0]);
}

#[tokio::test]
async fn an_organisations_own_default_team_is_a_team_like_any_other() {
    let acme = Acme::new().await;
    acme.person("colleague", Role::TeamMember, Status::Active, &[0]).await;
    let member = acme.signed_in("member", Role::TeamMember, &[0]).await;

    assert_eq!(acme.finds(&member, "").await, "colleague member");
}

#[tokio::test]
async fn unconfirmed_registrations_are_not_shown_to_consumers() {
    let acme = Acme::new().await;
    for status in Status::ALL {
        acme.person(status.as_str(), Role::TeamMember, status, &[1]).await;
    }
    let admin = acme.signed_in("admin", Role::ConsumerAdmin, &[1]).await;

    assert_eq!(acme.finds(&admin, "").await, "pending invited active inactive rejected admin");
    assert_eq!(acme.finds(&admin, "status=unconfirmed").await, "");
}

#[tokio::test]
async fn consumers_can_ask_for_states_roles_and_own_teams() {
    let acme = Acme::new().await;
    acme.person("ada", Role::ConsumerAdmin, Status::Active, &[1, 2]).await;
    acme.person("grace", Role::TeamMember, Status::Pending, &[2, 3]).await;
    let admin = acme.signed_in("admin", Role::ConsumerAdmin, &[1, 2]).await;
    let team = |number: usize| format!("team_id={}", acme.teams[number]);

    assert_eq!(acme.finds(&admin, "").await, "ada grace admin");
    assert_eq!(acme.finds(&admin, "role=consumer_admin").await, "ada admin");
    assert_eq!(acme.finds(&admin, "status=pending").await, "grace");
    assert_eq!(acme.finds(&admin, &team(1)).await, "ada admin");
    assert_eq!(acme.finds(&admin, &format!("{}&role=team_member", team(2))).await, "grace");
    assert_eq!(acme.finds(&admin, &format!("organisation_id={}", acme.id)).await, "ada grace admin");
    let elsewhere = format!("organisation_id={}", OrganisationId::default_organisation());
    assert_eq!(acme.finds(&admin, &elsewhere).await, "");
}

#[tokio::test]
async fn a_team_that_is_not_ones_own_tells_nothing_even_of_people_whom_one_finds() {
    let acme = Acme::new().await;
    acme.person("ada", Role::TeamMember, Status::Active, &[1, 3]).await;
    let admin = acme.signed_in("admin", Role::ConsumerAdmin, &[1]).await;

    assert_eq!(acme.finds(&admin, &format!("team_id={}", acme.teams[3])).await, "");
    assert_eq!(acme.finds(&admin, "team_id=team_01kf0ev11gzqq463a0qnbxxtp1").await, "");
}

#[tokio::test]
async fn pages_over_several_teams_merge_them_and_show_everybody_once() {
    let acme = Acme::new().await;
    let mut expected = Vec::new();
    for number in 0..40_usize {
        let teams: &[usize] = [&[1][..], &[2], &[1, 2], &[1, 2, 3], &[3]][number % 5];
        // A run in one team alone, so that its pages end before the others' do.
        let teams = if (15..30).contains(&number) { &[1] } else { teams };
        let status = if number % 7 == 0 { Status::Unconfirmed } else { Status::Active };
        acme.person(&format!("p{number:02}"), Role::TeamMember, status, teams).await;
        if status == Status::Active && teams != [3] {
            expected.push(format!("p{number:02}"));
        }
    }
    let member = acme.signed_in("member", Role::TeamMember, &[2, 1]).await;
    expected.push("member".to_owned());
    for limit in [1, 2, 7, 25, 100] {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = list(&acme.bench, &member, &format!("limit={limit}{cursor}")).await;
            assert!(who(&page).len() <= limit);
            found.extend(who(&page).into_iter().map(str::to_owned));
            let Some(next) = page.body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "{limit}");
    }
}

#[tokio::test]
async fn a_page_takes_the_caller_a_query_per_team_and_one_batch() {
    let acme = Acme::new().await;
    for number in 0..26 {
        acme.person(&format!("p{number}"), Role::TeamMember, Status::Active, &[1, 2, 3]).await;
    }
    let member = acme.signed_in("member", Role::TeamMember, &[1]).await;
    let admin = acme.signed_in("admin", Role::ConsumerAdmin, &[1, 2, 0]).await;
    for (caller, queries) in [(&member, 1), (&admin, 3)] {
        let sample = Sample::of("users-list").by(caller).query("");

        let (reply, calls) = acme.bench.calls(sample.send(router(app(&acme.bench)))).await;

        assert_eq!(who(&reply).len(), 25);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let mut expected = vec!["DynamoDB.BatchGetItem"];
        expected.extend(vec!["DynamoDB.Query"; queries]);
        expected.push("DynamoDB.BatchGetItem");
        assert_eq!(operations, expected);
    }
}
