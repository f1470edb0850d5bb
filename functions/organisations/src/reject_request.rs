//! `POST /v1/organisation-requests/{id}/reject`: an API Owner refuses somebody an organisation, with a reason.

use axum::{Json, extract::State};
use shared::{
    domain::{audit::Actor, ids::OrganisationRequestId, organisation_request::RequestStatus, reason},
    http::{Fields, FromFields, PathId, Payload, Problem, RequestId, Session, text},
    store::DecidedRequest,
};
use utoipa::ToSchema;

use crate::{
    App,
    request_body::{RequestBody, already_decided, open},
};

/// Why it is refused, in words for who asked.
#[derive(Debug, ToSchema)]
#[schema(as = RejectOrganisationRequest)]
pub struct Reject {
    /// The reason; without one, none is mailed.
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

impl FromFields for Reject {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { reason: fields.optional("reason", text(reason::parse)) })
    }
}

/// Rejects a request. The reason is mailed to the requester, if they are still there, and kept nowhere but in that mail.
#[utoipa::path(
    post, path = "/v1/organisation-requests/{id}/reject",
    params(("id" = OrganisationRequestId, Path, description = "The request.")), request_body = Option<Reject>,
    responses(
        (status = 200, description = "The request, which is rejected now.", body = RequestBody),
        (status = 403, description = "`forbidden`: only API Owners decide about requests."),
        (status = 409, description = "`organisation-request-decided`: it was decided before; `request_status` says how."),
    ),
)]
pub async fn reject(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<RequestBody>, Problem> {
    let (caller, asked) = open(&app, &session, &id).await?;
    let body: Reject = payload.read()?;
    if asked.status != RequestStatus::Pending {
        return Err(already_decided(asked.status));
    }
    let requester = app.store.person(&asked.requester).await?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    match app.store.reject_request(&asked, requester.as_ref(), body.reason.as_deref(), &origin).await? {
        DecidedRequest::Done(rejected) => Ok(Json(RequestBody::new(*rejected, requester))),
        DecidedRequest::Decided(status) => Err(already_decided(status)),
        DecidedRequest::Gone => Err(Problem::not_found()),
        // A rejection holds to nothing of the requester.
        DecidedRequest::RequesterChanged => Err(Problem::try_again(1)),
    }
}

#[cfg(test)]
mod tests {
    use harness::write_units;
    use serde_json::json;

    use crate::{
        body::tests::{app, send},
        request::tests::{ask, decide, decision, open_portal, requests},
        router,
    };

    #[tokio::test]
    async fn the_requester_is_told_why_and_may_ask_again() {
        let (bench, owner, ada) = open_portal().await;
        let asked = ask(&bench, &ada, "Engines").await.body;

        let reply =
            decide(&bench, &owner, "reject", asked["id"].as_str().unwrap(), &json!({"reason": "Too small."})).await;

        assert_eq!((reply.status, &reply.body["status"], &reply.body["id"]), (200, &json!("rejected"), &asked["id"]));
        assert_eq!(bench.read(&ada.user.id).await, ada.user);
        let mail = bench.mails("ada@example.com").await.remove(0);
        assert_eq!(mail.event.as_deref(), Some("organisation_rejected"));
        assert!(mail.text.unwrap().contains("Too small."));
        assert!(!bench.rows_in("ORG").await.iter().any(|row| row.to_string().contains("Too small.")));
        assert_eq!(ask(&bench, &ada, "Engines").await.status, 201);
    }

    #[tokio::test]
    async fn a_decision_is_final_and_a_faulty_reason_is_none() {
        let (bench, owner, ada) = open_portal().await;
        let asked = ask(&bench, &ada, "Engines").await.body;
        let id = asked["id"].as_str().unwrap();

        let faulty = decide(&bench, &owner, "reject", id, &json!({"reason": " "})).await;
        let first = send(&bench, decision("reject", id, &owner)).await;
        let second = decide(&bench, &owner, "reject", id, &json!({})).await;
        let approval = decide(&bench, &owner, "approve", id, &json!({})).await;

        assert_eq!((faulty.status, faulty.faults()), (422, vec![("/reason", "invalid_reason")]));
        assert_eq!(first.status, 200);
        for reply in [second, approval] {
            assert_eq!((reply.status, reply.problem()), (409, "organisation-request-decided"));
            assert_eq!(reply.body["request_status"], "rejected");
        }
    }

    #[tokio::test]
    async fn the_request_of_somebody_who_is_gone_can_be_rejected() {
        let (bench, owner, ada) = open_portal().await;
        let asked = ask(&bench, &ada, "Engines").await.body;
        bench.erase(&ada.user.id).await;

        let reply = decide(&bench, &owner, "reject", asked["id"].as_str().unwrap(), &json!({})).await;

        assert_eq!((reply.status, &reply.body["requester"]), (200, &json!(null)));
        assert!(!bench.mail_events("ada@example.com").await.contains(&"organisation_rejected".to_owned()));
    }

    #[tokio::test]
    async fn a_request_that_goes_with_its_requester_as_it_is_decided_is_not_found() {
        for action in ["reject", "approve"] {
            let (bench, owner, ada) = open_portal().await;
            let asked = ask(&bench, &ada, "Engines").await.body;
            let id = asked["id"].as_str().unwrap();
            let (row, waiting) = (format!("ORGREQUEST#{id}"), format!("REQUESTER#{}", ada.user.id));
            let (row, waiting) = (bench.discard(&row, "ORGREQUEST"), bench.discard(&waiting, "REQUESTER"));
            let person = bench.discard(&format!("USER#{}", ada.user.id), "USER");
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", async move {
                row.await;
                waiting.await;
                person.await;
            });

            let reply = decide(&bench, &owner, action, id, &json!({})).await;

            assert_eq!(reply.status, 404, "{action}");
            assert!(requests(&bench).await.is_empty(), "{action}");
        }
    }

    #[tokio::test]
    async fn a_rejection_takes_two_batches_and_a_transaction_of_eight_units() {
        let (bench, owner, ada) = open_portal().await;
        let asked = ask(&bench, &ada, "Engines").await.body;
        let sample = decision("reject", asked["id"].as_str().unwrap(), &owner);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.status, 200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!((write_units(&calls), requests(&bench).await.len()), (8, 1));
    }
}
