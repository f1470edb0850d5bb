//! `GET /v1/organisations/{id}`: one organisation.

use axum::{Json, extract::State};
use shared::{
    domain::ids::OrganisationId,
    http::{ETag, PathId, Problem, Session},
};

use crate::{
    App,
    body::{OrganisationBody, open},
};

/// Shows one organisation.
#[utoipa::path(
    get, path = "/v1/organisations/{id}",
    params(("id" = OrganisationId, Path, description = "The organisation.")),
    responses(
        (status = 200, description = "The organisation.", body = OrganisationBody,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
) -> Result<(ETag, Json<OrganisationBody>), Problem> {
    let (_, organisation) = open(&app, &session, &id).await?;
    Ok(OrganisationBody::tagged(organisation))
}

#[cfg(test)]
mod tests {
    use harness::Sample;
    use serde_json::json;
    use shared::domain::ids::OrganisationId;

    use crate::{
        body::tests::{app, portal, send},
        router,
    };

    #[tokio::test]
    async fn the_default_organisation_is_there_from_the_start() {
        let (bench, owner) = portal().await;
        let id = OrganisationId::default_organisation();

        let reply = send(&bench, Sample::of("organisations-read").by(&owner).id(&id)).await;

        assert_eq!(reply.status, 200);
        let shown = json!({
            "id": id, "name": "Default Organisation", "default": true,
            "created_at": "2026-01-15T09:30:00.000Z", "updated_at": "2026-01-15T09:30:00.000Z",
        });
        assert_eq!(reply.body, shown);
    }

    #[tokio::test]
    async fn reading_takes_one_call() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let sample = Sample::of("organisations-read").by(&owner).id(&acme);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!((reply.status, &reply.body["name"]), (200, &json!("Acme")));
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem"]);
    }
}
