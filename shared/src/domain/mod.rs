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
pub mod leaving;
pub mod link;
pub mod login_attempts;
pub mod mail_limit;
pub mod name;
pub mod organisation;
pub mod organisation_request;
pub mod password;
pub mod reason;
pub mod rights;
pub mod search;
pub mod settings;
pub mod source;
pub mod suppression;
pub mod throttle;
pub mod transition;
pub mod user;

/// The entries in their order, each once.
pub fn each_once<T: PartialEq>(entries: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for entry in entries {
        if !once.contains(&entry) {
            once.push(entry);
        }
    }
    once
}

/// Why a single value from outside is refused: a stable code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A stable word such as `invalid_email`.
    pub code: &'static str,
    /// A sentence for the person who typed the value. Never repeats the value.
    pub detail: String,
    /// Where in the value, where that can be said.
    pub at: Option<Place>,
}

/// A place in a text of several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Place {
    /// The place of the byte at `offset` in `text`.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        Self { line, column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1 }
    }
}

impl Fault {
    /// A fault with its code and sentence.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), at: None }
    }

    /// The fault at a place of the value.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { at: Some(place), ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let text = "é\nab\u{1f600}c\n";

        let places = [0, 2, 3, 9, text.len(), 99].map(|offset| {
            let Place { line, column } = Place::of(text, offset);
            (line, column)
        });

        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 4), (3, 1), (3, 1)]);
    }
}
