//! The functions with which the portal is run.

use harness::{CODE, PASSWORD, Sample};
use serde_json::json;
use shared::domain::{
    organisation::Placement,
    user::{Role, Status},
};

use crate::{portal, watched::Watched};

#[tokio::test]
async fn approve_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut approve = Watched::new("approve", &bench);
    let one = bench.person("one@example.com", Role::TeamMember, Status::Pending).await;
    let other = bench.person("other@example.com", Role::TeamMember, Status::Pending).await;

    for (name, person) in [
        ("approve-approve", &one),
        ("approve-deactivate", &one),
        ("approve-activate", &one),
        ("approve-reject", &other),
        ("approve-reopen", &other),
    ] {
        approve.send(Sample::of(name).by(&owner).id(&person.id), 200).await;
    }
    approve.send(Sample::of("approve-approve").by(&owner).id(&one.id), 409).await;
    let (organisation_id, team_ids) = bench.organisation("Acme", 1).await;
    let place = json!({"organisation_id": organisation_id, "team_ids": [team_ids[1]], "role": "consumer_admin"});
    approve.send(Sample::of("approve-approve").by(&owner).id(&other.id).body(&place), 200).await;

    approve.matches_the_template();
}

#[tokio::test]
async fn users_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut users = Watched::new("users", &bench);
    let (organisation_id, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: organisation_id.clone(), team_ids: team_ids.clone() });
    let admin = bench.person_at("admin@example.com", Role::ConsumerAdmin, Status::Active, place).await;
    let admin = bench.sign_in(&admin).await;
    let body = json!({
        "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD, "active": true,
        "organisation_id": organisation_id, "team_ids": team_ids,
    });
    let create = || Sample::of("users-create").by(&owner).body(&body);

    let team = format!("team_id={}", team_ids[1]);
    for query in ["", "status=pending", "q=none", &team] {
        users.send(Sample::of("users-list").by(&owner).query(query), 200).await;
    }
    users.send(Sample::of("users-list").by(&admin).query(""), 200).await;
    users.send(Sample::of("users-read").by(&owner).id(&admin.user.id), 200).await;
    let change = json!({"first_name": "Augusta", "role": "team_member", "team_ids": [team_ids[0]]});
    users.send(Sample::of("users-change").by(&owner).id(&admin.user.id).body(&change), 200).await;
    let allow_mail = json!({"mail_status": "ok"});
    users.send(Sample::of("users-change").by(&owner).id(&admin.user.id).body(&allow_mail), 200).await;
    let address = json!({"email": "augusta@example.org"});
    users.send(Sample::of("users-change").by(&owner).id(&admin.user.id).body(&address), 200).await;
    users.send(Sample::of("users-access").by(&owner).id(&admin.user.id), 200).await;
    users.send(Sample::of("users-remove").by(&owner).id(&admin.user.id), 403).await;
    users.fail("Cognito.AdminCreateUser");
    users.send(create(), 500).await;
    users.send(create(), 201).await;
    users.send(create(), 409).await;
    users.send(Sample::of("users-delete").by(&owner).id(&admin.user.id), 204).await;

    users.matches_the_template();
}

#[tokio::test]
async fn organisations_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut organisations = Watched::new("organisations", &bench);

    for (name, expected) in [
        ("organisations-create", 201),
        ("organisations-create-team", 201),
        ("organisations-list", 200),
        ("organisations-read", 200),
        ("organisations-list-teams", 200),
        ("organisations-change", 200),
        ("organisations-change-team", 200),
    ] {
        organisations.send(Sample::of(name).by(&owner), expected).await;
    }
    let (acme, team_ids) = bench.organisation("Acme", 1).await;
    let place = Some(Placement { organisation_id: acme.clone(), team_ids: team_ids[1..].to_vec() });
    bench.person_at("grace@example.com", Role::TeamMember, Status::Active, place).await;
    let team = Sample::of("organisations-delete-team").by(&owner).id(&acme).team(&team_ids[1]);
    organisations.send(team, 204).await;
    organisations.send(Sample::of("organisations-delete").by(&owner).id(&acme), 204).await;
    bench.set(|settings| settings.organisation_requests = true).await;
    for (action, name) in [("approve", "ada"), ("reject", "joan")] {
        let requester = bench.signed_in(&format!("{name}@example.com"), Role::TeamMember).await;
        let asked = organisations.send(Sample::of("organisations-request").by(&requester), 201).await;
        let decision = Sample::of(&format!("organisations-{action}-request")).by(&owner);
        organisations.send(decision.id(asked.body["id"].as_str().unwrap()), 200).await;
        organisations.send(Sample::of("organisations-list-requests").by(&requester), 200).await;
    }
    let all = || Sample::of("organisations-list-requests").by(&owner);
    organisations.send(all(), 200).await;
    organisations.send(all().query("status=approved"), 200).await;

    organisations.matches_the_template();
}

#[tokio::test]
async fn settings_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut settings = Watched::new("settings", &bench);

    settings.send(Sample::of("settings-read").by(&owner), 200).await;
    settings.send(Sample::of("settings-public"), 200).await;
    let change = json!({"sign_in": false, "owner_notification_addresses": ["desk@example.com"]});
    settings.send(Sample::of("settings-change").by(&owner).body(&change), 200).await;
    settings.send(Sample::of("settings-change-template").by(&owner), 200).await;
    settings.send(Sample::of("settings-reset-template").by(&owner), 204).await;
    for query in ["", "actor=system", "target=usr_1", "action=user.created"] {
        settings.send(Sample::of("settings-audit").by(&owner).query(query), 200).await;
    }
    bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
    settings.send(Sample::of("settings-change").by(&owner).body(&json!({"auto_approve": true})), 200).await;
    for (name, expected) in [("create", 201), ("list", 200), ("read", 200), ("change", 200), ("delete", 204)] {
        settings.send(Sample::of(&format!("settings-attributes-{name}")).by(&owner), expected).await;
    }

    settings.matches_the_template();
}

#[tokio::test]
async fn invite_codes_may_do_what_it_does() {
    let (bench, owner) = portal().await;
    let mut codes = Watched::new("invite-codes", &bench);
    let (_, team_ids) = bench.organisation("Acme", 0).await;
    let body = json!({"team_id": team_ids[0], "code": CODE});

    let create = || Sample::of("invite-codes-create").by(&owner).body(&body);
    codes.send(create(), 201).await;
    codes.send(create(), 409).await;
    for name in ["invite-codes-list", "invite-codes-read", "invite-codes-redemptions", "invite-codes-change"] {
        codes.send(Sample::of(name).by(&owner), 200).await;
    }
    codes.send(Sample::of("invite-codes-delete").by(&owner), 204).await;

    codes.matches_the_template();
}
