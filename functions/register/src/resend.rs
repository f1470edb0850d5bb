//! `POST /v1/registrations/resend`: mails the confirmation again and voids every earlier link.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::{audit::Actor, email::Email},
    http::{Empty, Fields, FromFields, Payload, Problem, RequestId, text},
};
use utoipa::ToSchema;

use crate::App;

/// Which address.
#[derive(Debug, ToSchema)]
#[schema(as = ResendConfirmation)]
pub struct Resend {
    /// Which address.
    email: Email,
}

impl FromFields for Resend {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { email: fields.required("email", text(Email::parse))? })
    }
}

/// Why no mail is sent again.
#[derive(Debug)]
pub enum ResendError {
    /// No sender is set.
    NoSender,
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::NoSender => Self::mail_not_configured(),
        }
    }
}

/// Sends the confirmation mail again where the address waits for it. The answer is the same for every address.
#[utoipa::path(
    post, path = "/v1/registrations/resend",
    request_body = Resend,
    responses(
        (status = 202, description = "The same for every address.", body = Empty),
        (status = 409, description = "`mail-not-configured`: nothing can be sent."),
    ),
)]
pub async fn resend(
    State(app): State<App>,
    request: RequestId,
    payload: Payload,
) -> Result<(StatusCode, Json<Empty>), Problem> {
    let Resend { email } = payload.read()?;
    let facts = app.store.registration_facts(&email).await?;
    if facts.settings.sender.is_none() {
        return Err(ResendError::NoSender.into());
    }
    let origin = request.origin(Actor::Visitor, app.clock.now());
    app.store.resend_confirmation(&email, facts.known.as_ref(), &origin).await?;
    Ok((StatusCode::ACCEPTED, Json(Empty {})))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Reply, Sample};
    use serde_json::json;
    use shared::domain::user::{Role, Status};

    use crate::{
        register::tests::{ada, app, register},
        router,
    };

    async fn resend(bench: &Bench, address: &str) -> Reply {
        let body = json!({"email": address});
        Sample::of("register-resend").body(&body).send(router(app(bench))).await
    }

    #[tokio::test]
    async fn a_waiting_address_gets_a_new_mail_and_a_longer_wait() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        bench.advance(jiff::SignedDuration::from_hours(24));

        let reply = resend(&bench, "ADA@example.com").await;

        assert_eq!((reply.status, reply.body), (202, json!({})));
        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration", "confirm_registration"]);
        let since = bench.now() + jiff::SignedDuration::from_millis(1);
        let waiting = bench.store.people_since(Status::Unconfirmed, since, None, 10).await.unwrap().rows;
        assert_eq!(waiting.first().map(|user| user.as_ref().unwrap().status_since), Some(bench.now()));
    }

    #[tokio::test]
    async fn every_address_gets_the_same_answer_by_the_same_calls() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        bench.person("settled@example.com", Role::TeamMember, Status::Active).await;
        let ask = async |address: &str| {
            let (reply, calls) = bench.calls(resend(&bench, address)).await;
            (reply, calls.into_iter().map(|call| call.operation).collect::<Vec<_>>())
        };

        let waiting = ask("ada@example.com").await;

        assert_eq!(waiting.1, ["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]);
        assert_eq!(ask("settled@example.com").await, waiting);
        assert_eq!(ask("nobody@example.com").await, waiting);
        assert_eq!(bench.mail_events("settled@example.com").await, ["welcome"]);
        assert_eq!(bench.mail_events("nobody@example.com").await, [""; 0]);
    }

    #[tokio::test]
    async fn two_resends_at_once_send_one_mail() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        let rival = app(&bench);
        let meanwhile = async move {
            let body = json!({"email": "ada@example.com"});
            Sample::of("register-resend").body(&body).send(router(rival)).await;
        };
        bench.services.calls().before_next("DynamoDB.TransactWriteItems", meanwhile);

        assert_eq!(resend(&bench, "ada@example.com").await.status, 202);

        assert_eq!(bench.mail_events("ada@example.com").await, ["confirm_registration", "confirm_registration"]);
    }

    #[tokio::test]
    async fn over_five_mails_an_hour_none_goes_out_and_no_link_is_voided() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        for _ in 0..5 {
            bench.advance(jiff::SignedDuration::from_millis(1));
            resend(&bench, "ada@example.com").await;
        }
        let newest = bench.token("ada@example.com").await;

        let (reply, calls) = bench.calls(resend(&bench, "ada@example.com")).await;

        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!((reply.status, operations), (202, vec!["DynamoDB.BatchGetItem", "DynamoDB.TransactWriteItems"]));
        assert_eq!(bench.token("ada@example.com").await, newest);
        assert_eq!(bench.mail_events("ada@example.com").await.len(), 6);
        let body = json!({"token": newest, "password": harness::PASSWORD});
        assert_eq!(Sample::of("register-confirm").body(&body).send(router(app(&bench))).await.status, 200);
    }

    #[tokio::test]
    async fn a_repeated_registration_and_a_resend_share_the_five() {
        let bench = Bench::new().await;
        register(&bench, &ada()).await;
        for _ in 0..4 {
            register(&bench, &ada()).await;
            resend(&bench, "ada@example.com").await;
        }

        assert_eq!(bench.mail_events("ada@example.com").await.len(), 1 + 5);
    }

    #[tokio::test]
    async fn without_a_sender_there_is_no_mail_to_send() {
        let bench = Bench::new().await;
        bench.set(|settings| settings.sender = None).await;

        assert_eq!(resend(&bench, "ada@example.com").await.problem(), "mail-not-configured");
    }
}
