//! Names and choices of attributes.

use serde::{Deserialize, Serialize};

use crate::domain::{Fault, name::Name};

/// The longest name, in characters.
const MAX_LENGTH: usize = 40;

/// An attribute's name in requests and answers: a lower-case letter, then up to 39 of those, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttributeName(String);

impl AttributeName {
    /// Reads a name.
    ///
    /// # Errors
    /// `invalid_attribute_name` for anything else.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || text.len() > MAX_LENGTH || !text.chars().all(fits) {
            let detail = "A name begins with one of a to z and has up to 40 of a to z, 0 to 9 and _.";
            return Err(Fault::new("invalid_attribute_name", detail));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AttributeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| fault.detail)
    }
}

impl From<AttributeName> for String {
    fn from(name: AttributeName) -> Self {
        name.0
    }
}

/// Reads one of the texts that can be chosen: written like a name.
///
/// # Errors
/// `invalid_choice`.
pub fn choice(text: &str) -> Result<String, Fault> {
    let invalid = |_| Fault::new("invalid_choice", "A choice has 1 to 100 characters and no control characters.");
    Name::parse(text).map(String::from).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_words_that_fit_into_a_path() {
        for name in ["a", "company", "vat_id", "line2", &"x".repeat(40)] {
            assert_eq!(AttributeName::parse(name).unwrap().as_str(), name);
        }
        for junk in ["", "_a", "2nd", "Company", "vat-id", "é", "a b", "a/b", &"x".repeat(41)] {
            assert_eq!(AttributeName::parse(junk).unwrap_err().code, "invalid_attribute_name", "{junk}");
        }
    }

    #[test]
    fn choices_are_trimmed_lines() {
        assert_eq!(choice(" Über 100 ").unwrap(), "Über 100");
        for junk in ["", " ", "a\nb", &"x".repeat(101)] {
            assert_eq!(choice(junk).unwrap_err().code, "invalid_choice", "{junk:?}");
        }
    }
}
