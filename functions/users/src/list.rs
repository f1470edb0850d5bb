//! `GET /v1/users`: the people whom the caller may see, the caller included.

use axum::extract::State;
use shared::{
    domain::{
        Fault,
        ids::{OrganisationId, TeamId},
        rights::{Action, decide, sees_everybody},
        search::Beginning,
        user::{Role, Status},
    },
    http::{ListedPerson, PageBody, Paging, Parameters, Problem, Session, admit},
    store::Filter,
};

use crate::App;

/// Lists people: everybody for API Owners (`status=pending` is the queue, the longest waiting first), the people of
/// shared teams for consumers.
#[utoipa::path(
    get, path = "/v1/users",
    params(
        ("status" = Option<Status>, Query, description = "Only people who are in this status."),
        ("role" = Option<Role>, Query, description = "Only people of this role."),
        ("organisation_id" = Option<OrganisationId>, Query, description = "Only people of this organisation."),
        ("team_id" = Option<TeamId>, Query, description = "Only people of this team."),
        ("q" = Option<String>, Query, min_length = 1, max_length = 254,
            description = "Only people whose address, first name or last name begins so, whatever the case."),
        Paging,
    ),
    responses(
        (status = 200, description = "A page of those whom the caller may see, the caller included.",
            body = PageBody<ListedPerson>),
    ),
)]
pub async fn list(
    State(app): State<App>,
    session: Session,
    mut parameters: Parameters,
) -> Result<PageBody<ListedPerson>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::ListPeople)?;
    let filter = Filter {
        status: parameters.optional("status", word(Status::parse)),
        role: parameters.optional("role", word(Role::parse)),
        organisation_id: parameters.optional("organisation_id", word(OrganisationId::parse)),
        team_id: parameters.optional("team_id", word(TeamId::parse)),
        beginning: parameters.optional("q", Beginning::parse),
    };
    let listing = parameters.listing(&format!("people {filter:?} of {}", caller.id))?;
    let after = listing.after.as_deref();
    let page = if sees_everybody(&caller) {
        app.store.everybody(&filter, after, listing.limit).await?
    } else {
        app.store.people_of(&caller, &filter, after, listing.limit).await?
    };
    let people = page.people.into_iter().map(|person| ListedPerson::new(&caller, person, &page.places));
    Ok(listing.page(people.collect(), page.next))
}

fn word<T>(parse: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&str) -> Result<T, Fault> {
    |text| parse(text).ok_or_else(|| Fault::new("unknown_choice", "This is none of the possible values."))
}

