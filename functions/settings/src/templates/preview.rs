//! `POST /v1/email-templates/{event}/preview`: a mail as it would read, made of samples; nothing is sent or kept.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    http::{LargePayload, PathId, Problem, Session},
    mail::Event,
};
use utoipa::ToSchema;

use super::{Asked, MAX_BODY_KIB, current, find, read_parts};
use crate::App;

/// The templates to try; what is absent is as it is in use.
#[derive(Debug, ToSchema)]
#[schema(as = TryTemplate)]
#[expect(dead_code, reason = "written down, not read: what a template may say hangs on its event")]
struct Draft {
    /// The subject.
    #[schema(max_length = 500)]
    subject: Option<String>,
    /// The text.
    #[schema(max_length = 98_304)]
    text: Option<String>,
    /// The HTML.
    #[schema(max_length = 98_304)]
    html: Option<String>,
}

/// A mail as it would read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MailPreview)]
pub struct PreviewBody {
    /// The subject, with samples for variables.
    subject: String,
    /// The plain text, with samples for variables.
    text: String,
    /// The HTML, with samples for variables.
    html: String,
}

/// Shows a mail by the templates that are sent along; those that are not are the ones that are in use.
#[utoipa::path(
    post, path = "/v1/email-templates/{event}/preview",
    params(("event" = Event, Path, description = "What the mails are about.")), request_body = Option<Draft>,
    responses(
        (status = 200, description = "The mail.", body = PreviewBody),
        (status = 403, description = "`forbidden`: only API Owners manage templates."),
    ),
)]
pub async fn preview(
    State(app): State<App>,
    session: Session,
    PathId(name): PathId,
    LargePayload(payload): LargePayload<MAX_BODY_KIB>,
) -> Result<Json<PreviewBody>, Problem> {
    let Asked { event, changed, portal_name, .. } = find(&app, &session, &name).await?;
    let current = current(event, changed.as_ref());
    let draft = payload.read_with(|fields| read_parts(fields, event, &portal_name, Some(&current)))?;
    let mail = draft.preview(event, &portal_name).map_err(|error| Problem::internal(error.kind()))?;
    Ok(Json(PreviewBody { subject: mail.subject, text: mail.text, html: mail.html }))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample, SignedIn};
    use serde_json::{Value, json};

    use crate::{
        change::tests::{portal, send},
        templates::change::tests::{change, only_owners},
    };

    async fn preview(bench: &Bench, owner: &SignedIn, event: &str, body: &Value) -> Reply {
        send(bench, Sample::of("settings-preview-template").by(owner).parameter("event", event).body(body)).await
    }

    #[tokio::test]
    async fn a_draft_is_shown_with_samples_and_neither_kept_nor_sent() {
        let (bench, owner) = portal().await;
        let draft = json!({"subject": "No, {{ first_name }}", "html": "<p>{{ reason }}</p>"});
        let draft = |html: &str| {
            let mut draft = draft.clone();
            draft["html"] = json!(html);
            draft
        };

        let (reply, calls) =
            bench.calls(preview(&bench, &owner, "rejected", &draft("<p>{{ reason|default('-') }}</p>"))).await;

        assert_eq!((reply.status, calls.len()), (200, 1));
        assert_eq!(reply.body["subject"], "No, Ada");
        assert_eq!(reply.body["html"], "<p>We know nobody of this name.</p>");
        assert!(reply.body["text"].as_str().unwrap().starts_with("Hello Ada,\n"));
        assert_eq!(bench.rows_in("TEMPLATE#").await.len(), 0);
        assert!(bench.mails("ada@example.com").await.is_empty());
        let refused = preview(&bench, &owner, "rejected", &draft("<p>{{ reason }}</p>")).await;
        assert_eq!(refused.faults(), [("/html", "invalid_template")]);
    }

    #[tokio::test]
    async fn without_a_draft_the_mail_in_use_is_shown() {
        let (bench, owner) = portal().await;
        change(&bench, &owner, "rejected", &json!({"subject": "Changed"})).await;
        let bare = Sample::of("settings-preview-template").by(&owner).parameter("event", "rejected");

        let reply = send(&bench, bare.raw_body("", "application/json")).await;

        assert_eq!((reply.status, &reply.body["subject"]), (200, &json!("Changed")));
        let invitation = preview(&bench, &owner, "invitation", &json!({})).await;
        assert!(invitation.body["text"].as_str().unwrap().contains("\nhttps://portal.example.com/accept#token="));
    }

    #[tokio::test]
    async fn only_owners_preview_templates() {
        let (bench, owner) = portal().await;

        only_owners(&bench, &owner, "settings-preview-template").await;
    }
}
