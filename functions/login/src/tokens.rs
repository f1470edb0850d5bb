//! Tokens as they are handed out.

use serde::Serialize;
use shared::{http::Problem, identity::Tokens};

/// The tokens of a session. Not to be printed.
#[derive(Serialize)]
pub struct TokensBody {
    access_token: String,
    id_token: String,
    /// Absent after a refresh: the one that was sent stays good.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    token_type: &'static str,
    /// Seconds for which access and id token are good.
    expires_in: i32,
}

impl From<Tokens> for TokensBody {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            id_token: tokens.id_token,
            refresh_token: tokens.refresh_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
        }
    }
}

/// 403: sign-in is switched off, and the person is no API Owner.
pub(crate) fn portal_closed() -> Problem {
    Problem::refused("portal-closed", "This portal is disabled", "This portal is disabled")
}
