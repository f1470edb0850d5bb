//! `GET /v1/email-templates/{event}`: the templates by which an event's mails are made.

use axum::{Json, extract::State};
use shared::{
    http::{ETag, PathId, Problem, Session},
    mail::Event,
};

use super::{Asked, TemplateBody, etag, find};
use crate::App;

/// Reads an event's templates: what an API Owner made of them, or the built-in ones.
#[utoipa::path(
    get, path = "/v1/email-templates/{event}",
    params(("event" = Event, Path, description = "What the mails are about.")),
    responses(
        (status = 200, description = "The templates.", body = TemplateBody, headers(("ETag" = String, description = "The version, for `If-Match`."))),
        (status = 403, description = "`forbidden`: only API Owners manage templates."),
    ),
)]
pub async fn read(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
) -> Result<(ETag, Json<TemplateBody>), Problem> {
    let Asked { event, changed, portal_name, .. } = find(&app, &session, &name).await?;
    Ok((etag(changed.as_ref()), Json(TemplateBody::new(event, changed.as_ref(), &portal_name))))
}

#[cfg(test)]
mod tests {
    use harness::Sample;
    use serde_json::json;

    use crate::{
        change::tests::{portal, send},
        templates::change::tests::{only_owners, read},
    };

    #[tokio::test]
    async fn what_is_built_in_is_shown_as_long_as_nobody_changed_it() {
        let (bench, owner) = portal().await;

        let (reply, calls) = bench.calls(read(&bench, &owner, "invitation")).await;

        assert_eq!((reply.status, &reply.headers["etag"], calls.len()), (200, &json!("\"0\""), 1));
        let body = &reply.body;
        assert_eq!(
            (&body["event"], &body["changed"], &body["needs_link"]),
            (&json!("invitation"), &json!(false), &json!(true))
        );
        assert!(body["text"].as_str().unwrap().contains("{{ link }}"));
        let names: Vec<_> = body["variables"].as_array().unwrap().iter().map(|variable| &variable["name"]).collect();
        let expected =
            ["first_name", "inviter", "organisation", "teams", "expires_at", "link", "portal_name", "portal_url"];
        assert_eq!(names, expected);
        assert_eq!(body["variables"][6]["sample"], "Developer portal");
    }

    #[tokio::test]
    async fn an_event_that_there_is_not_is_not_found() {
        let (bench, owner) = portal().await;

        for name in [
            "settings-read-template",
            "settings-change-template",
            "settings-reset-template",
            "settings-preview-template",
        ] {
            let reply = send(&bench, Sample::of(name).by(&owner).parameter("event", "Invitation")).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{name}");
        }
    }

    #[tokio::test]
    async fn only_owners_read_templates() {
        let (bench, owner) = portal().await;

        only_owners(&bench, &owner, "settings-read-template").await;
    }
}
