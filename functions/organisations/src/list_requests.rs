//! `GET /v1/organisation-requests`: every request for API Owners, one's own for others, the oldest first.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        organisation_request::RequestStatus,
        rights::{Action, decide},
    },
    http::{PageBody, Paging, Parameters, Problem, Session, admit},
};

use crate::{App, request_body::RequestBody};

/// Lists requests.
#[utoipa::path(
    get, path = "/v1/organisation-requests",
    params(("status" = Option<RequestStatus>, Query, description = "Only requests that stand so."), Paging),
    responses(
        (status = 200, description = "A page: all for API Owners, one's own for others.", body = PageBody<RequestBody>),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    mut parameters: Parameters,
) -> Result<PageBody<RequestBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ListOrganisationRequests)?;
    let status = parameters.optional("status", status);
    let listing = parameters.listing(&format!("organisation requests {status:?} of {}", caller.id))?;
    let page = app.store.organisation_requests(&caller, status, listing.after.as_deref(), listing.limit).await?;
    let items = page.requests.into_iter().map(|(request, requester)| RequestBody::new(request, requester));
    Ok(listing.page(items.collect(), page.next))
}

fn status(word: &str) -> Result<RequestStatus, Fault> {
    RequestStatus::parse(word).ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values."))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::json;
    use shared::domain::user::Role;

    use crate::{
        body::tests::{app, names, send},
        request::tests::{ask, decide, open_portal},
        router,
    };

    async fn list(bench: &Bench, caller: &SignedIn, query: &str) -> Reply {
        send(bench, Sample::of("organisations-list-requests").by(caller).query(query)).await
    }

    #[tokio::test]
    async fn owners_see_every_request_by_status_and_others_their_own() {
        let (bench, owner, ada) = open_portal().await;
        let grace = bench.signed_in("grace@example.com", Role::TeamMember).await;
        let first = ask(&bench, &ada, "Engines").await.body;
        ask(&bench, &grace, "Compilers").await;
        decide(&bench, &owner, "reject", first["id"].as_str().unwrap(), &json!({})).await;
        ask(&bench, &ada, "Mills").await;

        let all = list(&bench, &owner, "").await;
        let pending = list(&bench, &owner, "status=pending").await;
        let rejected = list(&bench, &owner, "status=rejected").await;
        let own = list(&bench, &ada, "").await;
        let own_pending = list(&bench, &ada, "status=pending").await;

        assert_eq!(names(&all), ["Engines", "Compilers", "Mills"]);
        assert_eq!(names(&pending), ["Compilers", "Mills"]);
        assert_eq!(names(&rejected), ["Engines"]);
        assert_eq!((names(&own), names(&own_pending)), (vec!["Engines", "Mills"], vec!["Mills"]));
        assert_eq!(all.body["items"][1]["requester"]["email"], "grace@example.com");
    }

    #[tokio::test]
    async fn pages_follow_each_other_in_every_list() {
        let (bench, owner, _) = open_portal().await;
        for number in 0..5 {
            let asker = bench.signed_in(&format!("asker-{number}@example.com"), Role::TeamMember).await;
            ask(&bench, &asker, &format!("Number {number}")).await;
        }
        for filter in ["", "&status=pending"] {
            let (mut seen, mut query) = (Vec::new(), format!("limit=2{filter}"));
            loop {
                let reply = list(&bench, &owner, &query).await;
                seen.extend(names(&reply).into_iter().map(str::to_owned));
                let Some(cursor) = reply.body["next_cursor"].as_str() else { break };
                query = format!("limit=2{filter}&cursor={cursor}");
            }
            assert_eq!(seen, (0..5).map(|number| format!("Number {number}")).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_requester_who_was_deleted_is_not_shown() {
        let (bench, owner, ada) = open_portal().await;
        ask(&bench, &ada, "Engines").await;
        bench.erase(&ada.user.id).await;

        let reply = list(&bench, &owner, "").await;

        assert_eq!((names(&reply), &reply.body["items"][0]["requester"]), (vec!["Engines"], &json!(null)));
    }

    #[tokio::test]
    async fn a_page_takes_the_caller_one_query_and_two_batches_and_faults_are_named() {
        let (bench, owner, ada) = open_portal().await;
        ask(&bench, &ada, "Engines").await;
        let sample = Sample::of("organisations-list-requests").by(&owner).query("status=pending");

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;
        let faulty = list(&bench, &owner, "status=waiting&limit=0").await;

        assert_eq!(names(&reply), ["Engines"]);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let expected = ["BatchGetItem", "Query", "BatchGetItem", "BatchGetItem"];
        assert_eq!(operations, expected.map(|operation| format!("DynamoDB.{operation}")));
        assert_eq!(faulty.faults(), [("/status", "unknown_choice"), ("/limit", "out_of_range")]);
    }
}
