//! The step between a right password that has to be changed and the tokens: a session of ours, good for one change.
//!
//! Nothing of it is stored in clear, and nothing that could be guessed from what is stored: the password is only kept
//! mixed with the 256 random bits that the caller alone holds.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    link::{HashedToken, PlainToken},
    password::Password,
};

/// How long after the login the password can be changed.
pub const CHALLENGE_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// A login that waits for another password, as the person's row holds it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The digest of the session's token.
    pub digest: HashedToken,
    /// The digest of token and password together: tells whoever brings the token whether a password is the same one.
    pub password_mark: HashedToken,
    /// It works before this instant.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Challenge {
    /// The challenge of a login with `password` at `now`, under `token`.
    #[must_use]
    pub fn new(token: &PlainToken, password: &Password, now: Timestamp) -> Self {
        let password_mark = token.hashed_with(password.expose());
        Self { digest: token.hashed(), password_mark, expires_at: now + CHALLENGE_LIFE }
    }

    /// Whether it is answered under `digest` in time.
    #[must_use]
    pub fn is_open(&self, digest: &HashedToken, now: Timestamp) -> bool {
        self.digest == *digest && now < self.expires_at
    }

    /// Whether `password` is the very one that has to be changed; `token` is the one of [`Challenge::new`].
    #[must_use]
    pub fn is_same(&self, token: &PlainToken, password: &Password) -> bool {
        self.password_mark == token.hashed_with(password.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn token(byte: u8) -> PlainToken {
        PlainToken::new([byte; 32])
    }

    #[test]
    fn a_challenge_is_open_for_its_token_until_its_expiry_and_not_at_it() {
        let challenge = Challenge::new(&token(1), &Password::new("p"), NOW);

        assert!(challenge.is_open(&token(1).hashed(), NOW + CHALLENGE_LIFE - SignedDuration::from_millis(1)));
        assert!(!challenge.is_open(&token(1).hashed(), NOW + CHALLENGE_LIFE));
        assert!(!challenge.is_open(&token(2).hashed(), NOW));
    }

    #[test]
    fn only_with_its_token_it_tells_the_password_again() {
        let challenge = Challenge::new(&token(1), &Password::new("violet tractor"), NOW);

        assert!(challenge.is_same(&token(1), &Password::new("violet tractor")));
        assert!(!challenge.is_same(&token(1), &Password::new("violet tractors")));
        assert!(!challenge.is_same(&token(2), &Password::new("violet tractor")));
    }

    #[test]
    fn neither_token_nor_password_is_stored_or_printed() {
        let challenge = Challenge::new(&token(1), &Password::new("violet tractor"), NOW);

        let stored = serde_json::to_string(&challenge).unwrap();
        assert!(!stored.contains("violet") && !stored.contains(token(1).expose()), "{stored}");
        assert!(!format!("{challenge:?}").contains(challenge.digest.as_str()));
    }
}
