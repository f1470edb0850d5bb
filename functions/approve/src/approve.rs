//! `POST /v1/users/{id}/approve`: lets a waiting registration in, where it is or into another place.

use axum::{Json, extract::State};
use shared::{
    domain::{
        Fault,
        ids::{OrganisationId, TeamId, UserId},
        organisation::MAX_TEAMS,
        user::{Role, User},
    },
    http::{FieldFault, Fields, FromFields, PathId, Payload, Problem, RequestId, Session, UserBody, choice, items},
    store::{Admission, Placing, Terms},
};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type, schema::SchemaType},
};

use crate::{
    App,
    act::{self, Case},
};

/// Where the person is put while they are approved, and as what. What is left out stays as it is.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(as = ApproveUser)]
pub struct Approve {
    /// The organisation; alone, it means its default team.
    organisation_id: Option<OrganisationId>,
    /// The teams; alone, those of the organisation in which the person is.
    #[schema(max_items = 20)]
    team_ids: Option<Vec<TeamId>>,
    /// What the person is to be.
    #[schema(schema_with = consumer_role)]
    role: Option<Role>,
}

/// The shape of a role that a registration can come to.
fn consumer_role() -> Object {
    let words = [Some(Role::ConsumerAdmin.as_str()), Some(Role::TeamMember.as_str()), None];
    let role = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    role.enum_values(Some(words)).description(Some("What the person is to be.")).build()
}

impl FromFields for Approve {
    fn read(fields: &mut Fields) -> Option<Self> {
        let organisation_id = fields.optional("organisation_id", choice(OrganisationId::parse));
        let team_ids =
            fields.optional("team_ids", items(MAX_TEAMS, |id| TeamId::parse(id).ok_or_else(Fault::no_such_team)));
        let role = fields.optional("role", choice(consumer));
        Some(Self { organisation_id, team_ids, role })
    }
}

impl From<Approve> for Terms {
    fn from(body: Approve) -> Self {
        let Approve { organisation_id, team_ids, role } = body;
        Self { organisation_id, team_ids: team_ids.unwrap_or_default(), role }
    }
}

/// A role that a registration can come to: who approves makes nobody an API Owner.
fn consumer(word: &str) -> Option<Role> {
    Role::parse(word).filter(|role| *role != Role::ApiOwner)
}

/// Why nobody is approved, beside what every decision has to hold to.
#[derive(Debug)]
pub enum ApproveError {
    /// There is no such organisation.
    NoSuchOrganisation,
    /// The organisation has no such team.
    NoSuchTeam,
    /// API Owners have no place, and their role is not given here; the field that says otherwise.
    OwnersStay(&'static str),
}

impl From<ApproveError> for Problem {
    fn from(error: ApproveError) -> Self {
        match error {
            ApproveError::NoSuchOrganisation => Self::unknown_organisation(),
            ApproveError::NoSuchTeam => Self::unknown_team(),
            ApproveError::OwnersStay(field) => {
                let detail = "API Owners have no organisation and no teams, and stay what they are.";
                Self::validation(&[FieldFault::new(field, Fault::new("not_allowed", detail))])
            }
        }
    }
}

/// Approves a waiting registration: it becomes active, where the request says, and is told so by mail.
#[utoipa::path(
    post, path = "/v1/users/{id}/approve",
    params(("id" = UserId, Path, description = "The person.")), request_body = Option<Approve>,
    responses(
        (status = 200, description = "The person, who is active now.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners decide, and nobody about themselves."),
        (status = 409, description = "`wrong-status`: the person is not pending; `user_status` says what they are."),
    ),
)]
pub async fn approve(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    // Read for the one batch, judged once the caller's rights are known.
    let body: Result<Terms, Problem> = payload.read().map(Approve::into);
    let named = body.as_ref().cloned().unwrap_or_default();
    let case = act::open(&app, &session, &id, &named).await?;
    let terms = body?;
    let admission = admission(&app, &case, &terms).await?;
    act::approve(&app, &request, case, &admission).await.map(Json)
}

