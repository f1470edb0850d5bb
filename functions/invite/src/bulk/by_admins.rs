//! A Consumer Admin's upload tells what their single invitations tell, and no more.

use harness::Sample;
use serde_json::{Value, json};
use shared::domain::{
    organisation::Placement,
    user::{Role, Status},
};

use super::tests::{outcomes, row, sample, try_out, upload};
use crate::create::tests::{acme, portal, send};

#[tokio::test]
async fn an_address_known_elsewhere_looks_like_any_other() {
    let (bench, owner) = portal().await;
    let (_, teams, admin) = acme(&bench).await;
    bench.person("known@example.com", Role::TeamMember, Status::Active).await;
    let team = json!({"team_ids": [teams[1]]});
    let rows = [row("known", &team), row("unknown", &team)];

    assert_eq!(outcomes(&try_out(&bench, &admin, &rows).await), ["would_invite", "would_invite"]);
    assert_eq!(outcomes(&upload(&bench, &admin, &rows).await), ["invited", "invited"]);
    let again = upload(&bench, &admin, &rows).await;
    assert_eq!(outcomes(&again), ["already_invited", "already_invited"]);
    assert!(again.iter().all(|result| result["problem"]["invitation_id"].is_string()), "{again:?}");
    assert_eq!(bench.mail_events("known@example.com").await, ["welcome", "already_registered"]);
    assert_eq!(bench.mail_events("unknown@example.com").await, ["invitation"]);
    let of_owner = upload(&bench, &owner, &[row("known", &json!({})), row("unknown", &json!({}))]).await;
    assert_eq!(outcomes(&of_owner), ["already_registered", "already_invited"]);
}

#[tokio::test]
async fn whom_the_admin_sees_is_told_as_it_is() {
    let (bench, _) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let place = Placement { organisation_id: acme, team_ids: vec![teams[1].clone()] };
    bench.person_at("colleague@example.com", Role::TeamMember, Status::Active, Some(place)).await;

    let results = upload(&bench, &admin, &[row("colleague", &json!({"team_ids": [teams[1]]}))]).await;

    assert_eq!(outcomes(&results), ["already_registered"]);
}

#[tokio::test]
async fn only_rows_into_their_own_teams_are_carried_out() {
    let (bench, _) = portal().await;
    let (acme, teams, admin) = acme(&bench).await;
    let rows = [
        row("a", &json!({"team_ids": [teams[2]]})),
        row("b", &json!({"team_ids": [teams[1]], "organisation_id": acme})),
        row("c", &json!({"team_ids": [teams[1]], "role": "api_owner"})),
        row("d", &json!({})),
        row("e", &json!({"team_ids": [teams[1]]})),
    ];

    let results = upload(&bench, &admin, &rows).await;

    assert_eq!(outcomes(&results), ["invalid", "invalid", "invalid", "invalid", "invited"]);
    let pointers: Vec<&Value> = results.iter().map(|result| &result["problem"]["errors"][0]["pointer"]).collect();
    assert_eq!(
        pointers,
        ["/team_ids", "/organisation_id", "/role", "/team_ids"]
            .map(|it| json!(it))
            .iter()
            .chain([&Value::Null])
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn their_uploads_can_be_switched_off() {
    let (bench, _) = portal().await;
    let (_, _, admin) = acme(&bench).await;
    bench.set(|settings| settings.consumer_admin_invitations = false).await;

    let refused = send(&bench, sample(&admin, &[])).await;

    assert_eq!((refused.status, refused.problem()), (403, "invitations-closed"));
}

#[tokio::test]
async fn where_strangers_meet_nobody_uploads() {
    let (bench, _) = portal().await;
    let stranger = bench.signed_in("stranger@example.com", Role::ConsumerAdmin).await;

    let refused = send(&bench, Sample::of("invite-bulk").by(&stranger)).await;

    assert_eq!(refused.status, 403);
}
