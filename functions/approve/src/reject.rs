//! `POST /v1/users/{id}/reject`: refuses a waiting registration, with a reason.

use axum::{Json, extract::State};
use shared::{
    domain::{ids::UserId, reason, transition::Transition},
    http::{Fields, FromFields, PathId, Payload, Problem, RequestId, Session, UserBody, text},
    store::Terms,
};
use utoipa::ToSchema;

use crate::{App, act};

/// Why the registration is refused, in words for the applicant.
#[derive(Debug, ToSchema)]
#[schema(as = RejectUser)]
pub struct Reject {
    /// The reason; without one, none is mailed.
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

impl FromFields for Reject {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { reason: fields.optional("reason", text(reason::parse)) })
    }
}

/// Rejects a waiting registration. The reason is mailed to the applicant and kept nowhere but in that mail.
#[utoipa::path(
    post, path = "/v1/users/{id}/reject",
    params(("id" = UserId, Path, description = "The person.")), request_body = Option<Reject>,
    responses(
        (status = 200, description = "The person, who is rejected now.", body = UserBody),
        (status = 403, description = "`forbidden`: only API Owners decide, and nobody about themselves."),
        (status = 409, description = "`wrong-status`: the person is not pending; `user_status` says what they are."),
    ),
)]
pub async fn reject(
    State(app): State<App>,
    session: Session,
    request: RequestId,
    PathId(id): PathId,
    payload: Payload,
) -> Result<Json<UserBody>, Problem> {
    let case = act::open(&app, &session, &id, &Terms::default()).await?;
    let body: Reject = payload.read()?;
    act::act(&app, &request, case, Transition::Reject, body.reason.as_deref()).await.map(Json)
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, SignedIn};
    use serde_json::{Value, json};
    use shared::domain::user::{Role, Status, User};

    use crate::act::tests::{audited, portal, request, send};
    use shared::domain::reason::MAX_REASON;

    const ADA: &str = "ada@example.com";

    async fn waiting() -> (Bench, SignedIn, User) {
        let (bench, owner) = portal().await;
        let ada = bench.person(ADA, Role::TeamMember, Status::Pending).await;
        (bench, owner, ada)
    }

    async fn reject(bench: &Bench, ada: &User, owner: &SignedIn, body: &Value) -> Reply {
        send(bench, request("reject", &ada.id, owner).body(body)).await
    }

    #[tokio::test]
    async fn a_rejected_registration_is_told_the_reason() {
        let (bench, owner, ada) = waiting().await;

        let reply = send(&bench, request("reject", &ada.id, &owner)).await;

        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("rejected")));
        assert_eq!(bench.read(&ada.id).await.status, Status::Rejected);
        assert_eq!(bench.mail_events(ADA).await, ["rejected"]);
        let mail = bench.mails(ADA).await.remove(0);
        assert!(mail.text.unwrap().contains("The programme is open to partners only."));
        assert!(mail.html.unwrap().contains("The programme is open to partners only."));
    }

    #[tokio::test]
    async fn a_reason_is_not_needed() {
        let (bench, owner, ada) = waiting().await;

        let reply = send(&bench, request("reject", &ada.id, &owner).raw_body("", "application/json")).await;

        assert_eq!(reply.status, 200);
        let mail = bench.mails(ADA).await.remove(0);
        assert!(!mail.text.unwrap().contains("reason"));
        assert!(!mail.html.unwrap().contains("reason"));
    }

    #[tokio::test]
    async fn null_is_no_reason() {
        let (bench, owner, ada) = waiting().await;

        assert_eq!(reject(&bench, &ada, &owner, &json!({"reason": null})).await.status, 200);

        assert!(!bench.mails(ADA).await.remove(0).text.unwrap().contains("reason"));
    }

    #[tokio::test]
    async fn markup_in_a_reason_stays_text_and_lines_stay_lines() {
        let (bench, owner, ada) = waiting().await;
        let reason = "<b>\"No\" & never</b>\n\tSee <a href='https://evil.example'>here</a>";

        assert_eq!(reject(&bench, &ada, &owner, &json!({"reason": reason})).await.status, 200);

        let mail = bench.mails(ADA).await.remove(0);
        assert!(mail.text.unwrap().contains(reason));
        let html = mail.html.unwrap();
        assert!(html.contains("&lt;b&gt;&quot;No&quot; &amp; never&lt;") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("<a href='https://evil"), "{html}");
    }

    #[tokio::test]
    async fn a_reason_has_bounds() {
        let (bench, owner, ada) = waiting().await;
        let long = "é".repeat(MAX_REASON + 1);
        for reason in ["", " \n ", "a\u{0}b", "bell\u{7}", "c1\u{9b}31m", &long] {
            let reply = reject(&bench, &ada, &owner, &json!({"reason": reason})).await;
            assert_eq!((reply.status, reply.faults()), (422, vec![("/reason", "invalid_reason")]), "{reason:?}");
        }
        let odd = reject(&bench, &ada, &owner, &json!({"reason": ["no"], "status": "active"})).await;
        assert_eq!(odd.faults(), [("/reason", "not_a_string"), ("/status", "unknown_field")]);
        assert_eq!(bench.read(&ada.id).await, ada);

        let longest = "é".repeat(MAX_REASON);
        assert_eq!(reject(&bench, &ada, &owner, &json!({"reason": format!(" {longest}\n")})).await.status, 200);
        assert!(bench.mails(ADA).await.remove(0).text.unwrap().contains(&longest));
    }

    #[tokio::test]
    async fn the_reason_is_kept_in_the_mail_alone() {
        let (bench, owner, ada) = waiting().await;

        reject(&bench, &ada, &owner, &json!({"reason": "A canary sings."})).await;

        let mut rows = bench.rows().await;
        rows.retain(|row| row.to_string().contains("canary"));
        assert_eq!(rows.len(), 1);
        assert!(rows[0]["pk"].as_str().unwrap().starts_with("OUTBOX#"));
        let event = audited(&bench, "user.rejected").await;
        assert_eq!((&event["before"]["status"], &event["after"]["status"]), (&json!("pending"), &json!("rejected")));
    }

    #[tokio::test]
    async fn whoever_is_rejected_does_not_get_in() {
        let (bench, owner, ada) = waiting().await;

        send(&bench, request("reject", &ada.id, &owner)).await;

        let again = send(&bench, request("approve", &ada.id, &owner)).await;
        assert_eq!((again.status, again.problem()), (409, "wrong-status"));
        assert_eq!(bench.read(&ada.id).await.status, Status::Rejected);
    }
}
