//! `POST /v1/organisations/{id}/teams`: an API Owner creates a team.

use axum::extract::State;
use shared::{
    domain::{audit::Actor, ids::OrganisationId, name::Name, organisation::Organisation},
    http::{Created, Fields, FromFields, IdempotencyKey, PathId, Payload, Problem, RequestId, Session, recall, text},
    store::TeamCreation,
};
use utoipa::ToSchema;

use crate::{
    App,
    body::{TeamBody, open_once},
};

/// The team to be.
#[derive(Debug, ToSchema)]
#[schema(as = CreateTeam)]
pub struct CreateTeam {
    /// Its name; it need not be the only one.
    name: Name,
}

impl FromFields for CreateTeam {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { name: fields.required("name", text(Name::parse))? })
    }
}

/// Why no team is created.
#[derive(Debug)]
pub enum CreateTeamError {
    /// There is no such organisation.
    NoSuchOrganisation,
}

impl From<CreateTeamError> for Problem {
    fn from(error: CreateTeamError) -> Self {
        match error {
            CreateTeamError::NoSuchOrganisation => Self::not_found(),
        }
    }
}

/// Creates a team.
// Whether its organisation is there is decided in the write.
#[utoipa::path(
    post, path = "/v1/organisations/{id}/teams",
    params(("id" = OrganisationId, Path, description = "The organisation."), IdempotencyKey), request_body = CreateTeam,
    responses(
        (status = 201, description = "The team.", body = TeamBody,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<TeamBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let (caller, Organisation { id, .. }, record) = open_once(&app, &session, &id, wish.sought()).await?;
    let origin = request.origin(Actor::User(caller.id), now).repeatable(wish.granted()?);
    let creation = match record {
        Some(record) => TeamCreation::Repeated(record),
        None => app.store.create_team(&id, payload.read::<CreateTeam>()?.name, &origin).await?,
    };
    let (team, replayed) = match creation {
        TeamCreation::Created(team) => (team, false),
        TeamCreation::NoSuchOrganisation => return Err(CreateTeamError::NoSuchOrganisation.into()),
        TeamCreation::Repeated(record) => (recall(&app.store, record, &origin).await?, true),
    };
    let location = format!("/v1/organisations/{id}/teams/{}", team.id);
    // The default team was created with the organisation.
    let version = team.version;
    Ok(Created::at(location, TeamBody::new(team, false)).version(version).replayed(replayed))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Creating, Fault, Reply, Sample, SignedIn, write_units};
    use serde_json::{Value, json};
    use shared::domain::{
        ids::{OrganisationId, TeamId},
        organisation::Placement,
        user::{Role, Status},
    };

    use crate::{
        body::tests::{app, names, organisation, portal, send},
        router,
    };

    async fn create(bench: &Bench, owner: &SignedIn, id: &str, body: &Value) -> Reply {
        send(bench, Sample::of("organisations-create-team").by(owner).id(id).body(body)).await
    }

    #[tokio::test]
    async fn a_team_is_created_in_its_organisation() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let id = acme["id"].as_str().unwrap();

        let reply = create(&bench, &owner, id, &json!({"name": "Mobile"})).await;

        let team = reply.body["id"].as_str().unwrap();
        let now = format!("{:.3}", bench.now());
        let shown = json!({
            "id": team, "organisation_id": id, "name": "Mobile", "default": false, "created_at": now, "updated_at": now,
        });
        assert_eq!((reply.status, &reply.body), (201, &shown));
        assert_eq!(reply.headers["location"], format!("/v1/organisations/{id}/teams/{team}"));
        assert_eq!(reply.headers["etag"], "\"1\"");
        let list = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(id)).await;
        assert_eq!(names(&list), ["Default team", "Mobile"]);
        assert_eq!(list.body["items"][1], shown);
    }

    #[tokio::test]
    async fn people_can_be_placed_in_a_team_at_once() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let id = acme["id"].as_str().unwrap();
        let team = create(&bench, &owner, id, &json!({"name": "Mobile"})).await.body;

        let place = Placement {
            organisation_id: OrganisationId::parse(id).unwrap(),
            team_ids: vec![TeamId::parse(team["id"].as_str().unwrap()).unwrap()],
        };
        let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Active, Some(place.clone())).await;

        assert_eq!(ada.team_ids, place.team_ids);
    }

    #[tokio::test]
    async fn the_default_organisation_takes_teams_too() {
        let (bench, owner) = portal().await;
        let id = OrganisationId::default_organisation();

        assert_eq!(create(&bench, &owner, id.as_str(), &json!({"name": "Guests"})).await.status, 201);

        let list = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(&id)).await;
        assert_eq!(names(&list), ["Default team", "Guests"]);
    }

    #[tokio::test]
    async fn an_organisation_that_goes_before_the_write_gets_no_team() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let gone = bench.discard(&format!("ORG#{acme}"), "ORG");
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", gone);

        let reply = create(&bench, &owner, acme.as_str(), &json!({"name": "Late"})).await;

        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        assert!(bench.rows_in("TEAM#").await.iter().all(|row| row["name"] != "Late"));
    }

    #[tokio::test]
    async fn a_creation_takes_the_caller_and_one_transaction_of_eight_units() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let sample = Sample::of("organisations-create-team").by(&owner).id(&acme);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.status, 201);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!(write_units(&calls), 8);
        let events = bench.rows_in("AUDIT#").await;
        let event = events.iter().find(|event| event["action"] == "team.created").unwrap();
        assert_eq!((&event["target"], &event["after"]), (&reply.body["id"], &json!({"organisation_id": acme})));
    }

    #[tokio::test]
    async fn a_repeat_with_an_idempotency_key_creates_no_second_one() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let ask = |number| {
            let body = json!({"name": format!("Team {number}")});
            Sample::of("organisations-create-team").by(&owner).id(&acme).body(&body)
        };

        Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 201 }.is_repeatable().await;
    }

    #[tokio::test]
    async fn the_same_team_in_another_organisation_is_another_request() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let (other, _) = bench.organisation("Other", 0).await;
        let ask = |id| {
            let sample = Sample::of("organisations-create-team").by(&owner).id(id);
            sample.header("idempotency-key", "the-same")
        };

        let (first, second) = (send(&bench, ask(&acme)).await, send(&bench, ask(&other)).await);

        assert_eq!((first.status, second.status, second.problem()), (201, 422, "idempotency-key-reused"));
    }

    #[tokio::test]
    async fn a_lost_answer_creates_one_team_and_a_failure_none() {
        let (bench, owner) = portal().await;
        let id = OrganisationId::default_organisation().to_string();
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
        let done = create(&bench, &owner, &id, &json!({"name": "Guests"})).await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
        let failed = create(&bench, &owner, &id, &json!({"name": "Others"})).await;
        let faulty = create(&bench, &owner, &id, &json!({"name": "\n"})).await;

        assert_eq!((done.status, failed.status), (201, 500));
        assert_eq!((faulty.status, faulty.faults()), (422, vec![("/name", "invalid_name")]));
        let list = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(&id)).await;
        assert_eq!(names(&list), ["Default team", "Guests"]);
    }
}
