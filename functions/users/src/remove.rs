//! `POST /v1/users/{id}/remove`: a Consumer Admin sends somebody from their teams to the Default Organisation.

use axum::extract::State;
use http::StatusCode;
use shared::{
    domain::{
        audit::Actor,
        ids::{OrganisationId, UserId},
        organisation::Placement,
        rights::{Action, decide},
        user::{Role, User},
    },
    http::{PathId, Payload, Problem, RequestId, Session, admit},
    store::{PersonChanged, Places},
};

use crate::{App, change::MAX_TRIES};

/// Why a person stays where they are.
#[derive(Debug)]
pub enum RemoveError {
    /// There is no such person.
    Unknown,
    /// They are in the Default Organisation: there is no further to go.
    DefaultOrganisation,
    /// They are just being created, or others kept changing them at the same time.
    Busy,
}

impl From<RemoveError> for Problem {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Unknown => Self::not_found(),
            RemoveError::DefaultOrganisation => {
                let detail = "This person is in the Default Organisation, from which nobody is removed.";
                Self::conflict("default-organisation", "Default Organisation", detail)
            }
            RemoveError::Busy => Self::try_again(1),
        }
    }
}

/// Makes a person whose teams are all the caller's a Team Member of the Default Organisation, with effect for their very
/// next request.
#[utoipa::path(
    post, path = "/v1/users/{id}/remove",
    params(("id" = UserId, Path, description = "The person.")),
    responses(
        (status = 204, description = "The person is a Team Member of the Default Organisation."),
        (status = 403, description = "`forbidden`: only Consumer Admins remove people, not themselves, and only whose every \
            team is theirs."),
        (status = 409, description = "`default-organisation`: the person is in the Default Organisation already."),
    ),
)]
pub async fn remove(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
    request: RequestId,
    payload: Payload,
) -> Result<StatusCode, Problem> {
    let id = UserId::parse(&id);
    let (mut caller, mut before, mut places) = parties(&app, &session, id.as_ref()).await?;
    payload.read_nothing()?;
    let now = app.clock.now();
    let origin = request.origin(Actor::User(caller.id.clone()), now);
    for _ in 0..MAX_TRIES {
        if before.organisation_id == Some(OrganisationId::default_organisation()) {
            return Err(RemoveError::DefaultOrganisation.into());
        }
        if before.identity_due.is_some() {
            return Err(RemoveError::Busy.into());
        }
        let after = User { role: Role::TeamMember, ..before.clone() }.placed(Some(Placement::default_place()));
        let after = after.following(&before, now);
        match app.store.remove_person(&caller, &before, &after, &places, &origin).await? {
            PersonChanged::Done => return Ok(StatusCode::NO_CONTENT),
            PersonChanged::Overtaken(_) | PersonChanged::CallerChanged => {
                (caller, before, places) = parties(&app, &session, id.as_ref()).await?;
            }
            PersonChanged::Gone => return Err(RemoveError::Unknown.into()),
            // Nobody joins a team that can be deleted, the address stays, and nobody whom an admin sees is an API Owner: it
            // changed since.
            PersonChanged::LastOwner | PersonChanged::NoSuchTeam | PersonChanged::EmailTaken(_) => {
                return Err(RemoveError::Busy.into());
            }
        }
    }
    Err(RemoveError::Busy.into())
}

