//! `POST /v1/auth/logout`: ends this session, or every session.

use axum::extract::State;
use http::StatusCode;
use shared::{
    domain::rights::{Action, decide},
    http::{Fields, FromFields, Payload, Problem, Session, admit, secret},
};
use utoipa::ToSchema;

use crate::App;

/// The refresh token to end; without one, every session ends.
#[derive(ToSchema)]
#[schema(as = LogOut)]
pub struct LogOut {
    /// Whose session ends beside that of the access token.
    refresh_token: Option<String>,
}

impl FromFields for LogOut {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { refresh_token: fields.optional("refresh_token", secret) })
    }
}

/// Logs out: with a refresh token that token's session and the one of the access token, without it every session. What
/// the table no longer holds is refused at once; that Cognito forgets its tokens too only tidies up behind it, and
/// could not be asked for again: the access token has just ended.
#[utoipa::path(
    post, path = "/v1/auth/logout",
    request_body = Option<LogOut>,
    responses(
        (status = 204, description = "The session has ended, or every session."),
    ),
)]
pub async fn logout(State(app): State<App>, session: Session, payload: Payload) -> Result<StatusCode, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    decide(&caller, Action::OwnAccount)?;
    let body: LogOut = payload.read()?;
    let tidied = if let Some(refresh_token) = body.refresh_token {
        // A refresh token tells its session only by being used once more. One of somebody else is left alone.
        let last = app.identity.refresh(&refresh_token).await?.filter(|last| last.user_id == caller.id);
        if let Some(last) = last.as_ref().filter(|last| last.session != session.id) {
            app.store.close_session(&caller.id, &last.session).await?;
        }
        app.store.close_session(&caller.id, &session.id).await?;
        if last.is_some() { app.identity.revoke(&refresh_token).await } else { Ok(()) }
    } else {
        app.store.close_all_sessions(&caller.id).await?;
        app.identity.sign_out_everywhere(&caller.id).await
    };
    if let Err(error) = tidied {
        tracing::error!(user = %caller.id, %error, "Cognito keeps refresh tokens of sessions that have ended");
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use harness::{Bench, Fault, Reply, Sample, SignedIn};
    use serde_json::{Value, json};
    use shared::domain::{transition::Transition, user::Role};

    use crate::{login::tests::app, router};

    async fn log_out(bench: &Bench, caller: &SignedIn, body: &Value) -> Reply {
        Sample::of("login-logout").by(caller).body(body).send(router(app(bench))).await
    }

    async fn refreshes(bench: &Bench, session: &SignedIn) -> bool {
        let body = json!({"refresh_token": session.refresh_token});
        Sample::of("login-refresh").body(&body).send(router(app(bench))).await.status == 200
    }

    /// Three sessions of one person and one of another.
    async fn sessions() -> (Bench, [SignedIn; 3], SignedIn) {
        let bench = Bench::new().await;
        let first = bench.signed_in("ada@example.com", Role::TeamMember).await;
        let (second, third) = (bench.sign_in(&first.user).await, bench.sign_in(&first.user).await);
        let stranger = bench.signed_in("bob@example.com", Role::TeamMember).await;
        (bench, [first, second, third], stranger)
    }

    /// Which of these sessions stand in their person's row.
    async fn standing(bench: &Bench, sessions: &[SignedIn]) -> Vec<bool> {
        let user = bench.read(&sessions[0].user.id).await;
        sessions.iter().map(|session| user.has_session(&session.session)).collect()
    }

    #[tokio::test]
    async fn ones_own_refresh_token_ends_this_session_and_no_other() {
        let (bench, ada, bob) = sessions().await;

        let reply = log_out(&bench, &ada[0], &json!({"refresh_token": ada[0].refresh_token})).await;

        assert_eq!((reply.status, &reply.body), (204, &Value::Null));
        assert_eq!(standing(&bench, &ada).await, [false, true, true]);
        assert!(bench.identity.refresh(&ada[0].refresh_token).await.unwrap().is_none());
        assert!(refreshes(&bench, &ada[1]).await && refreshes(&bench, &bob).await);
        assert_eq!(log_out(&bench, &ada[0], &json!({})).await.status, 401);
    }

    #[tokio::test]
    async fn the_refresh_token_of_another_session_of_ones_own_ends_both() {
        let (bench, ada, _) = sessions().await;

        let reply = log_out(&bench, &ada[0], &json!({"refresh_token": ada[1].refresh_token})).await;

        assert_eq!(reply.status, 204);
        assert_eq!(standing(&bench, &ada).await, [false, false, true]);
        assert!(!refreshes(&bench, &ada[0]).await && !refreshes(&bench, &ada[1]).await);
        assert!(refreshes(&bench, &ada[2]).await);
    }

    #[tokio::test]
    async fn the_refresh_token_of_somebody_else_ends_nothing_of_theirs() {
        let (bench, ada, bob) = sessions().await;

        let reply = log_out(&bench, &ada[0], &json!({"refresh_token": bob.refresh_token})).await;

        assert_eq!(reply.status, 204);
        assert_eq!(standing(&bench, &ada).await, [false, true, true]);
        assert_eq!(standing(&bench, std::slice::from_ref(&bob)).await, [true]);
        assert!(refreshes(&bench, &bob).await);
    }

    #[tokio::test]
    async fn the_sample_requests_unknown_refresh_token_ends_this_session_all_the_same() {
        let (bench, ada, _) = sessions().await;

        let reply = Sample::of("login-logout").by(&ada[0]).send(router(app(&bench))).await;

        assert_eq!(reply.status, 204);
        assert_eq!(standing(&bench, &ada).await, [false, true, true]);
        assert!(!refreshes(&bench, &ada[0]).await);
        assert_eq!(log_out(&bench, &ada[1], &json!({"refresh_token": ""})).await.status, 204);
        assert_eq!(standing(&bench, &ada).await, [false, false, true]);
    }

    #[tokio::test]
    async fn without_a_refresh_token_every_session_ends() {
        for body in [Some(json!({})), Some(json!({"refresh_token": null})), None] {
            let (bench, ada, bob) = sessions().await;
            let sample = Sample::of("login-logout").by(&ada[0]);
            let sample = match &body {
                Some(body) => sample.body(body),
                None => sample.raw_body("", "text/plain"),
            };

            let reply = sample.send(router(app(&bench))).await;

            assert_eq!(reply.status, 204, "{body:?}");
            assert_eq!(standing(&bench, &ada).await, [false; 3]);
            for session in &ada {
                assert!(bench.identity.refresh(&session.refresh_token).await.unwrap().is_none());
                assert!(!refreshes(&bench, session).await);
                assert_eq!(log_out(&bench, session, &json!({})).await.status, 401);
            }
            assert!(refreshes(&bench, &bob).await);
            let anew = bench.sign_in(&ada[0].user).await;
            assert!(refreshes(&bench, &anew).await);
        }
    }

    #[tokio::test]
    async fn who_does_not_call_in_a_session_that_counts_is_unauthenticated() {
        let (bench, ada, bob) = sessions().await;
        let body = json!({"refresh_token": ada[1].refresh_token});
        let sample = || Sample::of("login-logout").body(&body);
        bench.store.transition(&bob.user, Transition::Deactivate, None, &bench.origin()).await.unwrap();
        let refused = [
            sample(),
            sample().without_token(),
            sample().by(&ada[0]).claim("token_use", "id"),
            sample().by(&ada[0]).claim("origin_jti", "another session"),
            sample().by(&ada[0]).claim("username", "ada@example.com"),
            sample().by(&ada[0]).claim("username", bob.user.id.as_str()),
            sample().by(&bob),
        ];

        for (case, sample) in refused.into_iter().enumerate() {
            let reply = sample.send(router(app(&bench))).await;

            assert_eq!((reply.status, reply.problem()), (401, "unauthenticated"), "case {case}");
            assert_eq!(reply.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "case {case}");
        }
        assert_eq!(standing(&bench, &ada).await, [true; 3]);
    }

    #[tokio::test]
    async fn rights_come_before_the_body_and_a_faulty_body_ends_nothing() {
        let (bench, ada, _) = sessions().await;

        let stranger = Sample::of("login-logout").without_token().body(&json!({"all": true}));
        let reply = log_out(&bench, &ada[0], &json!({"refresh_token": 1, "all": true})).await;

        assert_eq!(stranger.send(router(app(&bench))).await.status, 401);
        assert_eq!(reply.faults(), [("/refresh_token", "not_a_string"), ("/all", "unknown_field")]);
        assert_eq!(standing(&bench, &ada).await, [true; 3]);
    }

    #[tokio::test]
    async fn a_cognito_that_cannot_tell_whose_token_it_is_leaves_everything_to_be_tried_again() {
        let (bench, ada, _) = sessions().await;
        let busy = Fault::refused("InternalErrorException", "later");
        bench.services.calls().fail_next("Cognito.AdminInitiateAuth", busy);
        let body = json!({"refresh_token": ada[1].refresh_token});

        let reply = log_out(&bench, &ada[0], &body).await;

        assert_eq!((reply.status, reply.problem()), (503, "try-again"));
        assert_eq!(standing(&bench, &ada).await, [true; 3]);
        assert_eq!(log_out(&bench, &ada[0], &body).await.status, 204);
        assert_eq!(standing(&bench, &ada).await, [false, false, true]);
    }

    #[tokio::test]
    async fn sessions_that_have_ended_stay_so_whether_cognito_forgets_them_or_not() {
        let (bench, ada, _) = sessions().await;
        let busy = || Fault::refused("InternalErrorException", "later");
        bench.services.calls().fail_next("Cognito.RevokeToken", busy());
        bench.services.calls().fail_next("Cognito.AdminUserGlobalSignOut", busy());

        let one = log_out(&bench, &ada[0], &json!({"refresh_token": ada[0].refresh_token})).await;
        let every = log_out(&bench, &ada[1], &json!({})).await;

        assert_eq!((one.status, every.status), (204, 204));
        assert_eq!(standing(&bench, &ada).await, [false; 3]);
        for session in &ada {
            assert!(!refreshes(&bench, session).await);
        }
        assert_eq!(bench.services.calls().outstanding(), 0);
    }
}
