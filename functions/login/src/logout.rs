//! `POST /v1/auth/logout`: ends this session, or every session.

use axum::extract::State;
use http::StatusCode;
use shared::http::{Fields, FromFields, Payload, Problem, Session, admit, secret};

use crate::App;

/// The refresh token to end; without one, every session ends.
#[derive(Debug)]
pub struct LogOut {
    refresh_token: Option<String>,
}

impl FromFields for LogOut {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { refresh_token: fields.optional("refresh_token", secret) })
    }
}

/// Logs out: with a refresh token that token's session and the one of the access token, without it every session. The
/// table comes first: what it no longer holds is refused at once, whatever Cognito still knows.
pub async fn logout(State(app): State<App>, session: Session, payload: Payload) -> Result<StatusCode, Problem> {
    let caller = admit(&session, app.store.person(&session.user_id).await?)?;
    let body: LogOut = payload.read()?;
    match body.refresh_token {
        Some(refresh_token) => {
            app.store.close_session(&caller.id, &session.id).await?;
            // A refresh token tells its session only by being used once more. One of somebody else is left alone.
            let last = app.identity.refresh(&refresh_token).await?;
            if let Some(last) = last.filter(|last| last.user_id == caller.id) {
                app.store.close_session(&caller.id, &last.session).await?;
                app.identity.revoke(&refresh_token).await?;
            }
        }
        None => {
            app.store.close_all_sessions(&caller.id).await?;
            app.identity.sign_out_everywhere(&caller.id).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
