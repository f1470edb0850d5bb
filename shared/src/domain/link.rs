//! Mailed links: a token that only its mail holds, stored as a digest, for one person and one purpose.
//!
//! Source of the rules: `docs/architecture.md`, section 3.9.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::UserId;

/// What a link is for. A link of one purpose is unknown to every other route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Confirms the e-mail address of a registration.
    Confirm,
    /// Accepts an invitation.
    Accept,
    /// Chooses another password.
    Reset,
}

impl Purpose {
    /// The page of the portal that the link leads to.
    #[must_use]
    pub fn page(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Accept => "accept",
            Self::Reset => "reset",
        }
    }
}

/// How long a link to confirm a registration lives, counted from the queueing of its mail, which the registration or its
/// resend did: the registration itself waits exactly as long.
pub const CONFIRM_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a link to reset a password lives, counted from the queueing of its mail.
pub const RESET_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The 256 random bits of a link, in clear. Only a mail ever holds one.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainToken(String);

impl PlainToken {
    /// The token made of 32 random bytes: 43 characters of base64url.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Reads a token as it came back; `None` for what cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The token in clear, for the mail.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The digest under which the link is stored.
    #[must_use]
    pub fn hashed(&self) -> HashedToken {
        self.hashed_with("")
    }

    /// The digest of the token and what follows it. Every token has the same length, so no two pairs read alike.
    #[must_use]
    pub fn hashed_with(&self, text: &str) -> HashedToken {
        let digest: [u8; 32] = Sha256::new().chain_update(&self.0).chain_update(text).finalize().into();
        let (high, low) = digest.split_at(16);
        let number = |half: &[u8]| half.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        HashedToken(format!("{:032x}{:032x}", number(high), number(low)))
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

/// A token's SHA-256 in hexadecimal: what the table knows of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashedToken(String);

impl HashedToken {
    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HashedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedToken(…)")
    }
}

/// A link that was sent, as the table holds it under its token's digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whose link it is.
    pub user_id: UserId,
    /// What it is for.
    pub purpose: Purpose,
    /// The person's `link_version` for which it was sent; once that has moved on, the link is void.
    pub link_version: u64,
    /// It works before this instant.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

impl Link {
    /// Whether the link may be used for `purpose` at `now`, as far as the link itself can tell.
    #[must_use]
    pub fn is_usable(&self, purpose: Purpose, now: Timestamp) -> bool {
        self.purpose == purpose && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_43_characters_and_comes_back_as_it_was() {
        let token = PlainToken::new([255; 32]);

        assert_eq!(token.expose().len(), 43);
        assert_eq!(PlainToken::parse(token.expose()), Some(token));
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        for text in ["", "abc", &"a".repeat(44), &"=".repeat(43), &"é".repeat(43)] {
            assert_eq!(PlainToken::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_prints_nothing() {
        let token = PlainToken::new([1; 32]);

        assert_eq!(format!("{token:?} {:?}", token.hashed()), "PlainToken(…) HashedToken(…)");
    }

    #[test]
    fn a_link_works_until_its_expiry_and_not_at_it_and_for_its_purpose_only() {
        let expires_at = Timestamp::UNIX_EPOCH;
        let user_id = UserId::new(expires_at, 1);
        let link = Link { user_id, purpose: Purpose::Confirm, link_version: 1, expires_at };

        assert!(link.is_usable(Purpose::Confirm, expires_at - SignedDuration::from_millis(1)));
        assert!(!link.is_usable(Purpose::Confirm, expires_at));
        assert!(!link.is_usable(Purpose::Accept, expires_at - SignedDuration::from_millis(1)));
    }
}
