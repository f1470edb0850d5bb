//! Creating requests that a client may send again: how a repeat is known.
//!
//! Nothing here can be read back: what is kept of a request are digests, over its `Idempotency-Key` as well, which is
//! kept nowhere else. Source of the rules: `docs/decisions/0012-idempotency-records.md`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long the record of a creation answers repeats of its request.
pub const RECORD_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// A digest of parts, each with its length, so that no two lists of parts read alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The digest of `parts`.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let digest = parts
            .into_iter()
            .fold(Sha256::new(), |digest, part| digest.chain_update(part.len().to_be_bytes()).chain_update(part));
        Self(URL_SAFE_NO_PAD.encode(digest.finalize()))
    }

    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A creating request that its client may send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// Caller, route and `Idempotency-Key`: where the record of its creation stands.
    pub record: Fingerprint,
    /// All of that with path and body: what another request under the same key does not have.
    pub request: Fingerprint,
    /// When it came.
    pub at: Timestamp,
}

impl Repeatable {
    /// Until when its record answers.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.at + RECORD_LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_by_where_they_end() {
        assert_eq!(Fingerprint::of(["ab", "c"]), Fingerprint::of(["ab", "c"]));
        for other in [vec!["a", "bc"], vec!["abc"], vec!["ab", "c", ""], vec!["c", "ab"]] {
            assert_ne!(Fingerprint::of(other), Fingerprint::of(["ab", "c"]));
        }
    }

    #[test]
    fn a_fingerprint_tells_nothing_of_its_parts() {
        let print = Fingerprint::of(["ada@example.com"]);

        assert_eq!(print.as_str().len(), 43);
        assert!(!print.as_str().contains("ada"));
    }
}
