//! `GET /v1/organisations`: every organisation, in the order in which they were created.

use axum::extract::State;
use shared::{
    domain::rights::{Action, decide},
    http::{PageBody, Paging, Parameters, Problem, Session, admit},
};

use crate::{App, body::OrganisationBody};

/// Lists organisations, the Default Organisation first.
#[utoipa::path(
    get, path = "/v1/organisations",
    params(Paging),
    responses(
        (status = 200, description = "A page.", body = PageBody<OrganisationBody>),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    parameters: Parameters,
) -> Result<PageBody<OrganisationBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ManageOrganisations)?;
    let listing = parameters.listing("organisations")?;
    let listed = app.store.organisations(listing.after.as_deref(), listing.limit).await?;
    Ok(listing.page(listed.rows.into_iter().map(OrganisationBody::from).collect(), listed.next))
}

#[cfg(test)]
mod many;

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};

    use crate::{
        body::tests::{app, names, organisation, portal, send},
        router,
    };

    async fn list(bench: &Bench, owner: &SignedIn, query: &str) -> Reply {
        send(bench, Sample::of("organisations-list").by(owner).query(query)).await
    }

    #[tokio::test]
    async fn organisations_are_listed_as_they_were_created_behind_the_default_one() {
        let (bench, owner) = portal().await;
        for name in ["Zebra", "Acme", "Middle"] {
            organisation(&bench, &owner, name).await;
        }

        let reply = list(&bench, &owner, "").await;

        assert_eq!(names(&reply), ["Default Organisation", "Zebra", "Acme", "Middle"]);
        let defaults: Vec<_> = reply.body["items"].as_array().unwrap().iter().map(|item| &item["default"]).collect();
        assert_eq!(defaults, [true, false, false, false]);
        assert!(reply.body["next_cursor"].is_null());
    }

    #[tokio::test]
    async fn pages_follow_each_other_and_nothing_is_missed() {
        let (bench, owner) = portal().await;
        for number in 0..6 {
            organisation(&bench, &owner, &format!("Number {number}")).await;
        }

        let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
        loop {
            let reply = list(&bench, &owner, &query).await;
            seen.extend(names(&reply).into_iter().map(str::to_owned));
            let Some(cursor) = reply.body["next_cursor"].as_str() else { break };
            query = format!("limit=3&cursor={cursor}");
        }

        let expected = ["Default Organisation"].map(str::to_owned).into_iter();
        assert_eq!(seen, expected.chain((0..6).map(|number| format!("Number {number}"))).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_page_takes_the_caller_one_query_and_one_batch() {
        let (bench, owner) = portal().await;
        for number in 0..25 {
            organisation(&bench, &owner, &format!("Number {number}")).await;
        }
        let sample = Sample::of("organisations-list").by(&owner).query("");

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(names(&reply).len(), 25);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.Query", "DynamoDB.BatchGetItem"]);
    }

    #[tokio::test]
    async fn a_cursor_of_another_list_and_a_limit_out_of_range_are_refused() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let page = list(&bench, &owner, "limit=1").await;
        let cursor = format!("limit=0&cursor={}", page.body["next_cursor"].as_str().unwrap());
        let teams = Sample::of("organisations-list-teams").by(&owner).id(acme["id"].as_str().unwrap()).query(&cursor);

        let reply = send(&bench, teams).await;

        let faults = reply.faults();
        assert_eq!(faults.iter().map(|(_, code)| *code).collect::<Vec<_>>(), ["out_of_range", "invalid_cursor"]);
    }
}
