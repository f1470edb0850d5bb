//! `PATCH /v1/organisations/{id}/teams/{team_id}`: another name for a team, a default team too.

use axum::{Json, extract::State};
use shared::{
    domain::{
        audit::Actor,
        ids::{OrganisationId, TeamId},
    },
    http::{ETag, IfMatch, PathIds, Payload, Problem, RequestId, Session},
    store::Renaming,
};

use crate::{
    App,
    body::{MAX_TRIES, Rename, RenameError, TeamBody, open_team},
};

/// Renames a team. Two changes at once are made one after the other, unless the caller names the version to start from.
#[utoipa::path(
    patch, path = "/v1/organisations/{id}/teams/{team_id}",
    params(
        ("id" = OrganisationId, Path, description = "The organisation."),
        ("team_id" = TeamId, Path, description = "The team."),
        IfMatch,
    ), request_body = Rename,
    responses(
        (status = 200, description = "The team as it stands now.", body = TeamBody),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    path: PathIds,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<TeamBody>), Problem> {
    let (caller, organisation, mut before) = open_team(&app, &session, &path).await?;
    let Rename { name } = payload.read()?;
    let default = organisation.has_as_default(&before);
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(before.version) {
            return Err(RenameError::VersionMismatch.into());
        }
        let after = before.renamed(name.clone().unwrap_or_else(|| before.name.clone()), origin.now);
        if after == before {
            return Ok(TeamBody::tagged(after, default));
        }
        match app.store.rename_team(&before, &after, &origin).await? {
            Renaming::Done => return Ok(TeamBody::tagged(after, default)),
            Renaming::Overtaken(now) => before = *now,
            Renaming::Gone => return Err(RenameError::Gone.into()),
        }
    }
    Err(RenameError::Overtaken.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn, write_units};
    use serde_json::{Value, json};
    use shared::domain::ids::{OrganisationId, TeamId};

    use crate::{
        body::tests::{app, names, portal, rename_team, send},
        router,
    };

    fn ask(owner: &SignedIn, organisation: &OrganisationId, team: &TeamId, body: &Value) -> Sample {
        Sample::of("organisations-change-team").by(owner).id(organisation).team(team).body(body)
    }

    async fn change(
        bench: &Bench,
        owner: &SignedIn,
        (organisation, team): (&OrganisationId, &TeamId),
        body: &Value,
    ) -> Reply {
        send(bench, ask(owner, organisation, team, body)).await
    }

    #[tokio::test]
    async fn a_team_gets_another_name_and_keeps_the_rest() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        let created = format!("{:.3}", bench.now());

        let reply = change(&bench, &owner, (&acme, &teams[1]), &json!({"name": " Mobile "})).await;

        let shown = json!({
            "id": teams[1], "organisation_id": acme, "name": "Mobile", "default": false,
            "created_at": created, "updated_at": format!("{:.3}", bench.now()),
        });
        assert_eq!((reply.status, &reply.body, &reply.headers["etag"]), (200, &shown, &json!("\"2\"")));
        let list = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(&acme)).await;
        assert!(names(&list).contains(&"Mobile") && names(&list).contains(&"Acme team 0"));
        let events = bench.rows_in("AUDIT#").await;
        let event = events.iter().find(|event| event["action"] == "team.renamed").unwrap();
        assert_eq!((&event["target"], &event["changed"]), (&json!(teams[1]), &json!(["name"])));
    }

    #[tokio::test]
    async fn default_teams_are_renamed_too() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 0).await;

        for place in [(&OrganisationId::default_organisation(), &TeamId::default_team()), (&acme, &teams[0])] {
            let reply = change(&bench, &owner, place, &json!({"name": "Newcomers"})).await;
            assert_eq!((reply.status, &reply.body["default"]), (200, &json!(true)));
            assert_eq!(reply.body["name"], "Newcomers");
        }
    }

    #[tokio::test]
    async fn a_team_of_another_organisation_and_one_that_is_not_there_are_not_found() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 1).await;
        let (_, others) = bench.organisation("Other", 1).await;
        let body = json!({"name": "Mobile"});
        let before = bench.rows().await;

        let foreign = change(&bench, &owner, (&acme, &others[1]), &body).await;
        let unknown = change(&bench, &owner, (&acme, &TeamId::new(bench.now(), 7)), &body).await;
        let sample = Sample::of("organisations-change-team").by(&owner).id(&acme).team("junk");
        let junk = send(&bench, sample.body(&body)).await;

        for reply in [foreign, unknown, junk] {
            assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        }
        assert_eq!(bench.rows().await, before);
    }

    #[tokio::test]
    async fn a_change_is_held_to_its_version_and_to_its_body() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        let held = |tag: &str, body: Value| ask(&owner, &acme, &teams[1], &body).header("if-match", tag);

        let first = send(&bench, held("\"1\"", json!({"name": "Mobile"}))).await;
        let second = send(&bench, held("\"1\"", json!({"name": "Desk"}))).await;
        let same = send(&bench, held("\"2\"", json!({"name": "Mobile"}))).await;
        let faulty = send(&bench, held("*", json!({"name": null}))).await;

        assert_eq!((first.status, second.status, second.problem()), (200, 412, "version-mismatch"));
        assert_eq!((same.status, &same.headers["etag"]), (200, &json!("\"2\"")));
        assert_eq!((faulty.status, faulty.faults()), (422, vec![("/name", "required")]));
    }

    #[tokio::test]
    async fn a_change_takes_one_batch_and_a_transaction_of_four_units() {
        let (bench, owner) = portal().await;
        let sample = Sample::of("organisations-change-team").by(&owner);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.status, 200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!(write_units(&calls), 4);
    }

    #[tokio::test]
    async fn two_changes_at_once_are_made_one_after_the_other_and_a_team_that_goes_is_not_found() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 2).await;
        bench
            .services
            .calls()
            .before_next("DynamoDB.TransactWriteItems", rename_team(&bench, &acme, &teams[1], "Desk"));
        let merged = change(&bench, &owner, (&acme, &teams[1]), &json!({"name": "Mobile"})).await;
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", bench.erase_team(&teams[2]));
        let late = change(&bench, &owner, (&acme, &teams[2]), &json!({"name": "Late"})).await;

        assert_eq!((merged.status, &merged.headers["etag"]), (200, &json!("\"3\"")));
        assert_eq!((late.status, late.problem()), (404, "not-found"));
        assert!(bench.rows_in("TEAM#").await.iter().all(|row| row["name"] != "Late"));
    }
}
