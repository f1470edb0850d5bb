use harness::{Bench, Fault};
use shared::{
    domain::{
        ids::{OrganisationId, TeamId, UserId},
        organisation::{Organisation, Placement},
    },
    store::Marking,
};

use super::{
    super::{
        Report, handle,
        tests::{MILLISECOND, app, sweep, unfinished},
    },
    *,
};

async fn read(bench: &Bench, id: &OrganisationId) -> Organisation {
    let nobody = UserId::new(bench.now(), 0);
    bench.store.caller_and_organisation(&nobody, id).await.unwrap().1.unwrap()
}

/// An organisation with `people`, marked by a request that got no further.
async fn marked(bench: &Bench, people: usize) -> (OrganisationId, Vec<TeamId>) {
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.crowd(&Placement { organisation_id: acme.clone(), team_ids: teams.clone() }, people).await;
    let organisation = read(bench, &acme).await;
    let marked = bench.store.mark_organisation_deleting(&organisation, &bench.origin()).await.unwrap();
    assert!(matches!(marked, Marking::Done));
    (acme, teams)
}

/// A team with `people` whose row is gone, and nothing more.
async fn deleted(bench: &Bench, people: usize) -> (OrganisationId, Vec<TeamId>) {
    let (acme, teams) = bench.organisation("Acme", 1).await;
    bench.crowd(&Placement { organisation_id: acme.clone(), team_ids: teams[1..].to_vec() }, people).await;
    let nobody = UserId::new(bench.now(), 0);
    let team = bench.store.caller_and_team(&nobody, &acme, &teams[1]).await.unwrap().2.unwrap();
    assert!(matches!(bench.store.delete_team(&team, &bench.origin()).await.unwrap(), Marking::Done));
    (acme, teams)
}

#[tokio::test]
async fn an_organisation_whose_request_never_came_back_is_finished_after_a_minute() {
    let bench = Bench::new().await;
    let (acme, teams) = marked(&bench, 250).await;
    bench.advance(LEFT_ALONE);
    assert_eq!(sweep(&bench).await, Report::default());

    bench.advance(MILLISECOND);
    assert_eq!(sweep(&bench).await, Report { organisations_deleted: 1, ..Report::default() });

    assert!(bench.rows_in(&format!("ORG#{acme}")).await.is_empty());
    for team in &teams {
        assert!(bench.rows_in(&format!("TEAM#{team}")).await.is_empty());
    }
    let people = bench.everybody_placed().await;
    assert!(people.iter().all(|person| person.team_ids == [TeamId::default_team()]));
    assert_eq!((people.len(), sweep(&bench).await), (250, Report::default()));
}

#[tokio::test]
async fn a_team_whose_request_never_came_back_is_finished_after_a_minute() {
    let bench = Bench::new().await;
    let (_, teams) = deleted(&bench, 120).await;
    bench.advance(LEFT_ALONE + MILLISECOND);

    assert_eq!(sweep(&bench).await, Report { teams_deleted: 1, ..Report::default() });

    let people = bench.everybody_placed().await;
    assert!(people.iter().all(|person| person.team_ids == teams[..1]));
    assert_eq!((people.len(), sweep(&bench).await), (120, Report::default()));
}

#[tokio::test]
async fn a_run_whose_time_is_up_leaves_the_rest_to_the_next() {
    let bench = Bench::new().await;
    marked(&bench, 60).await;
    bench.advance(LEFT_ALONE + MILLISECOND);
    for _ in 0..30 {
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", async {});
    }
    let clock = bench.clock.clone();
    let pass = async move { clock.advance(SignedDuration::from_secs(45)) };
    bench.services.calls().before_next("DynamoDB.TransactWriteItems", pass);

    let cut_off = handle(&app(&bench), Some(bench.now() + SignedDuration::from_secs(45))).await.unwrap();
    let moved = bench.rows_in("AUDIT#").await.iter().filter(|event| event["action"] == "user.moved").count();

    assert_eq!(cut_off, Report::default());
    assert!((20..60).contains(&moved), "{moved}");
    assert_eq!(sweep(&bench).await, Report { organisations_deleted: 1, ..Report::default() });
    bench.everybody_placed().await;
}

#[tokio::test]
async fn what_fails_keeps_nobody_else_waiting_and_is_tried_again() {
    let bench = Bench::new().await;
    marked(&bench, 3).await;
    let (acme, teams) = deleted(&bench, 1).await;
    bench.advance(LEFT_ALONE + MILLISECOND);
    bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));

    let report = unfinished(handle(&app(&bench), None).await);

    assert_eq!(report, Report { teams_deleted: 1, failures: 1, ..Report::default() });
    assert_eq!(sweep(&bench).await, Report { organisations_deleted: 1, ..Report::default() });
    let people = bench.everybody_placed().await;
    let stay = people.iter().filter(|person| person.organisation_id.as_ref() == Some(&acme)).collect::<Vec<_>>();
    assert_eq!((stay.len(), &stay[0].team_ids), (1, &teams[..1].to_vec()));
}

#[tokio::test]
async fn two_sweeps_at_once_move_everybody_once() {
    let bench = Bench::new().await;
    marked(&bench, 40).await;
    bench.advance(LEFT_ALONE + MILLISECOND);

    let app = app(&bench);
    // Either may find that it is overtaken all the time, and leave the end to the next.
    let _ = tokio::join!(handle(&app, None), handle(&app, None));
    handle(&app, None).await.unwrap();

    let events = bench.rows_in("AUDIT#").await;
    assert_eq!(events.iter().filter(|event| event["action"] == "user.moved").count(), 40);
    bench.everybody_placed().await;
}
