//! `POST /v1/organisations`: an API Owner creates an organisation, with its default team.

use axum::{extract::State, response::IntoResponse};
use http::{StatusCode, header};
use shared::{
    domain::{
        audit::Actor,
        name::Name,
        rights::{Action, decide},
    },
    http::{Fields, FromFields, Payload, Problem, RequestId, Session, admit, text},
};

use crate::{
    App,
    body::{OrganisationBody, location},
};

/// How it is called.
#[derive(Debug)]
pub struct Create {
    name: Name,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { name: fields.required("name", text(Name::parse))? })
    }
}

/// Creates an organisation. Names need not be unique: ids tell organisations apart.
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    payload: Payload,
) -> Result<impl IntoResponse, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ManageOrganisations)?;
    let body: Create = payload.read()?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    let organisation = app.store.create_organisation(body.name, &origin).await?;
    let location = location(&format!("/v1/organisations/{}", organisation.id))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], OrganisationBody::tagged(organisation)))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Reply, Sample, SignedIn, write_units};
    use serde_json::{Value, json};

    use crate::{
        body::tests::{app, names, organisation, portal, send},
        router,
    };

    async fn create(bench: &Bench, owner: &SignedIn, body: &Value) -> Reply {
        send(bench, Sample::of("organisations-create").by(owner).body(body)).await
    }

    #[tokio::test]
    async fn an_organisation_is_created_with_its_default_team() {
        let (bench, owner) = portal().await;

        let reply = create(&bench, &owner, &json!({"name": " Acme "})).await;

        let id = reply.body["id"].as_str().unwrap();
        let now = format!("{:.3}", bench.now());
        let shown = json!({"id": id, "name": "Acme", "default": false, "created_at": now, "updated_at": now});
        assert_eq!((reply.status, &reply.body), (201, &shown));
        assert_eq!(reply.headers["location"], format!("/v1/organisations/{id}"));
        assert_eq!(reply.headers["etag"], "\"1\"");
        assert_eq!(send(&bench, Sample::of("organisations-read").by(&owner).id(id)).await.body, shown);
        let teams = send(&bench, Sample::of("organisations-list-teams").by(&owner).id(id)).await;
        assert_eq!(names(&teams), ["Default team"]);
        assert_eq!(teams.body["items"][0]["default"], json!(true));
    }

    #[tokio::test]
    async fn the_audit_names_what_was_created_and_keeps_no_name() {
        let (bench, owner) = portal().await;

        let acme = organisation(&bench, &owner, "Acme").await;

        let events = bench.rows_in("AUDIT#").await;
        let event = events.iter().find(|event| event["action"] == "organisation.created").unwrap();
        assert_eq!((&event["target"], &event["actor"]["user"]), (&acme["id"], &json!(owner.user.id)));
        assert_eq!(event["changed"], json!(["name", "default_team_id"]));
        assert!(!event.to_string().contains("Acme"), "{event}");
    }

    #[tokio::test]
    async fn a_creation_takes_the_caller_and_one_transaction_of_six_units() {
        let (bench, owner) = portal().await;

        let sample = Sample::of("organisations-create").by(&owner);
        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.status, 201);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!(write_units(&calls), 6);
    }

    #[tokio::test]
    async fn every_fault_of_the_body_is_named() {
        let (bench, owner) = portal().await;
        for (body, faults) in [
            (json!({}), vec![("/name", "required")]),
            (json!({"name": ""}), vec![("/name", "invalid_name")]),
            (json!({"name": "x".repeat(101)}), vec![("/name", "invalid_name")]),
            (json!({"name": 7, "colour": "red"}), vec![("/name", "not_a_string"), ("/colour", "unknown_field")]),
        ] {
            let reply = create(&bench, &owner, &body).await;
            assert_eq!((reply.status, reply.faults()), (422, faults), "{body}");
        }
        assert_eq!(bench.rows_in("ORG#").await.len(), 1);
    }

    #[tokio::test]
    async fn two_organisations_of_one_name_are_two() {
        let (bench, owner) = portal().await;

        let (one, other) = (organisation(&bench, &owner, "Acme").await, organisation(&bench, &owner, "Acme").await);

        assert_ne!(one["id"], other["id"]);
    }

    #[tokio::test]
    async fn a_lost_answer_creates_one_organisation() {
        let (bench, owner) = portal().await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

        organisation(&bench, &owner, "Acme").await;

        assert_eq!(bench.rows_in("ORG#").await.len(), 2);
        assert_eq!(bench.services.calls().outstanding(), 0);
    }

    #[tokio::test]
    async fn a_failure_leaves_nothing_behind() {
        let (bench, owner) = portal().await;
        let before = bench.rows().await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::refused("AccessDeniedException", "no"));
        let failed = create(&bench, &owner, &json!({"name": "Acme"})).await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::throttled().times(3));
        let busy = create(&bench, &owner, &json!({"name": "Acme"})).await;

        assert_eq!((failed.status, failed.problem()), (500, "internal"));
        assert_eq!((busy.status, busy.problem()), (503, "try-again"));
        assert_eq!(bench.rows().await, before);
    }
}
