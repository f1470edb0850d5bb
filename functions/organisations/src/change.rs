//! `PATCH /v1/organisations/{id}`: another name for an organisation, the Default Organisation too.

use axum::{Json, extract::State};
use shared::{
    domain::{audit::Actor, ids::OrganisationId},
    http::{ETag, IfMatch, PathId, Payload, Problem, RequestId, Session},
    store::Renaming,
};

use crate::{
    App,
    body::{MAX_TRIES, OrganisationBody, Rename, RenameError, open},
};

/// Renames an organisation. Two changes at once are made one after the other, unless the caller names the version to
/// start from.
#[utoipa::path(
    patch, path = "/v1/organisations/{id}",
    params(("id" = OrganisationId, Path, description = "The organisation."), IfMatch), request_body = Rename,
    responses(
        (status = 200, description = "The organisation as it stands now.", body = OrganisationBody),
        (status = 403, description = "`forbidden`: only API Owners manage organisations."),
    ),
)]
pub async fn change(
    State(app): State<App>,
    session: Session,
    PathId(id): PathId,
    if_match: IfMatch,
    request: RequestId,
    payload: Payload,
) -> Result<(ETag, Json<OrganisationBody>), Problem> {
    let (caller, mut before) = open(&app, &session, &id).await?;
    let Rename { name } = payload.read()?;
    let origin = request.origin(Actor::User(caller.id), app.clock.now());
    for _ in 0..MAX_TRIES {
        if !if_match.allows(before.version) {
            return Err(RenameError::VersionMismatch.into());
        }
        let after = before.renamed(name.clone().unwrap_or_else(|| before.name.clone()), origin.now);
        if after == before {
            return Ok(OrganisationBody::tagged(after));
        }
        match app.store.rename_organisation(&before, &after, &origin).await? {
            Renaming::Done => return Ok(OrganisationBody::tagged(after)),
            Renaming::Overtaken(now) => before = *now,
            Renaming::Gone => return Err(RenameError::Gone.into()),
        }
    }
    Err(RenameError::Overtaken.into())
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn, write_units};
    use serde_json::{Value, json};
    use shared::domain::ids::OrganisationId;

    use crate::{
        body::tests::{app, names, organisation, portal, rename, send},
        router,
    };

    async fn change(bench: &Bench, owner: &SignedIn, id: &str, body: &Value) -> Reply {
        send(bench, Sample::of("organisations-change").by(owner).id(id).body(body)).await
    }

    #[tokio::test]
    async fn an_organisation_gets_another_name_and_keeps_the_rest() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let id = acme["id"].as_str().unwrap();

        let reply = change(&bench, &owner, id, &json!({"name": " Apex "})).await;

        let now = format!("{:.3}", bench.now());
        let shown = json!({
            "id": id, "name": "Apex", "default": false, "created_at": acme["created_at"], "updated_at": now,
        });
        assert_eq!((reply.status, &reply.body, &reply.headers["etag"]), (200, &shown, &json!("\"2\"")));
        let read = send(&bench, Sample::of("organisations-read").by(&owner).id(id)).await;
        assert_eq!((&read.body, &read.headers["etag"]), (&shown, &json!("\"2\"")));
        let list = send(&bench, Sample::of("organisations-list").by(&owner).query("")).await;
        assert_eq!(names(&list), ["Default Organisation", "Apex"]);
    }

    #[tokio::test]
    async fn the_default_organisation_and_a_row_from_before_versions_are_renamed_too() {
        let (bench, owner) = portal().await;
        let default = OrganisationId::default_organisation();
        let (old, _) = bench.organisation("Old", 0).await;

        for id in [&default, &old] {
            let before = send(&bench, Sample::of("organisations-read").by(&owner).id(id)).await;
            let reply = change(&bench, &owner, id.as_str(), &json!({"name": "Guests"})).await;

            assert_eq!(before.headers["etag"], "\"1\"");
            assert_eq!((reply.status, &reply.body["name"]), (200, &json!("Guests")));
            assert_eq!(reply.headers["etag"], "\"2\"");
        }
    }

    #[tokio::test]
    async fn the_audit_tells_of_the_change_and_keeps_no_name() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;

        change(&bench, &owner, acme["id"].as_str().unwrap(), &json!({"name": "Apex"})).await;

        let events = bench.rows_in("AUDIT#").await;
        let event = events.iter().find(|event| event["action"] == "organisation.renamed").unwrap();
        assert_eq!((&event["target"], &event["changed"]), (&acme["id"], &json!(["name"])));
        assert!(!event.to_string().contains("Apex") && !event.to_string().contains("Acme"), "{event}");
    }

    #[tokio::test]
    async fn a_change_takes_one_batch_and_a_transaction_of_four_units() {
        let (bench, owner) = portal().await;
        let sample = Sample::of("organisations-change").by(&owner);

        let (reply, calls) = bench.calls(sample.send(router(app(&bench)))).await;

        assert_eq!(reply.status, 200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!(write_units(&calls), 4);
    }

    #[tokio::test]
    async fn naming_nothing_or_the_same_name_writes_nothing() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let before = bench.rows().await;

        for body in [json!({}), json!({"name": "Acme"})] {
            let reply = change(&bench, &owner, acme["id"].as_str().unwrap(), &body).await;
            assert_eq!((reply.status, &reply.body, &reply.headers["etag"]), (200, &acme, &json!("\"1\"")));
        }

        assert_eq!(bench.rows().await, before);
    }

    #[tokio::test]
    async fn a_faulty_name_and_an_unknown_field_are_refused_at_once() {
        let (bench, owner) = portal().await;
        let id = OrganisationId::default_organisation();

        for (body, faults) in [
            (json!({"name": null, "default": true}), vec![("/name", "required"), ("/default", "unknown_field")]),
            (json!({"name": "\n"}), vec![("/name", "invalid_name")]),
        ] {
            let reply = change(&bench, &owner, id.as_str(), &body).await;
            assert_eq!((reply.status, reply.faults()), (422, faults));
        }
    }

    #[tokio::test]
    async fn a_change_from_another_version_is_refused_and_from_the_right_one_made() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let ask = |tag: &str, name: &str| {
            let sample = Sample::of("organisations-change").by(&owner).id(acme["id"].as_str().unwrap());
            sample.header("if-match", tag).body(&json!({"name": name}))
        };

        let first = send(&bench, ask("\"1\"", "Apex")).await;
        let second = send(&bench, ask("\"1\"", "Other")).await;
        let third = send(&bench, ask("\"2\"", "Other")).await;

        assert_eq!((first.status, second.status, second.problem()), (200, 412, "version-mismatch"));
        assert_eq!((third.status, &third.body["name"]), (200, &json!("Other")));
    }

    #[tokio::test]
    async fn two_changes_at_once_are_made_one_after_the_other_unless_held_to_a_version() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let id = acme["id"].as_str().unwrap().to_owned();
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", rename(&bench, &id, "Apex"));

        let merged = change(&bench, &owner, &id, &json!({"name": "Summit"})).await;

        assert_eq!((merged.status, &merged.headers["etag"]), (200, &json!("\"3\"")));
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", rename(&bench, &id, "Apex"));
        let sample = Sample::of("organisations-change").by(&owner).id(&id).header("if-match", "\"3\"");
        let held = send(&bench, sample.body(&json!({"name": "Peak"}))).await;
        assert_eq!((held.status, held.problem()), (412, "version-mismatch"));
    }

    #[tokio::test]
    async fn who_is_overtaken_again_and_again_is_told_to_try_later() {
        let (bench, owner) = portal().await;
        let acme = organisation(&bench, &owner, "Acme").await;
        let id = acme["id"].as_str().unwrap();
        for version in 2..7 {
            let overtake = bench.overwrite_row(&format!("ORG#{id}"), "ORG", "version", &json!(version));
            bench.services.calls().before_next("DynamoDB.TransactWriteItems", overtake);
        }

        let reply = change(&bench, &owner, id, &json!({"name": "Never"})).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert_eq!(reply.headers["retry-after"], "1");
    }

    #[tokio::test]
    async fn an_organisation_that_goes_before_the_write_is_not_found() {
        let (bench, owner) = portal().await;
        let (acme, _) = bench.organisation("Acme", 0).await;
        let gone = bench.discard(&format!("ORG#{acme}"), "ORG");
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", gone);

        let reply = change(&bench, &owner, acme.as_str(), &json!({"name": "Late"})).await;

        assert_eq!((reply.status, reply.problem()), (404, "not-found"));
        assert!(bench.rows_in(&format!("ORG#{acme}")).await.is_empty());
    }
}
