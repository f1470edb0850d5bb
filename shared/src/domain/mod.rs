//! The rules of the product, and nothing else.
//!
//! Pure: no async, no AWS, no HTTP, no clock, no randomness. Instants and random numbers come in as arguments, so every
//! rule can be tested by calling it.

pub mod approval;
pub mod attribute;
pub mod audit;
pub mod challenge;
pub mod change_of_person;
pub mod email;
pub mod idempotency;
pub mod ids;
pub mod invitation;
pub mod invite_code;
pub mod link;
pub mod login_attempts;
pub mod mail_limit;
pub mod name;
pub mod organisation;
pub mod password;
pub mod rights;
pub mod search;
pub mod settings;
pub mod source;
pub mod throttle;
pub mod transition;
pub mod user;

/// Why a single value from outside is refused: a stable code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable word such as `invalid_email`.
    pub code: &'static str,
    /// A sentence for the person who typed the value. Never repeats the value.
    pub detail: String,
}

impl Fault {
    /// A fault with its code and sentence.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// A team that is not there, or not in the organisation that is meant.
    #[must_use]
    pub fn no_such_team() -> Self {
        Self::new("unknown_team", "The organisation has no such team.")
    }

    /// A password that our policy takes and Cognito's does not.
    #[must_use]
    pub fn refused_password() -> Self {
        Self::new("password_refused", "This password cannot be used; choose another one.")
    }

    /// A new password that is the old one.
    #[must_use]
    pub fn unchanged_password() -> Self {
        Self::new("password_unchanged", "It is another one than before.")
    }
}
