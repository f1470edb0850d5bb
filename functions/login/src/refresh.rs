//! `POST /v1/auth/refresh`: new tokens of the same session.

use axum::{Json, extract::State};
use http::StatusCode;
use shared::{
    domain::rights::gets_in_while_closed,
    http::{Fields, FromFields, Payload, Problem, TokensBody, secret},
};
use utoipa::ToSchema;

use crate::App;

/// The refresh token of a login.
#[derive(ToSchema)]
#[schema(as = Refresh)]
pub struct Refresh {
    /// The refresh token of a login.
    refresh_token: String,
}

impl FromFields for Refresh {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { refresh_token: fields.required("refresh_token", secret)? })
    }
}

/// Why there are no new tokens.
#[derive(Debug)]
pub enum RefreshError {
    /// Invalid, revoked, of an ended session, or of somebody who is not active: one answer for all.
    InvalidRefreshToken,
    /// Sign-in is switched off for consumers.
    Closed,
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::InvalidRefreshToken => {
                let detail = "This refresh token does not count any more. Log in again.";
                Self::new(StatusCode::UNAUTHORIZED, "invalid-refresh-token", "Log in again", detail)
            }
            RefreshError::Closed => Self::portal_closed(),
        }
    }
}

/// Gives new tokens while the session stands in the person's row: Cognito alone would go on after a password change.
#[utoipa::path(
    post, path = "/v1/auth/refresh",
    request_body = Refresh,
    responses(
        (status = 200, description = "New tokens of the same session.", body = TokensBody),
        (status = 401, description = "`invalid-refresh-token`: it does not count any more."),
        (status = 403, description = "`portal-closed`: sign-in is switched off."),
    ),
)]
pub async fn refresh(State(app): State<App>, payload: Payload) -> Result<Json<TokensBody>, Problem> {
    let body: Refresh = payload.read()?;
    let tokens = app.identity.refresh(&body.refresh_token).await?.ok_or(RefreshError::InvalidRefreshToken)?;
    let (person, settings) = app.store.person_and_settings(&tokens.user_id).await?;
    let person = person.filter(|person| person.has_session(&tokens.session));
    let person = person.ok_or(RefreshError::InvalidRefreshToken)?;
    if !settings.sign_in && !gets_in_while_closed(&person) {
        return Err(RefreshError::Closed.into());
    }
    Ok(Json(tokens.into()))
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Reply, Sample, SignedIn};
    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use shared::domain::{transition::Transition, user::Role};

    use crate::{login::tests::app, router};

    async fn refresh(bench: &Bench, refresh_token: &str) -> Reply {
        let body = json!({"refresh_token": refresh_token});
        Sample::of("login-refresh").body(&body).send(router(app(bench))).await
    }

    async fn ada() -> (Bench, SignedIn) {
        let bench = Bench::new().await;
        let ada = bench.signed_in("ada@example.com", Role::TeamMember).await;
        (bench, ada)
    }

    fn assert_refused(reply: &Reply) {
        assert_eq!((reply.status, reply.problem()), (401, "invalid-refresh-token"));
        assert!(!reply.body.to_string().contains("eyJ"), "no token is handed out");
    }

    #[tokio::test]
    async fn a_refresh_gives_new_tokens_of_the_same_session_and_keeps_the_refresh_token() {
        let (bench, ada) = ada().await;
        bench.advance(SignedDuration::from_hours(2));

        let reply = refresh(&bench, &ada.refresh_token).await;

        assert_eq!(reply.status, 200);
        let members: Vec<_> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["access_token", "expires_in", "id_token", "token_type"]);
        let claims = bench.services.verify(reply.body["access_token"].as_str().unwrap()).unwrap();
        assert_eq!((&claims["username"], &claims["origin_jti"]), (&json!(ada.user.id), &json!(ada.session)));
        assert_eq!(bench.read(&ada.user.id).await, ada.user);
        assert_eq!(refresh(&bench, &ada.refresh_token).await.status, 200);
    }

    #[tokio::test]
    async fn refreshing_takes_one_question_to_cognito_and_one_batch() {
        let (bench, ada) = ada().await;

        let (_, calls) = bench.calls(refresh(&bench, &ada.refresh_token)).await;

        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["Cognito.AdminInitiateAuth", "DynamoDB.BatchGetItem"]);
    }

    #[tokio::test]
    async fn what_is_no_refresh_token_is_refused() {
        let (bench, ada) = ada().await;
        let claims_of_nobody = "eyJhbGciOiJub25lIn0.e30.";

        assert_refused(&Sample::of("login-refresh").send(router(app(&bench))).await);
        for garbage in ["", " ", "x", "\0", claims_of_nobody, &ada.refresh_token[1..], &"x".repeat(5000)] {
            assert_refused(&refresh(&bench, garbage).await);
        }
    }

    #[tokio::test]
    async fn a_revoked_or_outlived_refresh_token_is_refused() {
        let (bench, ada) = ada().await;
        let other = bench.sign_in(&ada.user).await;
        bench.identity.revoke(&ada.refresh_token).await.unwrap();

        assert_refused(&refresh(&bench, &ada.refresh_token).await);
        assert_eq!(refresh(&bench, &other.refresh_token).await.status, 200);
        bench.advance(SignedDuration::from_hours(30 * 24));
        assert_refused(&refresh(&bench, &other.refresh_token).await);
    }

    #[tokio::test]
    async fn a_session_that_the_table_does_not_hold_is_not_refreshed_although_cognito_would() {
        let (bench, ada) = ada().await;
        bench.store.close_session(&ada.user.id, &ada.session).await.unwrap();

        assert!(bench.identity.refresh(&ada.refresh_token).await.unwrap().is_some());
        assert_refused(&refresh(&bench, &ada.refresh_token).await);
    }

    #[tokio::test]
    async fn nobody_who_is_deactivated_or_deleted_refreshes() {
        let (bench, ada) = ada().await;
        let bob = bench.signed_in("bob@example.com", Role::TeamMember).await;
        let origin = bench.origin();
        bench.store.transition(&ada.user, Transition::Deactivate, None, &origin).await.unwrap();
        bench.erase(&bob.user.id).await;

        assert_refused(&refresh(&bench, &ada.refresh_token).await);
        assert_refused(&refresh(&bench, &bob.refresh_token).await);
    }

    #[tokio::test]
    async fn who_is_switched_off_while_cognito_is_asked_gets_nothing() {
        let (bench, ada) = ada().await;
        let (store, origin, person) = (bench.store.clone(), bench.origin(), ada.user.clone());
        let deactivated = async move { drop(store.transition(&person, Transition::Deactivate, None, &origin).await) };
        bench.services.calls().before_next("DynamoDB.BatchGetItem", deactivated);

        assert_refused(&refresh(&bench, &ada.refresh_token).await);
        assert_eq!(bench.services.calls().outstanding(), 0);
    }

    #[tokio::test]
    async fn a_session_of_before_does_not_come_back_with_its_person() {
        let (bench, ada) = ada().await;
        bench.store.transition(&ada.user, Transition::Deactivate, None, &bench.origin()).await.unwrap();
        let inactive = bench.read(&ada.user.id).await;
        bench.store.transition(&inactive, Transition::Activate, None, &bench.origin()).await.unwrap();

        assert_refused(&refresh(&bench, &ada.refresh_token).await);
    }

    #[tokio::test]
    async fn a_portal_without_sign_in_refreshes_for_api_owners_alone() {
        let (bench, ada) = ada().await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        bench.set(|settings| settings.sign_in = false).await;

        let consumer = refresh(&bench, &ada.refresh_token).await;

        assert_eq!((consumer.status, consumer.problem()), (403, "portal-closed"));
        assert_refused(&refresh(&bench, "x").await);
        assert_eq!(refresh(&bench, &owner.refresh_token).await.status, 200);
        bench.set(|settings| settings.sign_in = true).await;
        assert_eq!(refresh(&bench, &ada.refresh_token).await.status, 200);
    }

    #[tokio::test]
    async fn a_busy_cognito_is_told() {
        let (bench, ada) = ada().await;
        let busy = Fault::refused("InternalErrorException", "later");
        bench.services.calls().fail_next("Cognito.AdminInitiateAuth", busy);

        let reply = refresh(&bench, &ada.refresh_token).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert!(reply.headers.contains_key("retry-after"));
    }

    #[tokio::test]
    async fn the_body_holds_the_refresh_token_and_nothing_else() {
        let bench = Bench::new().await;
        let send = async |body: &Value| Sample::of("login-refresh").body(body).send(router(app(&bench))).await;

        assert_eq!(send(&json!({})).await.faults(), [("/refresh_token", "required")]);
        let reply = send(&json!({"refresh_token": 1, "scope": "all"})).await;
        assert_eq!(reply.faults(), [("/refresh_token", "not_a_string"), ("/scope", "unknown_field")]);
    }
}