#[cfg(test)]
mod for_consumers;
#[cfg(test)]
mod many;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod search;

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use harness::portal;
    use harness::{Bench, Fault, Reply, Sample, SignedIn};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::domain::{organisation::Placement, transition::Transition, user::User};

    use super::*;
    use crate::router;

    pub(crate) fn app(bench: &Bench) -> App {
        App { store: bench.store.clone(), identity: bench.identity.clone(), clock: bench.clock.clone() }
    }

    pub(crate) async fn send(bench: &Bench, request: Sample) -> Reply {
        bench.advance(SignedDuration::from_millis(1));
        request.send(router(app(bench))).await
    }

    /// The list as `caller` gets it for this query.
    pub(crate) async fn list(bench: &Bench, caller: &SignedIn, query: &str) -> Reply {
        send(bench, Sample::of("users-list").by(caller).query(query)).await
    }

    /// Who is on a page, by the local part of their address.
    pub(crate) fn who(reply: &Reply) -> Vec<&str> {
        assert_eq!(reply.status, 200, "{reply:?}");
        let items = reply.body["items"].as_array().unwrap().iter();
        items.map(|person| person["email"].as_str().unwrap().split('@').next().unwrap()).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "as `Bench::person_at` takes it")]
    pub(crate) fn place(organisation_id: &OrganisationId, teams: &[&TeamId]) -> Option<Placement> {
        let team_ids = teams.iter().map(|&team| team.clone()).collect();
        Some(Placement { organisation_id: organisation_id.clone(), team_ids })
    }

    async fn member(bench: &Bench, name: &str, status: Status) -> User {
        bench.person(&format!("{name}@example.com"), Role::TeamMember, status).await
    }

    #[tokio::test]
    async fn the_queue_shows_who_waits_the_longest_waiting_first() {
        let (bench, owner) = portal().await;
        let ada = member(&bench, "ada", Status::Pending).await;
        member(&bench, "grace", Status::Pending).await;
        member(&bench, "active", Status::Active).await;
        for transition in [Transition::Reject, Transition::Reopen] {
            let ada = bench.read(&ada.id).await;
            bench.advance(SignedDuration::from_secs(1));
            bench.store.transition(&ada, transition, None, &bench.origin()).await.unwrap();
        }

        let reply = send(&bench, Sample::of("users-list").by(&owner)).await;

        assert_eq!(who(&reply), ["grace", "ada"]);
        assert_eq!(reply.body["next_cursor"], json!(null));
    }

    #[tokio::test]
    async fn an_api_owner_finds_everybody_in_the_order_in_which_they_came() {
        let (bench, owner) = portal().await;
        for status in Status::ALL {
            member(&bench, status.as_str(), status).await;
        }

        let reply = list(&bench, &owner, "").await;

        assert_eq!(who(&reply), ["owner", "unconfirmed", "pending", "invited", "active", "inactive", "rejected"]);
        let first = &reply.body["items"][0];
        let shown = json!({
            "id": owner.user.id,
            "email": "owner@example.com",
            "first_name": "Grace",
            "last_name": "Hopper",
            "status": "active",
            "role": "api_owner",
            "organisation": null,
            "teams": [],
            "must_change_password": false,
            "source": "api_owner",
            "mail_status": "ok",
            "attributes": {},
            "created_at": owner.user.created_at,
            "updated_at": owner.user.updated_at,
            "last_login_at": owner.user.last_login_at.unwrap(),
        });
        assert_eq!(first, &shown);
    }

    #[tokio::test]
    async fn every_state_and_role_can_be_asked_for() {
        let (bench, owner) = portal().await;
        for status in Status::ALL {
            member(&bench, status.as_str(), status).await;
        }
        bench.person("admin@example.com", Role::ConsumerAdmin, Status::Inactive).await;

        for status in Status::ALL {
            let mut expected = vec![status.as_str()];
            match status {
                Status::Active => expected.insert(0, "owner"),
                Status::Inactive => expected.push("admin"),
                _ => {}
            }
            assert_eq!(who(&list(&bench, &owner, &format!("status={}", status.as_str())).await), expected);
        }
        assert_eq!(who(&list(&bench, &owner, "role=api_owner").await), ["owner"]);
        assert_eq!(who(&list(&bench, &owner, "role=consumer_admin").await), ["admin"]);
        assert_eq!(who(&list(&bench, &owner, "role=team_member&status=rejected").await), ["rejected"]);
        assert_eq!(who(&list(&bench, &owner, "role=consumer_admin&status=rejected").await), [""; 0]);
    }

    #[tokio::test]
    async fn places_can_be_asked_for_and_are_shown_with_their_names() {
        let (bench, owner) = portal().await;
        let (acme, acme_teams) = bench.organisation("Acme", 2).await;
        let (other, other_teams) = bench.organisation("Other", 0).await;
        let ada = place(&acme, &[&acme_teams[1], &acme_teams[2]]);
        bench.person_at("ada@example.com", Role::TeamMember, Status::Active, ada).await;
        let grace = place(&acme, &[&acme_teams[2]]);
        bench.person_at("grace@example.com", Role::ConsumerAdmin, Status::Pending, grace).await;
        bench.person_at("eve@example.com", Role::TeamMember, Status::Active, place(&other, &[&other_teams[0]])).await;

        let acme_list = list(&bench, &owner, &format!("organisation_id={acme}")).await;

        assert_eq!(who(&acme_list), ["ada", "grace"]);
        let first = &acme_list.body["items"][0];
        let teams = json!([
            {"id": acme_teams[1], "name": "Acme team 1"},
            {"id": acme_teams[2], "name": "Acme team 2"},
        ]);
        assert_eq!((&first["organisation"], &first["teams"]), (&json!({"id": acme, "name": "Acme"}), &teams));
        let ask = async |query: String| who(&list(&bench, &owner, &query).await).join(" ");
        assert_eq!(ask(format!("team_id={}", acme_teams[2])).await, "ada grace");
        assert_eq!(ask(format!("team_id={}", acme_teams[1])).await, "ada");
        assert_eq!(ask(format!("team_id={}&status=pending", acme_teams[2])).await, "grace");
        assert_eq!(ask(format!("team_id={}&role=team_member", acme_teams[2])).await, "ada");
        assert_eq!(ask(format!("team_id={}&organisation_id={other}", acme_teams[2])).await, "");
        assert_eq!(ask(format!("organisation_id={acme}&status=active")).await, "ada");
        let team = list(&bench, &owner, &format!("team_id={}", acme_teams[1])).await;
        assert_eq!(team.body["items"][0]["teams"], teams);
    }

    #[tokio::test]
    async fn a_page_of_twenty_five_takes_the_caller_one_query_and_one_batch() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        for number in 0..26 {
            let place =
                if number % 2 == 0 { place(&acme, &[&teams[0], &teams[1]]) } else { place(&acme, &[&teams[1]]) };
            bench.person_at(&format!("p{number}@example.com"), Role::TeamMember, Status::Active, place).await;
        }
        for query in ["", "status=active", "role=team_member", &format!("organisation_id={acme}")] {
            let sample = Sample::of("users-list").by(&owner).query(query);

            let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

            assert!(who(&reply).len() >= 24, "{query}");
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.Query", "DynamoDB.BatchGetItem"], "{query}");
        }
    }

    #[tokio::test]
    async fn who_was_deleted_or_changed_a_moment_ago_is_shown_as_they_are_now() {
        let (bench, owner) = portal().await;
        let ada = member(&bench, "ada", Status::Pending).await;
        member(&bench, "grace", Status::Pending).await;
        let eve = member(&bench, "eve", Status::Pending).await;
        let (gone, approved) = (bench.erase(&ada.id), bench.overwrite(&eve.id, "status", &json!("active")));
        let calls = bench.services.calls();
        calls.before_next("DynamoDB.BatchGetItem", async {});
        calls.before_next("DynamoDB.BatchGetItem", async move {
            gone.await;
            approved.await;
        });

        assert_eq!(who(&list(&bench, &owner, "status=pending").await), ["grace"]);
    }

    #[tokio::test]
    async fn tokens_come_before_parameters() {
        let (bench, owner) = portal().await;
        let ask = || Sample::of("users-list").by(&owner).query("limit=0");
        let refused = [ask().without_token(), ask().claim("token_use", "id"), ask().claim("origin_jti", "another")];
        for sample in refused {
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
            assert!(reply.headers.contains_key("www-authenticate"));
        }
        assert_eq!(send(&bench, ask()).await.status, 422);
    }

    #[tokio::test]
    async fn a_failing_index_is_told_without_its_inside() {
        let (bench, owner) = portal().await;
        bench.services.calls().fail_next("DynamoDB.Query", Fault::refused("ResourceNotFoundException", "arn:secret"));
        let failed = list(&bench, &owner, "").await;
        bench.services.calls().fail_next("DynamoDB.Query", Fault::throttled().times(3));
        let throttled = list(&bench, &owner, "").await;

        assert_eq!((failed.status, failed.problem()), (500, "internal"));
        assert!(!Value::to_string(&failed.body).contains("arn:"));
        assert_eq!((throttled.status, throttled.problem()), (503, "try-again"));
    }
}
