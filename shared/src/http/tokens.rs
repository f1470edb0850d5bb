//! Tokens as they are handed out.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::Tokens;

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokensBody {
    /// What opens the API, as `Authorization: Bearer`.
    access_token: String,
    /// Who it is, for a front end. It opens nothing.
    id_token: String,
    /// Absent after a refresh: the one that was sent stays good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds for which access and id token are good.
    expires_in: i32,
}

// Prints none of them.
impl fmt::Debug for TokensBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokensBody").finish_non_exhaustive()
    }
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
