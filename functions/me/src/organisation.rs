//! `GET /v1/me/organisation`: where one is, for a portal's first page.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    domain::{
        ids::OrganisationId,
        rights::{Action, decide},
        user::Role,
    },
    http::{PlaceBody, Problem, Session, admit},
    store::Places,
};
use utoipa::ToSchema;

use crate::App;

/// Where somebody is, and as what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnOrganisation)]
pub struct OrganisationBody {
    /// The organisation; API Owners have none.
    organisation: Option<PlaceBody>,
    /// Whether it is the Default Organisation, where everybody is who belongs nowhere else.
    is_default: bool,
    /// What the caller is there.
    role: Role,
    /// The caller's teams.
    teams: Vec<PlaceBody>,
}

/// Shows the caller's organisation and teams.
#[utoipa::path(
    get, path = "/v1/me/organisation",
    responses(
        (status = 200, description = "Where one is.", body = OrganisationBody),
    ),
)]
pub async fn organisation(State(app): State<App>, session: Session) -> Result<Json<OrganisationBody>, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::OwnAccount)?;
    let mut places = Places::default();
    app.store.complete_places(&mut places, std::slice::from_ref(&caller)).await?;
    let id = caller.organisation_id.as_ref();
    Ok(Json(OrganisationBody {
        organisation: id.and_then(|id| PlaceBody::organisation(id, &places)),
        is_default: id.is_some_and(|id| *id == OrganisationId::default_organisation()),
        role: caller.role,
        teams: PlaceBody::teams(&caller.team_ids, &places),
    }))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::json;
    use shared::domain::{
        ids::{OrganisationId, TeamId},
        organisation::Placement,
        user::{Role, Status},
    };

    use crate::delete::tests::send;

    async fn organisation(bench: &Bench, caller: &SignedIn) -> Reply {
        send(bench, Sample::of("me-organisation").by(caller)).await
    }

    #[tokio::test]
    async fn one_sees_ones_organisation_and_only_ones_own_teams() {
        let bench = Bench::new().await;
        let (acme, teams) = bench.organisation("Acme", 2).await;
        let place = Placement { organisation_id: acme.clone(), team_ids: vec![teams[2].clone()] };
        let ada = bench.person_at("ada@example.com", Role::ConsumerAdmin, Status::Active, Some(place)).await;
        let ada = bench.sign_in(&ada).await;

        let reply = organisation(&bench, &ada).await;

        let shown = json!({
            "organisation": {"id": acme, "name": "Acme"}, "is_default": false, "role": "consumer_admin",
            "teams": [{"id": teams[2], "name": "Acme team 2"}],
        });
        assert_eq!((reply.status, reply.body), (200, shown));
    }

    #[tokio::test]
    async fn who_belongs_nowhere_else_is_in_the_default_place() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

        let reply = organisation(&bench, &ada).await;

        let shown = json!({
            "organisation": {"id": OrganisationId::default_organisation(), "name": "Default Organisation"},
            "is_default": true, "role": "team_member",
            "teams": [{"id": TeamId::default_team(), "name": "Default team"}],
        });
        assert_eq!((reply.status, reply.body), (200, shown));
    }

    #[tokio::test]
    async fn an_api_owner_is_in_none_and_a_team_that_is_gone_is_not_shown() {
        let bench = Bench::new().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        let place = Placement { organisation_id: acme, team_ids: teams.clone() };
        let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Active, Some(place)).await;
        let ada = bench.sign_in(&ada).await;
        bench.erase_team(&teams[1]).await;

        let (of_owner, of_ada) = (organisation(&bench, &owner).await, organisation(&bench, &ada).await);

        let none = json!({"organisation": null, "is_default": false, "role": "api_owner", "teams": []});
        assert_eq!(of_owner.body, none);
        assert_eq!(of_ada.body["teams"], json!([{"id": teams[0], "name": "Acme team 0"}]));
    }

    #[tokio::test]
    async fn it_takes_the_caller_and_one_batch_of_names() {
        let bench = Bench::new().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        for (caller, reads) in [(&owner, 1), (&ada, 2)] {
            let (reply, calls) = bench.calls(organisation(&bench, caller)).await;

            assert_eq!((reply.status, calls.len()), (200, reads));
            assert!(calls.iter().all(|call| call.operation == "DynamoDB.BatchGetItem"));
        }
    }

    #[tokio::test]
    async fn without_a_session_nothing_is_shown() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

        let other = send(&bench, Sample::of("me-organisation").by(&ada).claim("origin_jti", "another")).await;

        assert_eq!((other.status, other.problem()), (401, "unauthenticated"));
    }
}
