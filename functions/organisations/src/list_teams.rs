//! `GET /v1/organisations/{id}/teams`: an organisation's teams, in the order in which they were created.

use axum::extract::State;
use shared::{
    domain::ids::OrganisationId,
    http::{PageBody, Paging, Parameters, PathId, Problem, Session},
};

use crate::{
    App,
    body::{TeamBody, open},
};

/// Lists the teams of an organisation, its default team first.
#[utoipa::path(
    get, path = "/v1/organisations/{id}/teams",
    params(("id" = OrganisationId, Path, description = "The organisation."), Paging),
    responses(
        (status = 200, description = "A page.", body = PageBody<TeamBody>),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<PageBody<TeamBody>, Problem> {
    let (_, organisation) = open(&app, &session, &id).await?;
    let listing = parameters.listing(&format!("teams of {}", organisation.id))?;
    let listed = app.store.teams_of(&organisation.id, listing.after.as_deref(), listing.limit).await?;
    let teams = listed.rows.into_iter().map(|team| {
        let default = organisation.has_as_default(&team);
        TeamBody::new(team, default)
    });
    Ok(listing.page(teams.collect(), listed.next))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::json;
    use shared::domain::ids::OrganisationId;

    use crate::{
        body::tests::{app, names, organisation, portal, send},
        router,
    };

    async fn list(bench: &Bench, owner: &SignedIn, id: &str, query: &str) -> Reply {
        send(bench, Sample::of("organisations-list-teams").by(owner).id(id).query(query)).await
    }

    #[tokio::test]
    async fn the_default_team_of_the_default_organisation_is_listed() {
        let (bench, owner) = portal().await;

        let reply = list(&bench, &owner, OrganisationId::default_organisation().as_str(), "").await;

        assert_eq!(names(&reply), ["Default team"]);
        assert_eq!(reply.body["items"][0]["default"], json!(true));
    }

    #[tokio::test]
    async fn only_the_organisations_own_teams_are_listed_page_by_page() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let id = acme["id"].as_str().unwrap();
        let (other, _) = bench.organisation("Other", 2).await;
        for number in 0..4 {
            let body = json!({"name": format!("Team {number}")});
            send(&bench, Sample::of("organisations-create-team").by(&owner).id(id).body(&body)).await;
        }

        let first = list(&bench, &owner, id, "limit=3").await;
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let second = list(&bench, &owner, id, &format!("limit=3&cursor={cursor}")).await;
        let elsewhere = list(&bench, &owner, other.as_str(), &format!("cursor={cursor}")).await;

        assert_eq!(names(&first), ["Default team", "Team 0", "Team 1"]);
        assert_eq!(names(&second), ["Team 2", "Team 3"]);
        assert!(second.body["next_cursor"].is_null());
        assert_eq!((elsewhere.status, elsewhere.faults()), (422, vec![("/cursor", "invalid_cursor")]));
    }

    #[tokio::test]
    async fn a_page_takes_the_caller_with_the_organisation_one_query_and_one_batch() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 24).await;
        let sample = Sample::of("organisations-list-teams").by(&owner).id(&acme).query("");

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(names(&reply).len(), 25);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.Query", "DynamoDB.BatchGetItem"]);
    }

    #[tokio::test]
    async fn a_team_that_went_since_the_query_is_not_shown() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        let delete = bench.discard(&format!("TEAM#{}", teams[0]), "TEAM");
        let calls = bench.services.calls();
        calls.before_next("DynamoDB.BatchGetItem", async {});
        calls.before_next("DynamoDB.BatchGetItem", delete);

        let reply = list(&bench, &owner, acme.as_str(), "").await;

        assert_eq!(names(&reply), ["Acme team 1"]);
    }
}
