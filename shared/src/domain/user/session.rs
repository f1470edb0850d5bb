//! The name of a session.

use serde::{Deserialize, Serialize};

/// A session's name: Cognito's `origin_jti`, which every token of one login carries and refreshing keeps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// Takes the claim as Cognito issued it.
    #[must_use]
    pub fn new(origin_jti: impl Into<String>) -> Self {
        Self(origin_jti.into())
    }

    /// The claim's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId(…)")
    }
}
