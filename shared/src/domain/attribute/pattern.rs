//! Patterns: regular expressions that a whole text has to match.
//!
//! API Owners write them and strangers are matched against them, so they are matched in linear time, and what one
//! compiles to is bounded.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::domain::Fault;

/// The longest pattern, in characters.
const MAX_LENGTH: usize = 500;
/// The most that a compiled pattern takes, in bytes: a few classes of Unicode, or some hundred characters counted out.
const MAX_COMPILED: usize = 1024 * 1024;

/// A regular expression in the syntax of Rust's `regex` crate: without look-around and back references.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `invalid_pattern`, with what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let invalid = |reason: String| Fault::new("invalid_pattern", reason);
        if text.is_empty() || text.chars().count() > MAX_LENGTH {
            return Err(invalid(format!("A pattern has 1 to {MAX_LENGTH} characters.")));
        }
        let pattern = Self(text.to_owned());
        // Alone first: `a)|(b` would be whole once it stands between our own parentheses.
        compile(text).and_then(|_| pattern.compiled()).map_err(|error| invalid(reason(&error)))?;
        Ok(pattern)
    }

    /// Whether the pattern matches `text` from end to end.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.compiled().is_ok_and(|regex| regex.is_match(text))
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn compiled(&self) -> Result<Regex, regex::Error> {
        compile(&format!(r"\A(?:{})\z", self.0))
    }
}

fn compile(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).size_limit(MAX_COMPILED).build()
}

/// What is wrong, without the picture of the pattern that the crate draws around it.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::Syntax(picture) => {
            let last = picture.lines().last().unwrap_or_default();
            format!("This is no regular expression: {}.", last.trim_start_matches("error: "))
        }
        _ => "This pattern is too large; ask for less repetition.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_from_end_to_end() {
        let pattern = Pattern::parse("[A-Z]{2}|[0-9]+").unwrap();

        assert!(pattern.matches("DE") && pattern.matches("42"));
        assert!(!pattern.matches("DEX") && !pattern.matches("x42") && !pattern.matches("42\n") && !pattern.matches(""));
        assert!(Pattern::parse("^[a-z]+$").unwrap().matches("anchored"));
        assert!(Pattern::parse(r"(?i)[\p{L} ]+").unwrap().matches("Straße Łódź"));
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_the_pattern() {
        let said = |text: &str| Pattern::parse(text).unwrap_err();

        assert_eq!(said("secret(").detail, "This is no regular expression: unclosed group.");
        assert_eq!(said("a)|(b").code, "invalid_pattern");
        assert_eq!(said("(?=x)").code, "invalid_pattern");
        assert_eq!(said(r"(a)\1").code, "invalid_pattern");
        assert_eq!(said("(?x)a # b").code, "invalid_pattern");
        assert_eq!(said("").detail, "A pattern has 1 to 500 characters.");
        assert_eq!(said(&"a".repeat(501)).code, "invalid_pattern");
    }

    #[test]
    fn a_pattern_that_would_grow_is_refused() {
        let fault = Pattern::parse(r"(\p{L}{1000}){1000}").unwrap_err();

        assert_eq!(fault.detail, "This pattern is too large; ask for less repetition.");
    }

    #[test]
    fn no_text_makes_a_pattern_slow() {
        let pattern = Pattern::parse("(a*)*(a|aa)*b").unwrap();

        assert!(!pattern.matches(&"a".repeat(1000)));
    }
}