/// What the terms mean for this person.
async fn admission(app: &App, case: &Case, terms: &Terms) -> Result<Admission, Problem> {
    let person = case.person();
    if let Some(field) = stays(person, terms) {
        return Err(ApproveError::OwnersStay(field).into());
    }
    let placement = if terms.place() {
        match app.store.admitted_place(case.facts(), person, terms).await? {
            Placing::At(placement) => Some(placement),
            Placing::NoSuchOrganisation => return Err(ApproveError::NoSuchOrganisation.into()),
            Placing::NoSuchTeam => return Err(ApproveError::NoSuchTeam.into()),
        }
    } else {
        None
    };
    let role = match &placement {
        Some(place) => Some(person.role_in(&place.organisation_id, terms.role)),
        None => terms.role,
    };
    Ok(Admission { placement, role })
}

/// The first field that asks of an API Owner what none has.
fn stays(person: &User, terms: &Terms) -> Option<&'static str> {
    let asked = [
        ("organisation_id", terms.organisation_id.is_some()),
        ("team_ids", !terms.team_ids.is_empty()),
        ("role", terms.role.is_some()),
    ];
    let owner = person.role == Role::ApiOwner;
    asked.into_iter().find(|(_, named)| owner && *named).map(|(field, _)| field)
}

#[cfg(test)]
mod placing;

#[cfg(test)]
mod tests {
    use harness::{Fault, write_units};
    use serde_json::json;
    use shared::{
        domain::{
            ids::{OrganisationId, TeamId},
            organisation::Placement,
            user::{Role, Status},
        },
        store::Filter,
    };

    use crate::{
        act::tests::{app, audited, portal, request, send},
        router,
    };

