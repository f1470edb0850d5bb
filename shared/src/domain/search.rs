//! Finding people by how their address or one of their names begins, whatever the case.

use super::{Fault, user::User};

/// The longest beginning that can be asked for, in characters.
const MAX_LENGTH: usize = 254;

/// What people are found by, in the order in which the finds are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Their address.
    Email,
    /// Their first name.
    FirstName,
    /// Their last name.
    LastName,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::Email, Self::FirstName, Self::LastName];

    /// What `person` has in it, folded.
    #[must_use]
    pub fn of(self, person: &User) -> String {
        match self {
            Self::Email => fold(person.email.as_str()),
            Self::FirstName => fold(person.first_name.as_str()),
            Self::LastName => fold(person.last_name.as_str()),
        }
    }
}

/// `text` without case and outer white space: each character alone to upper and then to lower case, so that the beginning
/// of a text is folded as the text is.
#[must_use]
pub fn fold(text: &str) -> String {
    text.trim().chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// How an address or a name begins, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning(String);

impl Beginning {
    /// Reads it as it is typed.
    ///
    /// # Errors
    /// `invalid_search` where nothing is left after trimming, or it has over 254 characters.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let folded = fold(text);
        if folded.is_empty() || text.trim().chars().count() > MAX_LENGTH {
            return Err(Fault::new("invalid_search", "Search for 1 to 254 characters."));
        }
        Ok(Self(folded))
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first field of `person` that begins so.
    #[must_use]
    pub fn found_in(&self, person: &User) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.of(person).starts_with(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        name::Name,
        rights::tests::{person, team},
        user::Role,
    };

    #[test]
    fn case_does_not_matter_in_any_script() {
        for (typed, name) in [("ADA", "ada"), ("straSSe", "Straße"), ("οδοσ", "ΟΔΟΣ"), ("Нина", "НИНА"), (" é ", "É")]
        {
            assert_eq!(fold(typed), fold(name), "{typed}");
        }
    }

    #[test]
    fn a_beginning_folds_as_the_whole_does() {
        for name in ["Straße", "ΟΔΟΣ", "İstanbul", "ŉgoma", "Łukasz"] {
            for (end, _) in name.char_indices() {
                assert!(fold(name).starts_with(&fold(&name[..end])), "{name}");
            }
        }
    }

    #[test]
    fn the_first_field_that_fits_is_told() {
        let mut ada = person(1, Role::TeamMember, vec![team(1)]);
        ada.last_name = Name::given("Adams");
        let found = |text: &str| Beginning::parse(text).unwrap().found_in(&ada);

        assert_eq!(found("ADA@"), Some(Field::Email));
        assert_eq!(found("ada"), Some(Field::Email));
        assert_eq!(found("adam"), Some(Field::LastName));
        assert_eq!(found("da"), None);
        ada.email = crate::domain::email::Email::parse("x@example.com").unwrap();
        assert_eq!(Beginning::parse("ada").unwrap().found_in(&ada), Some(Field::FirstName));
    }

    #[test]
    fn nothing_and_too_much_cannot_be_searched_for() {
        for text in ["", "  ", &"x".repeat(255)] {
            assert_eq!(Beginning::parse(text).unwrap_err().code, "invalid_search");
        }
    }
}
