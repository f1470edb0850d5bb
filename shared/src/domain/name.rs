//! Names of people and things: any script, bounded, no control characters.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fault;

/// The longest name, in characters after trimming.
const MAX_LENGTH: usize = 100;

/// A first name, a last name, or the name of a portal, organisation or team: 1 to 100 characters after trimming.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Reads a name as a person types it.
    ///
    /// # Errors
    /// `invalid_name` when nothing is left after trimming, when it has over 100 characters, or holds a control
    /// character or line separator (which could break out of a mail's subject line).
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let name = text.trim();
        let length = name.chars().count();
        let breaks_lines = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if length == 0 || length > MAX_LENGTH || name.contains(breaks_lines) {
            return Err(Fault::new("invalid_name", "A name has 1 to 100 characters and no control characters."));
        }
        Ok(Self(name.to_owned()))
    }

    /// A name that the product itself gives, such as that of the Default Organisation.
    #[must_use]
    pub fn given(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints no name: names are personal and stay out of logs.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| fault.detail)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_script_is_a_name() {
        for typed in ["Ada", "李", "Нина", "O’Brien-Łukasz", "محمد", " Ada "] {
            assert_eq!(Name::parse(typed).unwrap().as_str(), typed.trim());
        }
        assert!(Name::parse(&"é".repeat(100)).is_ok());
    }

    #[test]
    fn empty_long_and_line_breaking_names_are_refused() {
        for typed in ["", "  ", "A\nB", "A\u{2028}B", "A\0", "A\u{7f}", &"x".repeat(101)] {
            assert_eq!(Name::parse(typed).unwrap_err().code, "invalid_name", "{typed:?}");
        }
    }
}