    #[tokio::test]
    async fn a_waiting_registration_becomes_active_is_told_and_can_log_in() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;

        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        let shown = json!({
            "id": ada.id,
            "email": "ada@example.com",
            "first_name": "Grace",
            "last_name": "Hopper",
            "status": "active",
            "role": "team_member",
            "organisation": {"id": OrganisationId::default_organisation(), "name": "Default Organisation"},
            "teams": [{"id": TeamId::default_team(), "name": "Default team"}],
            "must_change_password": false,
            "source": "api_owner",
            "mail_status": "ok",
            "attributes": {},
            "created_at": ada.created_at,
            "updated_at": bench.now(),
            "last_login_at": null,
        });
        assert_eq!((reply.status, reply.body), (200, shown));
        let stored = bench.read(&ada.id).await;
        assert_eq!(
            (stored.status, stored.status_since, stored.version),
            (Status::Active, bench.now(), ada.version + 1)
        );
        assert_eq!(bench.mail_events("ada@example.com").await, ["approved"]);
        bench.sign_in(&ada).await;
    }

    #[tokio::test]
    async fn approving_takes_one_batch_and_one_transaction_of_at_most_eight_units() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;

        let (reply, calls) = bench.calls(request("approve", &ada.id, &owner).send(router(app(&bench)))).await;

        assert_eq!(reply.status, 200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert!(write_units(&calls) <= 8, "{}", write_units(&calls));
    }

    #[tokio::test]
    async fn an_approval_leaves_the_queue_and_names_its_place() {
        let (bench, owner) = portal().await;
        let (organisation_id, teams) = bench.organisation("Acme", 1).await;
        let place = Placement { organisation_id: organisation_id.clone(), team_ids: vec![teams[1].clone()] };
        let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Pending, Some(place)).await;

        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        assert_eq!(reply.body["organisation"], json!({"id": organisation_id, "name": "Acme"}));
        assert_eq!(reply.body["teams"], json!([{"id": teams[1], "name": "Acme team 1"}]));
        let waiting = Filter { status: Some(Status::Pending), ..Filter::default() };
        assert!(bench.store.everybody(&waiting, None, 10).await.unwrap().people.is_empty());
    }

    #[tokio::test]
    async fn of_two_approvals_at_once_one_wins_and_one_mail_is_sent() {
        let (bench, owner) = portal().await;
        let rival = bench.signed_in("rival@example.com", Role::ApiOwner).await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        let (same, router_of_rival) = (request("approve", &ada.id, &rival), router(app(&bench)));
        let meanwhile = async move { assert_eq!(same.send(router_of_rival).await.status, 200) };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        assert_eq!((reply.status, reply.problem()), (409, "wrong-status"));
        assert_eq!(reply.body["user_status"], "active");
        assert_eq!(bench.mail_events("ada@example.com").await, ["approved"]);
        assert_eq!(audited(&bench, "user.approved").await["actor"], json!({"user": rival.user.id}));
    }

    #[tokio::test]
    async fn approving_and_rejecting_at_once_do_not_both_happen() {
        let (bench, owner) = portal().await;
        let rival = bench.signed_in("rival@example.com", Role::ApiOwner).await;
        for round in 0..10 {
            let address = format!("ada{round}@example.com");
            let ada = bench.person(&address, Role::TeamMember, Status::Pending).await;

            let (approved, rejected) = tokio::join!(
                send(&bench, request("approve", &ada.id, &owner)),
                send(&bench, request("reject", &ada.id, &rival)),
            );

            let (status, mail) = match (approved.status, rejected.status) {
                (200, 409) => (Status::Active, "approved"),
                (409, 200) => (Status::Rejected, "rejected"),
                both => panic!("{both:?}"),
            };
            assert_eq!(bench.read(&ada.id).await.status, status);
            assert_eq!(bench.mail_events(&address).await, [mail]);
        }
    }

    #[tokio::test]
    async fn contention_and_a_lost_answer_are_waited_out() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        let calls = bench.services.calls();
        calls.fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(3));
        calls.fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());

        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        assert_eq!((reply.status, calls.outstanding()), (200, 0));
        assert_eq!(bench.mail_events("ada@example.com").await, ["approved"]);
    }

    #[tokio::test]
    async fn contention_without_end_is_told_and_changes_nothing() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;
        bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::conflict().times(9));

        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
        assert_eq!(bench.read(&ada.id).await, ada);
        assert_eq!(send(&bench, request("approve", &ada.id, &owner)).await.status, 200);
    }

    #[tokio::test]
    async fn the_audit_names_who_did_it_and_nothing_personal() {
        let (bench, owner) = portal().await;
        let ada = bench.person("ada@example.com", Role::TeamMember, Status::Pending).await;

        let reply = send(&bench, request("approve", &ada.id, &owner)).await;

        let event = audited(&bench, "user.approved").await;
        assert_eq!(event["actor"], json!({"user": owner.user.id}));
        assert_eq!(event["target"], json!(ada.id));
        assert_eq!(event["changed"], json!(["status"]));
        assert_eq!((&event["before"], &event["after"]), (&json!({"status": "pending"}), &json!({"status": "active"})));
        assert_eq!(event["request_id"], reply.headers["x-request-id"]);
        assert_eq!(event["at"], bench.now().as_millisecond());
        let kept = json!(bench.rows_in("AUDIT#").await).to_string();
        assert!(["example.com", "Grace", "Hopper"].into_iter().all(|personal| !kept.contains(personal)), "{kept}");
    }

    #[tokio::test]
    async fn an_approved_api_owner_counts_as_one() {
        let (bench, owner) = portal().await;
        let second = bench.person("second@example.com", Role::ApiOwner, Status::Pending).await;

        assert_eq!(send(&bench, request("approve", &second.id, &owner)).await.status, 200);

        let second = bench.sign_in(&second).await;
        assert_eq!(send(&bench, request("deactivate", &owner.user.id, &second)).await.status, 200);
        let settings = bench.store.settings().await.unwrap();
        assert_eq!(bench.store.owners_to_notify(&settings).await.unwrap(), [second.user.email]);
    }
}