/// Who removes whom, as both now stand in the table, with the names of places that come with them.
async fn parties(app: &App, session: &Session, id: Option<&UserId>) -> Result<(User, User, Places), Problem> {
    let (caller, person, places) =
        app.store.caller_and_person(&session.user_id, id.unwrap_or(&session.user_id)).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::RemovePeople)?;
    let person = person.filter(|_| id.is_some()).ok_or(RemoveError::Unknown)?;
    decide(&caller, Action::RemovePerson(&person))?;
    Ok((caller, person, places))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use harness::{Fault, Reply, Sample, SignedIn};
    use serde_json::json;
    use shared::domain::{ids::TeamId, user::Status};

    use super::*;
    use crate::{
        change::tests::Acme,
        list::tests::{app, place, send},
        router,
    };

    async fn remove(acme: &Acme, id: &UserId, caller: &SignedIn) -> Reply {
        send(&acme.bench, Sample::of("users-remove").id(id).by(caller)).await
    }

    #[tokio::test]
    async fn whose_teams_are_all_the_admins_goes_to_the_default_organisation_as_a_team_member() {
        let acme = Acme::new().await;
        let ada = acme.person("ada", Role::ConsumerAdmin, Status::Active, &[2, 1]).await;
        let ada = acme.bench.sign_in(&ada).await;

        let reply = remove(&acme, &ada.user.id, &acme.admin).await;

        assert_eq!((reply.status, &reply.body), (204, &json!(null)));
        let now = acme.bench.read(&ada.user.id).await;
        assert_eq!((now.placement(), now.role), (Some(Placement::default_place()), Role::TeamMember));
        assert_eq!(acme.memberships(&ada.user.id).await, [0; 0]);
        let strangers = acme.bench.rows_in(&format!("TEAM#{}", TeamId::default_team())).await;
        assert!(strangers.iter().any(|row| row["sk"] == format!("USER#{}", ada.user.id)));
        let event = acme.audited("user.removed").await.remove(0);
        assert_eq!(event["changed"], json!(["role", "organisation_id", "team_ids"]));
        let read = send(&acme.bench, Sample::of("users-read").id(&acme.admin.user.id).by(&ada)).await;
        assert_eq!(read.status, 403);
        assert_eq!(remove(&acme, &ada.user.id, &acme.admin).await.problem(), "not-found");
    }

    #[tokio::test]
    async fn who_is_in_another_team_too_stays() {
        let acme = Acme::new().await;
        for teams in [&[1, 3][..], &[1, 0]] {
            let ada = acme.member(&format!("ada{}", teams[1]), teams).await;

            let reply = remove(&acme, &ada.id, &acme.admin).await;

            assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
            assert_eq!(acme.bench.read(&ada.id).await, ada);
        }
    }

    #[tokio::test]
    async fn neither_oneself_nor_who_is_not_seen_nor_by_an_owner() {
        let acme = Acme::new().await;
        let elsewhere = acme.member("elsewhere", &[3]).await;
        let shared = acme.member("shared", &[1]).await;
        let member = acme.bench.sign_in(&acme.member("member", &[1]).await).await;

        for (id, caller, status) in [
            (&acme.admin.user.id, &acme.admin, 403),
            (&elsewhere.id, &acme.admin, 404),
            (&acme.owner.user.id, &acme.admin, 404),
            (&shared.id, &acme.owner, 403),
            (&shared.id, &member, 403),
        ] {
            assert_eq!(remove(&acme, id, caller).await.status, status);
        }
    }

    #[tokio::test]
    async fn nobody_is_removed_from_the_default_organisation() {
        let acme = Acme::new().await;
        let team = acme.bench.organisation("Guests", 0).await.1.remove(0);
        let there = place(&OrganisationId::default_organisation(), &[&team]);
        let person = async |name: &str, role| {
            acme.bench.person_at(&format!("{name}@example.com"), role, Status::Active, there.clone()).await
        };
        let admin = acme.bench.sign_in(&person("guide", Role::ConsumerAdmin).await).await;
        let guest = person("guest", Role::TeamMember).await;

        let reply = remove(&acme, &guest.id, &admin).await;

        assert_eq!((reply.status, reply.problem()), (409, "default-organisation"));
    }

    #[tokio::test]
    async fn who_joined_another_team_meanwhile_stays() {
        let acme = Arc::new(Acme::new().await);
        let ada = acme.member("ada", &[1]).await;
        let (other, id) = (acme.clone(), ada.id.clone());
        let meanwhile = async move {
            let body = json!({"team_ids": [other.teams[1], other.teams[3]]});
            drop(Box::pin(other.change(&id, &other.owner, &body)).await);
        };
        acme.bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        let reply = remove(&acme, &ada.id, &acme.admin).await;

        assert_eq!((reply.status, reply.problem()), (403, "forbidden"));
        assert_eq!(acme.memberships(&ada.id).await, [1, 3]);
    }

    #[tokio::test]
    async fn whose_team_was_taken_from_the_admin_meanwhile_stays() {
        let acme = Arc::new(Acme::new().await);
        let ada = acme.member("ada", &[1]).await;
        acme.meanwhile(&acme.admin.user.id, json!({"team_ids": [acme.teams[2]]}));

        let reply = remove(&acme, &ada.id, &acme.admin).await;

        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        assert_eq!(acme.bench.read(&ada.id).await, ada);
    }

    #[tokio::test]
    async fn removing_takes_one_batch_and_one_transaction_and_a_lost_answer_removes_once() {
        let acme = Acme::new().await;
        let ada = acme.member("ada", &[1]).await;
        acme.bench.services.calls().fail_next("DynamoDB.TransactWriteItems", Fault::dropped().after());
        let sample = Sample::of("users-remove").id(&ada.id).by(&acme.admin);

        let (reply, calls) = acme.bench.calls(sample.send(router(app(&acme.bench)))).await;

        assert_eq!(reply.status, 204);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        let transaction = "DynamoDB.TransactWriteItems";
        assert_eq!(operations, ["DynamoDB.BatchGetItem", transaction, transaction]);
        assert_eq!(harness::write_units(&calls[..2]), 10);
        assert_eq!(acme.audited("user.removed").await.len(), 1);
    }
}
