//! What happens while a team is being deleted: nobody is ever left in it.

use harness::{Bench, Sample};
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{
    domain::{
        link::PlainToken,
        organisation::Placement,
        user::{Role, Source, Start, Status},
    },
    store::{Acceptance, Claim, Creation},
};

use super::tests::delete;
use crate::{
    body::tests::{portal, send},
    delete::tests::{at, delete as delete_organisation, invite, left_of, newcomer},
};

fn before_step(bench: &Bench, number: usize, step: impl Future<Output = ()> + Send + 'static) {
    for _ in 0..number {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", step);
}

#[tokio::test]
async fn whoever_is_put_into_it_meanwhile_is_refused_or_leaves_with_the_others() {
    for step in 0..3 {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        bench.person_at("grace@example.com", Role::TeamMember, Status::Active, Some(at(&acme, &teams[1..]))).await;
        let (store, origin, place) = (bench.store.clone(), bench.origin(), at(&acme, &teams[1..]));
        before_step(&bench, step, async move {
            let new = newcomer("ada@example.com", place, Source::ApiOwner, Start::Becoming(Status::Active));
            let creation = store.begin_creation(new, &origin).await.unwrap();
            assert_eq!(matches!(creation, Creation::Begun(_)), step == 0, "{creation:?}");
        });

        let reply = delete(&bench, &owner, &acme, &teams[1]).await;

        assert_eq!(reply.status, 204, "{step}");
        assert_eq!(left_of(&bench, &acme, &teams[1..]).await.len(), 1, "only the organisation's own row");
        bench.everybody_placed().await;
    }
}

#[tokio::test]
async fn an_acceptance_at_the_same_moment_wins_and_leaves_with_the_others_or_finds_its_link_void() {
    for step in 0..2 {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        let invitation = invite(&bench, "ada@example.com", at(&acme, &teams[1..])).await;
        let token = PlainToken::parse(&bench.token("ada@example.com").await).unwrap().hashed();
        let (store, origin, person) = (bench.store.clone(), bench.origin(), invitation.user_id.clone());
        before_step(&bench, step, async move {
            let link = store.link_facts(&token).await.unwrap().link.unwrap();
            let claim = store.claim(&link, Status::Invited, origin.now).await.unwrap();
            let Claim::Yours(claimed) = claim else { panic!("{claim:?}") };
            let accepted = store.accept_invitation(&token, &claimed, &claimed, &origin).await.unwrap();
            assert_eq!(accepted, if step == 0 { Acceptance::Done } else { Acceptance::Void });
            assert!(store.opened_invitation(&token, origin.now).await.unwrap().is_none());
        });

        let reply = delete(&bench, &owner, &acme, &teams[1]).await;

        assert_eq!(reply.status, 204, "{step}: {reply:?}");
        let person = bench.store.person(&person).await.unwrap();
        let expected = (step == 0).then(|| (Status::Active, teams[..1].to_vec()));
        assert_eq!(person.map(|person| (person.status, person.team_ids)), expected);
        bench.everybody_placed().await;
    }
}

#[tokio::test]
async fn a_deletion_that_is_cut_off_keeps_what_remains_and_a_repeat_finishes_it() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.crowd(&at(&acme, &teams[1..]), 60).await;
    let clock = bench.clock.clone();
    before_step(&bench, 20, async move { clock.advance(SignedDuration::from_secs(12)) });

    let cut_off = delete(&bench, &owner, &acme, &teams[1]).await;
    let list = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(&acme)).await;
    let renamed = Sample::of("organisations-change-team").by(&owner).id(&acme).team(&teams[1]);
    let renamed = send(&bench, renamed.body(&json!({"name": "Late"}))).await;
    let repeated = delete(&bench, &owner, &acme, &teams[1]).await;

    assert_eq!((cut_off.status, cut_off.problem(), &cut_off.headers["retry-after"]), (503, "try-again", &json!("1")));
    assert_eq!((list.body["items"].as_array().map(Vec::len), renamed.status), (Some(1), 404));
    assert_eq!(repeated.status, 204);
    let people = bench.everybody_placed().await;
    let placed = people.iter().filter(|person| person.team_ids == teams[..1]).count();
    assert_eq!((placed, left_of(&bench, &acme, &teams[1..]).await.len()), (60, 1));
}

#[tokio::test]
async fn the_organisation_that_goes_at_the_same_moment_takes_everybody_along() {
    for step in 0..4 {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 2).await;
        bench.crowd(&at(&acme, &teams[1..]), 3).await;
        let (store, origin, id) = (bench.store.clone(), bench.origin(), acme.clone());
        before_step(&bench, step, async move {
            let nobody = shared::domain::ids::UserId::new(origin.now, 0);
            let organisation = store.caller_and_organisation(&nobody, &id).await.unwrap().1.unwrap();
            drop(store.mark_organisation_deleting(&organisation, &origin).await.unwrap());
        });

        let reply = delete(&bench, &owner, &acme, &teams[1]).await;
        let last = delete_organisation(&bench, &owner, &acme).await;

        assert_eq!((reply.status, last.status), (204, 204), "{step}");
        assert_eq!(left_of(&bench, &acme, &teams).await, Vec::<Value>::new(), "{step}");
        let people = bench.everybody_placed().await;
        let moved = people.iter().filter(|person| person.team_ids == Placement::default_place().team_ids).count();
        assert_eq!(moved, 3);
    }
}

#[tokio::test]
async fn two_deletions_at_once_both_end_and_everybody_leaves_once() {
    let (bench, owner) = portal().await;
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.crowd(&at(&acme, &teams[1..]), 30).await;

    let (one, other) = tokio::join!(delete(&bench, &owner, &acme, &teams[1]), delete(&bench, &owner, &acme, &teams[1]));

    for reply in [one, other] {
        assert!([204, 404, 503].contains(&reply.status), "{reply:?}");
    }
    assert!([204, 404].contains(&delete(&bench, &owner, &acme, &teams[1]).await.status));
    bench.everybody_placed().await;
    let moved = bench.rows_in("AUDIT#").await.into_iter().filter(|event| event["action"] == "user.moved").count();
    assert_eq!(moved, 30);
}
