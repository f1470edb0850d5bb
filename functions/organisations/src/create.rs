//! `POST /v1/organisations`: an API Owner creates an organisation, with its default team.

use axum::extract::State;
use shared::{
    domain::{
        audit::Actor,
        name::Name,
        rights::{Action, decide},
    },
    http::{Created, Fields, FromFields, IdempotencyKey, Payload, Problem, RequestId, Session, admit, recall, text},
    store::OrganisationCreation,
};
use utoipa::ToSchema;

use crate::{App, body::OrganisationBody};

/// The organisation to be.
#[derive(Debug, ToSchema)]
#[schema(as = CreateOrganisation)]
pub struct Create {
    /// Its name; it need not be the only one.
    name: Name,
}

impl FromFields for Create {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { name: fields.required("name", text(Name::parse))? })
    }
}

/// Creates an organisation. Names need not be unique: ids tell organisations apart.
#[utoipa::path(
    post, path = "/v1/organisations",
    params(IdempotencyKey), request_body = Create,
    responses(
        (status = 201, description = "The organisation.", body = OrganisationBody,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn create(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    key: IdempotencyKey,
    payload: Payload,
) -> Result<Created<OrganisationBody>, Problem> {
    let now = app.clock.now();
    let wish = key.of_user(&session.user_id, &payload, now);
    let (caller, record) = app.store.caller_and_record(&session.user_id, wish.sought()).await?;
    let caller = admit(&session, caller)?;
    decide(&caller, Action::ManageOrganisations)?;
    let origin = request.origin(Actor::User(caller.id), now).repeatable(wish.granted()?);
    let creation = match record {
        Some(record) => OrganisationCreation::Repeated(record),
        None => app.store.create_organisation(payload.read::<Create>()?.name, &origin).await?,
    };
    let (organisation, replayed) = match creation {
        OrganisationCreation::Created(organisation) => (organisation, false),
        OrganisationCreation::Repeated(record) => (recall(&app.store, record, &origin).await?, true),
    };
    let location = format!("/v1/organisations/{}", organisation.id);
    let version = organisation.version;
    Ok(Created::at(location, OrganisationBody::from(organisation)).version(version).replayed(replayed))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Creating, Fault, Reply, Sample, SignedIn, write_units};
    use serde_json::{Value, json};
    use shared::domain::user::Role;

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
    async fn a_repeat_with_an_idempotency_key_creates_no_second_one() {
        let (bench, owner) = portal().await;
        let ask = |number| {
            let body = json!({"name": format!("Organisation {number}")});
            Sample::of("organisations-create").by(&owner).body(&body)
        };

        Creating { bench: &bench, router: || router(app(&bench)), ask, anew: 201 }.is_repeatable().await;
    }

    #[tokio::test]
    async fn a_key_is_its_callers_own_and_no_reason_to_let_anybody_in() {
        let (bench, owner) = portal().await;
        let (other, member) = (
            bench.signed_in("other@example.com", Role::ApiOwner).await,
            bench.signed_in("ada@example.com", Role::TeamMember).await,
        );
        let ask = |caller| Sample::of("organisations-create").by(caller).header("idempotency-key", "the-same");
        let first = send(&bench, ask(&owner)).await;

        let (another, refused) = (send(&bench, ask(&other)).await, send(&bench, ask(&member)).await);

        assert_eq!((first.status, another.status, refused.status), (201, 201, 403));
        assert_ne!(first.body["id"], another.body["id"]);
        let unusable = send(&bench, ask(&member).header("idempotency-key", "two words")).await;
        assert_eq!((unusable.status, unusable.problem()), (403, "forbidden"));
    }

    #[tokio::test]
    async fn a_refusal_is_not_recorded_and_the_repeat_is_judged_anew() {
        let (bench, owner) = portal().await;
        let ask =
            |body: &Value| Sample::of("organisations-create").by(&owner).body(body).header("idempotency-key", "k");

        let refused = send(&bench, ask(&json!({"name": ""}))).await;
        let mended = send(&bench, ask(&json!({"name": "Acme"}))).await;

        assert_eq!((refused.status, mended.status), (422, 201));
    }

    #[tokio::test]
    async fn the_record_holds_neither_caller_nor_key_in_clear_and_is_collected() {
        let (bench, owner) = portal().await;
        let sample = Sample::of("organisations-create").by(&owner).header("idempotency-key", "of-the-client");

        send(&bench, sample).await;

        let records = bench.rows_in("RECORD#").await;
        let [record] = records.as_slice() else { panic!("{records:?}") };
        assert!(!record.to_string().contains("of-the-client") && !record.to_string().contains(owner.user.id.as_str()));
        let day = bench.now() + jiff::SignedDuration::from_hours(24);
        assert_eq!(
            (&record["expires_at"], &record["collect_at"]),
            (&json!(day.as_millisecond()), &json!(day.as_second() + 1))
        );
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
