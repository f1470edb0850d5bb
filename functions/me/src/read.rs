//! `GET /v1/me`: who one is here.

use axum::{Json, extract::State};
use shared::{
    domain::{
        rights::{Action, decide},
        user::User,
    },
    http::{ETag, Problem, Session, UserBody, admit},
    store::Places,
};

use crate::App;

/// Shows the caller's own account.
#[utoipa::path(
    get, path = "/v1/me",
    responses(
        (status = 200, description = "Who one is.", body = UserBody, headers(("ETag" = String, description = "The version, for `If-Match`."))),
    ),
)]
pub async fn read(State(app): State<App>, session: Session) -> Result<(ETag, Json<UserBody>), Problem> {
    let (caller, places) = account(&app, &session).await?;
    shown(&app, caller, places).await
}

/// The caller as they now stand in the table, with what attributes there are.
pub(crate) async fn account(app: &App, session: &Session) -> Result<(User, Places), Problem> {
    let (caller, attributes) = app.store.person_and_attributes(&session.user_id).await?;
    let caller = admit(session, caller)?;
    decide(&caller, Action::OwnAccount)?;
    Ok((caller, Places::with_attributes(attributes)))
}

/// The caller as they see themselves, with the version of what is shown: one batch for the names of their places.
pub(crate) async fn shown(app: &App, caller: User, places: Places) -> Result<(ETag, Json<UserBody>), Problem> {
    let mut places = places;
    app.store.complete_places(&mut places, std::slice::from_ref(&caller)).await?;
    Ok((ETag(caller.version), Json(UserBody::new(&caller, caller.clone(), &places))))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Reply, Sample, SignedIn};
    use serde_json::{Value, json};
    use shared::domain::{
        ids::{OrganisationId, TeamId, UserId},
        organisation::Placement,
        transition::Transition,
        user::{Role, Status},
    };

    use super::*;
    use crate::router;

    async fn send(bench: &Bench, request: Sample) -> Reply {
        let (store, identity, clock) = (bench.store.clone(), bench.identity.clone(), bench.clock.clone());
        request.send(router(App { store, identity, clock })).await
    }

    async fn me(bench: &Bench, caller: &SignedIn) -> Reply {
        send(bench, Sample::of("me-read").by(caller)).await
    }

    fn refused(reply: &Reply) {
        assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"));
        assert_eq!(reply.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }

    #[tokio::test]
    async fn one_sees_ones_own_account_whole() {
        let bench = Bench::new().await;
        let (acme, teams) = bench.organisation("Acme", 2).await;
        let place = Placement { organisation_id: acme.clone(), team_ids: vec![teams[2].clone(), teams[0].clone()] };
        let ada = bench.person_at("ada@example.com", Role::TeamMember, Status::Active, Some(place)).await;
        let ada = bench.sign_in(&ada).await;

        let reply = me(&bench, &ada).await;

        let shown = json!({
            "id": ada.user.id,
            "email": "ada@example.com",
            "first_name": "Grace",
            "last_name": "Hopper",
            "status": "active",
            "role": "team_member",
            "organisation": {"id": acme, "name": "Acme"},
            "teams": [{"id": teams[2], "name": "Acme team 2"}, {"id": teams[0], "name": "Acme team 0"}],
            "must_change_password": false,
            "source": "api_owner",
            "mail_status": "ok",
            "attributes": {},
            "created_at": ada.user.created_at,
            "updated_at": ada.user.updated_at,
            "last_login_at": ada.user.last_login_at.unwrap(),
        });
        assert_eq!((reply.status, reply.body), (200, shown));
        assert_eq!(reply.headers["etag"], "\"2\"");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["x-request-id"], Sample::of("me-read").event()["requestContext"]["requestId"]);
    }

    #[tokio::test]
    async fn logging_in_changes_no_version() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        let before = me(&bench, &ada).await;

        let ada = bench.sign_in(&ada.user).await;

        assert_eq!(me(&bench, &ada).await.headers["etag"], before.headers["etag"]);
    }

    #[tokio::test]
    async fn instants_are_utc_in_rfc_3339() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

        let reply = me(&bench, &ada).await;

        for field in ["created_at", "updated_at", "last_login_at"] {
            let instant = reply.body[field].as_str().unwrap();
            assert!(instant.starts_with("2026-01-15T09:30:00") && instant.ends_with('Z'), "{instant}");
        }
    }

    #[tokio::test]
    async fn every_role_reads_itself_strangers_in_the_default_place_too() {
        let bench = Bench::new().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        let admin = bench.signed_in("admin@example.com", Role::ConsumerAdmin).await;

        let (owner, admin) = (me(&bench, &owner).await.body, me(&bench, &admin).await.body);

        assert_eq!((&owner["organisation"], &owner["teams"]), (&Value::Null, &json!([])));
        let default = json!({"id": OrganisationId::default_organisation(), "name": "Default Organisation"});
        assert_eq!(admin["organisation"], default);
        assert_eq!(admin["teams"], json!([{"id": TeamId::default_team(), "name": "Default team"}]));
    }

    #[tokio::test]
    async fn a_request_takes_one_read_of_the_caller_and_one_of_names() {
        let bench = Bench::new().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        let member = bench.signed_in("member@example.com", Role::TeamMember).await;
        for (caller, reads) in [(&owner, 1), (&member, 2)] {
            let (reply, calls) = bench.calls(me(&bench, caller)).await;

            assert_eq!(reply.status, 200);
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(operations, vec!["DynamoDB.BatchGetItem"; reads]);
            let portal = &calls[0].request["RequestItems"][bench.services.portal_table()];
            // The caller, and what attributes there are.
            assert_eq!((&portal["ConsistentRead"], portal["Keys"].as_array().unwrap().len()), (&json!(true), 2));
        }
    }

    #[tokio::test]
    async fn without_a_token_or_with_another_kind_of_token_nobody_is_let_in() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        let other = bench.signed_in("other@example.com", Role::ApiOwner).await;
        let ask = || Sample::of("me-read").by(&ada);

        refused(&send(&bench, ask().without_token()).await);
        refused(&send(&bench, ask().claim("token_use", "id")).await);
        refused(&send(&bench, ask().claim("token_use", "")).await);
        refused(&send(&bench, ask().claim("origin_jti", other.session.as_str())).await);
        refused(&send(&bench, ask().claim("origin_jti", "")).await);
        refused(&send(&bench, ask().claim("username", other.user.id.as_str())).await);
        refused(&send(&bench, ask().claim("username", "ada@example.com")).await);
        refused(&send(&bench, ask().claim("username", UserId::new(bench.now(), 7).as_str())).await);
        // The sample as it is: somebody whom this portal does not know.
        refused(&send(&bench, Sample::of("me-read")).await);
        assert_eq!(send(&bench, ask()).await.status, 200);
    }

    #[tokio::test]
    async fn who_is_refused_costs_one_read_and_without_claims_none() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;

        let (_, ended) = bench.calls(send(&bench, Sample::of("me-read").by(&ada).claim("origin_jti", "x"))).await;
        let (_, without) = bench.calls(send(&bench, Sample::of("me-read").without_token())).await;

        assert_eq!((ended.len(), without.len()), (1, 0));
    }

    #[tokio::test]
    async fn an_ended_session_counts_no_more_and_the_others_do() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        let elsewhere = bench.sign_in(&ada.user).await;
        bench.store.close_session(&ada.user.id, &ada.session).await.unwrap();

        refused(&me(&bench, &ada).await);
        assert_eq!(me(&bench, &elsewhere).await.status, 200);

        bench.store.close_all_sessions(&ada.user.id).await.unwrap();
        refused(&me(&bench, &elsewhere).await);
    }

    #[tokio::test]
    async fn only_the_active_are_let_in_whatever_their_session() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        for status in Status::ALL {
            bench.overwrite(&ada.user.id, "status", &json!(status)).await;
            let reply = me(&bench, &ada).await;
            if status == Status::Active { assert_eq!(reply.status, 200) } else { refused(&reply) }
        }
        bench.overwrite(&ada.user.id, "status", &json!("active")).await;
        bench.store.transition(&ada.user, Transition::Deactivate, None, &bench.origin()).await.unwrap();
        refused(&me(&bench, &ada).await);
        bench.erase(&ada.user.id).await;
        refused(&me(&bench, &ada).await);
    }

    #[tokio::test]
    async fn a_change_of_role_shows_with_the_next_request() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        bench.overwrite(&ada.user.id, "role", &json!("consumer_admin")).await;

        assert_eq!(me(&bench, &ada).await.body["role"], "consumer_admin");
    }

    #[tokio::test]
    async fn a_table_that_fails_or_holds_nonsense_is_told_without_its_inside() {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        let calls = bench.services.calls();
        calls.fail_next("DynamoDB.BatchGetItem", Fault::refused("AccessDeniedException", "arn:secret"));
        let failed = me(&bench, &ada).await;
        calls.fail_next("DynamoDB.BatchGetItem", Fault::throttled().times(3));
        let throttled = me(&bench, &ada).await;
        bench.overwrite(&ada.user.id, "email", &json!("no address")).await;
        let corrupt = me(&bench, &ada).await;

        assert_eq!((throttled.status, throttled.problem()), (503, "try-again"));
        for reply in [failed, corrupt] {
            assert_eq!((reply.status, reply.problem()), (500, "internal"));
            let told = reply.body.to_string();
            assert!(["arn:", "no address", "USER#"].into_iter().all(|inside| !told.contains(inside)), "{told}");
        }
    }
}
