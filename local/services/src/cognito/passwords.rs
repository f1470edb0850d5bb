//! What a password may be, and how it is kept: as a PBKDF2 hash.

use super::pool::{Kind, PasswordPolicy};
use crate::random;
use crate::wire::Refusal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The symbols that count as such; a space does within the password.
const SYMBOLS: &str = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ";
const LONGEST: usize = 256;

/// How much work a hash is: little where it guards nothing (memory), as advised where it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Cost(NonZeroU32);

impl Cost {
    /// For passwords that end with the process.
    pub const FLEETING: Self = Self(NonZeroU32::MIN);
    /// For passwords that are kept on disk.
    pub const KEPT: Self = Self(NonZeroU32::MIN.saturating_add(99_999));
}

/// A kept password.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordHash {
    iterations: NonZeroU32,
    salt: String,
    hash: String,
}

impl PasswordHash {
    /// Hashes a password.
    pub fn of(password: &str, cost: Cost) -> Result<Self, Unspecified> {
        let salt = random::bytes::<16>()?;
        let mut hash = [0; 32];
        pbkdf2::derive(PBKDF2_HMAC_SHA256, cost.0, &salt, password.as_bytes(), &mut hash);
        Ok(Self { iterations: cost.0, salt: STANDARD_NO_PAD.encode(salt), hash: STANDARD_NO_PAD.encode(hash) })
    }

    /// Whether it is the hash of that password.
    pub fn is_of(&self, password: &str) -> bool {
        let (Ok(salt), Ok(hash)) = (STANDARD_NO_PAD.decode(&self.salt), STANDARD_NO_PAD.decode(&self.hash)) else {
            return false;
        };
        pbkdf2::verify(PBKDF2_HMAC_SHA256, self.iterations, &salt, password.as_bytes(), &hash).is_ok()
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PasswordHash")
    }
}

/// Whether the password can be sent at all: Cognito checks this before anything else, wherever a password is given.
pub fn check_form(password: &str) -> Result<(), Refusal> {
    let refused = |rule: &str| {
        let message = format!(
            "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must {rule}"
        );
        Err(Refusal::parameter(message))
    };
    if password.chars().count() > LONGEST {
        return refused("have length less than or equal to 256");
    }
    // The pattern below in words; its white space is ASCII's.
    let space = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
    let broken = password.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    if password.chars().count() < 2 || password.starts_with(space) || password.ends_with(space) || broken {
        return refused("satisfy regular expression pattern: ^[\\S]+.*[\\S]+$");
    }
    Ok(())
}

/// Whether the pool's policy allows the password.
pub fn check_policy(password: &str, policy: &PasswordPolicy) -> Result<(), Refusal> {
    let refused = |rule: &str| {
        Err(Refusal::new("InvalidPasswordException", format!("Password did not conform with policy: {rule}")))
    };
    if password.chars().count() < policy.minimum_length {
        return refused("Password not long enough");
    }
    for kind in &policy.required {
        let (belongs, rule): (fn(char) -> bool, _) = match kind {
            Kind::Lowercase => (|c| c.is_ascii_lowercase(), "Password must have lowercase characters"),
            Kind::Uppercase => (|c| c.is_ascii_uppercase(), "Password must have uppercase characters"),
            Kind::Number => (|c| c.is_ascii_digit(), "Password must have numeric characters"),
            Kind::Symbol => (|c| SYMBOLS.contains(c), "Password must have symbol characters"),
        };
        if !password.chars().any(belongs) {
            return refused(rule);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_only() {
        let hash = PasswordHash::of("correct horse", Cost::FLEETING).unwrap();

        assert!(hash.is_of("correct horse"));
        assert!(!hash.is_of("correct horsf"));
    }

    #[test]
    fn the_same_password_hashes_otherwise_each_time() {
        let hashes = [(); 2].map(|()| PasswordHash::of("correct horse", Cost::FLEETING).unwrap().hash);

        assert_ne!(hashes[0], hashes[1]);
    }

    #[test]
    fn white_space_is_allowed_within_but_not_at_an_end() {
        assert!(check_form("correct horse").is_ok());
        for password in [" correct horse", "correct horse ", "correct horse\t", "correct\nhorse", "", " ", "c"] {
            assert_eq!(check_form(password).unwrap_err().code, "InvalidParameterException", "{password:?}");
        }
    }

    #[test]
    fn two_hundred_and_fifty_six_characters_are_the_most() {
        assert!(check_form(&"é".repeat(256)).is_ok());
        assert!(check_form(&"e".repeat(257)).is_err());
    }

    #[test]
    fn each_rule_of_a_policy_is_asked_for() {
        let required = vec![Kind::Lowercase, Kind::Uppercase, Kind::Number, Kind::Symbol];
        let policy = PasswordPolicy { minimum_length: 8, required };

        assert!(check_policy("Aa1 aaaa", &policy).is_ok());
        for password in ["Aa1 aaa", "AA1 AAAA", "aa1 aaaa", "Aaa aaaa", "Aa1aaaaa"] {
            assert_eq!(check_policy(password, &policy).unwrap_err().code, "InvalidPasswordException", "{password}");
        }
    }
}
