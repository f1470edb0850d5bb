//! `GET /v1/users/{id}`: one person.

use axum::{Json, extract::State};
use shared::{
    domain::{
        ids::UserId,
        rights::{Action, decide},
    },
    http::{ETag, PathId, Problem, Session, UserBody, admit},
};

use crate::App;

/// Why a person is not shown.
#[derive(Debug)]
pub enum ReadError {
    /// There is no such person.
    Unknown,
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unknown => Self::not_found(),
        }
    }
}

/// Shows one person to API Owners and to the Consumer Admins of a shared team.
#[utoipa::path(
    get, path = "/v1/users/{id}",
    params(("id" = UserId, Path, description = "The person.")),
    responses(
        (status = 200, description = "The person.", body = UserBody,
            headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: Team Members read nobody."),
    ),
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
) -> Result<(ETag, Json<UserBody>), Problem> {
    let id = UserId::parse(&id);
    let (caller, person, mut places) =
        app.store.caller_and_person(&session.user_id, id.as_ref().unwrap_or(&session.user_id)).await?;
    let caller = admit(&session, caller)?;
    // The role is judged first, by oneself as the target, so that nobody learns by it who exists.
    decide(&caller, Action::ReadPerson(&caller))?;
    let person = person.filter(|_| id.is_some()).ok_or(ReadError::Unknown)?;
    decide(&caller, Action::ReadPerson(&person))?;
    app.store.complete_places(&mut places, std::slice::from_ref(&person)).await?;
    Ok((ETag(person.version), Json(UserBody::new(&caller, person, &places))))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::json;
    use shared::domain::{
        ids::TeamId,
        user::{Role, Status},
    };

    use super::*;
    use crate::{
        list::tests::{app, place, portal, send},
        router,
    };

    async fn read(bench: &Bench, id: impl std::fmt::Display, caller: &SignedIn) -> Reply {
        send(bench, Sample::of("users-read").id(id).by(caller)).await
    }

    #[tokio::test]
    async fn an_api_owner_reads_anybody() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 1).await;
        let ada = place(&acme, &[&teams[0], &teams[1]]);
        let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Unconfirmed, ada).await;

        let reply = read(&bench, &ada.id, &owner).await;

        let shown = json!({
            "id": ada.id,
            "email": "ada@example.com",
            "first_name": "Grace",
            "last_name": "Hopper",
            "status": "unconfirmed",
            "role": "team_member",
            "organisation": {"id": acme, "name": "Acme"},
            "teams": [{"id": teams[0], "name": "Acme team 0"}, {"id": teams[1], "name": "Acme team 1"}],
            "must_change_password": false,
            "source": "api_owner",
            "mail_status": "ok",
            "attributes": {},
            "created_at": ada.created_at,
            "updated_at": ada.updated_at,
            "last_login_at": null,
        });
        assert_eq!((reply.status, reply.body, &reply.headers["etag"]), (200, shown, &json!("\"2\"")));
        assert_eq!(read(&bench, &owner.user.id, &owner).await.body["role"], "api_owner");
    }

    #[tokio::test]
    async fn a_consumer_admin_reads_people_of_shared_teams_and_learns_of_nobody_else() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 2).await;
        let person = async |name: &str, status: Status, teams: &[&TeamId]| {
            let place = place(&acme, teams);
            bench.person_at(&format!("{name}@example.com"), Role::ConsumerAdmin, status, place).await
        };
        let admin = bench.sign_in(&person("admin", Status::Active, &[&teams[1]]).await).await;
        let shared = person("shared", Status::Active, &[&teams[2], &teams[1]]).await;
        let elsewhere = person("elsewhere", Status::Active, &[&teams[2]]).await;
        let unconfirmed = person("unconfirmed", Status::Unconfirmed, &[&teams[1]]).await;
        let stranger = bench.person("stranger@example.com", Role::TeamMember, Status::Active).await;
        let nobody = UserId::new(bench.now(), 7);

        let reply = read(&bench, &shared.id, &admin).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["teams"], json!([{"id": teams[1], "name": "Acme team 1"}]));
        assert_eq!(read(&bench, &admin.user.id, &admin).await.status, 200);
        let unseen = [&elsewhere.id, &unconfirmed.id, &stranger.id, &owner.user.id, &nobody];
        for id in unseen {
            let mut reply = read(&bench, id, &admin).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"));
            let mut unknown = read(&bench, &nobody, &admin).await;
            for reply in [&mut reply, &mut unknown] {
                reply.body["request_id"] = json!(null);
            }
            assert_eq!(reply, unknown);
        }
    }

    #[tokio::test]
    async fn strangers_in_the_default_place_do_not_read_each_other() {
        let bench = Bench::new().await;
        let stranger = bench.person("stranger@example.com", Role::TeamMember, Status::Active).await;
        let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;

        assert_eq!(read(&bench, &stranger.id, &admin).await.status, 404);
    }

    #[tokio::test]
    async fn a_team_member_reads_nobody_and_learns_nothing() {
        let bench = Bench::new().await;
        let member = bench.signed_in("member@example.com", Role::TeamMember).await;
        let nobody = UserId::new(bench.now(), 7);
        for id in [member.user.id.as_str(), nobody.as_str(), "nonsense"] {
            let reply = read(&bench, id, &member).await;
            assert_eq!((reply.status, reply.problem()), (403, "forbidden"), "{id}");
        }
    }

    #[tokio::test]
    async fn what_is_no_id_is_not_found() {
        let (bench, owner) = portal().await;
        let shouted = owner.user.id.as_str().to_uppercase();
        for id in ["usr_", "me", "%ff", "%20", "team_01kf0ev11gzqq463a0qnbxxtp1", &shouted] {
            let reply = read(&bench, id, &owner).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{id}");
        }
    }

    #[tokio::test]
    async fn a_token_that_does_not_count_is_refused() {
        let (bench, owner) = portal().await;
        let ask = || Sample::of("users-read").id(&owner.user.id).by(&owner);
        let refused = [ask().without_token(), ask().claim("token_use", "id"), ask().claim("origin_jti", "another")];
        for sample in refused {
            let reply = send(&bench, sample).await;
            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
            assert!(reply.headers.contains_key("www-authenticate"));
        }
        bench.overwrite(&owner.user.id, "status", &json!("inactive")).await;
        assert_eq!(send(&bench, ask()).await.status, 401);
    }

    #[tokio::test]
    async fn reading_takes_one_batch_and_one_more_for_names_beyond_the_default_place() {
        let (bench, owner) = portal().await;
        let (acme, teams) = bench.organisation("Acme", 0).await;
        let near = bench.person("near@example.com", Role::TeamMember, Status::Active).await;
        let far = place(&acme, &[&teams[0]]);
        let far = bench.person_at("far@example.com", Role::TeamMember, Status::Active, far).await;
        for (person, batches) in [(near, 1), (far, 2)] {
            let sample = Sample::of("users-read").id(&person.id).by(&owner);

            let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

            assert_eq!(reply.status, 200);
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(operations, vec!["DynamoDB.BatchGetItem"; batches]);
        }
    }
}
