//! What a password must be: the policy, and how one is checked against it.
//!
//! Length counts, composition does not unless an API Owner says so (NIST 800-63B). Cognito refuses white space at
//! either end and anything over 256 characters, so we refuse both first, with a reason.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fault, email::Email, name::Name};

/// The longest password, in characters: Cognito's own bound.
const MAX_LENGTH: usize = 256;
/// The lowest length that a policy may ask for: the pool's own minimum.
pub const LOWEST_MIN_LENGTH: u32 = 8;
/// The highest length that a policy may ask for.
pub const HIGHEST_MIN_LENGTH: u32 = 128;
/// Shorter names are no part of a guess worth refusing.
const SHORTEST_TELLING_NAME: usize = 4;

/// The composition that passwords must have, set by the API Owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordPolicy {
    /// Fewest characters, 8 to 128.
    pub min_length: u32,
    /// Fewest digits.
    pub min_numerics: u32,
    /// Fewest characters that are neither letters nor digits.
    pub min_specials: u32,
    /// Whether both a lower-case and an upper-case letter are needed.
    pub mixed_case: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 12, min_numerics: 0, min_specials: 0, mixed_case: false }
    }
}

/// A password on its way to Cognito. Never stored, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes what was sent, whatever it is: [`PasswordPolicy::check`] judges it where one is chosen.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password in clear, for Cognito alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this can be anybody's password at all. What cannot is not worth asking Cognito about.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        !self.0.is_empty() && self.0.chars().count() <= MAX_LENGTH
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Whose password it is to be: what a guesser would try first.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The address; its part before the `@` is looked for.
    pub email: &'a Email,
    /// First name.
    pub first_name: &'a Name,
    /// Last name.
    pub last_name: &'a Name,
}

impl PasswordPolicy {
    /// Every fault that `password` has for `holder`; empty when it may be used.
    #[must_use]
    pub fn check(&self, password: &Password, holder: Holder<'_>) -> Vec<Fault> {
        let text = password.expose();
        let count = |is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count();
        let length = text.chars().count();
        let folded = text.to_lowercase();
        let too_few = |have: usize, least: u32| u32::try_from(have).is_ok_and(|have| have < least);
        let lacks_a_case = count(char::is_lowercase) == 0 || count(char::is_uppercase) == 0;
        let faults = [
            too_few(length, self.min_length)
                .then(|| Fault::new("password_too_short", format!("It has at least {} characters.", self.min_length))),
            (length > MAX_LENGTH)
                .then(|| Fault::new("password_too_long", format!("It has at most {MAX_LENGTH} characters."))),
            (text.trim() != text)
                .then(|| Fault::new("password_outer_space", "It has no white space at either end.".to_owned())),
            text.contains(char::is_control)
                .then(|| Fault::new("password_control_character", "It has no control characters.".to_owned())),
            too_few(count(char::is_numeric), self.min_numerics).then(|| {
                Fault::new("password_too_few_digits", format!("It has at least {} digits.", self.min_numerics))
            }),
            too_few(count(|c| !c.is_alphanumeric()), self.min_specials).then(|| {
                let detail = format!("It has at least {} characters that are no letters or digits.", self.min_specials);
                Fault::new("password_too_few_specials", detail)
            }),
            (self.mixed_case && lacks_a_case)
                .then(|| Fault::new("password_not_mixed_case", "It has lower-case and upper-case letters.".to_owned())),
            is_common(text, &folded).then(|| {
                Fault::new("password_common", "It is one of the passwords that are guessed first.".to_owned())
            }),
            tells_the_holder(&folded, holder).then(|| {
                Fault::new("password_tells_name", "It does not hold a name or the e-mail address.".to_owned())
            }),
        ];
        faults.into_iter().flatten().collect()
    }
}

fn is_common(text: &str, folded: &str) -> bool {
    passwords::analyzer::is_common_password(text) || passwords::analyzer::is_common_password(folded)
}

fn tells_the_holder(folded: &str, holder: Holder<'_>) -> bool {
    [holder.first_name.as_str(), holder.last_name.as_str(), holder.email.local_part()]
        .into_iter()
        .filter(|part| part.chars().count() >= SHORTEST_TELLING_NAME)
        .any(|part| folded.contains(&part.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(policy: PasswordPolicy, text: &str) -> Vec<&'static str> {
        let email = Email::parse("countess@example.com").unwrap();
        let (first_name, last_name) = (Name::parse("Ada").unwrap(), Name::parse("Lovelace").unwrap());
        let holder = Holder { email: &email, first_name: &first_name, last_name: &last_name };
        policy.check(&Password::new(text), holder).into_iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn twelve_characters_of_any_kind_are_enough_by_default() {
        assert_eq!(codes(PasswordPolicy::default(), "correct horse battery"), [""; 0]);
        assert_eq!(codes(PasswordPolicy::default(), "ünïcödé-鍵鍵鍵鍵"), [""; 0]);
        assert_eq!(codes(PasswordPolicy::default(), "elevenchars"), ["password_too_short"]);
    }

    #[test]
    fn the_bounds_are_exact() {
        assert_eq!(codes(PasswordPolicy::default(), &"xy".repeat(128)), [""; 0]);
        assert_eq!(codes(PasswordPolicy::default(), &format!("{}z", "xy".repeat(128))), ["password_too_long"]);
    }

    #[test]
    fn white_space_at_either_end_is_refused() {
        assert_eq!(codes(PasswordPolicy::default(), " correct horse"), ["password_outer_space"]);
        assert_eq!(codes(PasswordPolicy::default(), "correct horse "), ["password_outer_space"]);
    }

    #[test]
    fn the_policy_of_the_settings_is_applied() {
        let policy = PasswordPolicy { min_length: 8, min_numerics: 2, min_specials: 1, mixed_case: true };

        assert_eq!(codes(policy, "gr33n-Tractor"), [""; 0]);
        assert_eq!(
            codes(policy, "lowtractors"),
            ["password_too_few_digits", "password_too_few_specials", "password_not_mixed_case"]
        );
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        let policy = PasswordPolicy { min_length: 8, ..PasswordPolicy::default() };

        for common in ["password", "PassWord", "1q2w3e4r5t", "123456789012"] {
            assert!(codes(policy, common).contains(&"password_common"), "{common}");
        }
    }

    #[test]
    fn names_and_the_address_are_refused_where_they_have_four_characters() {
        assert_eq!(codes(PasswordPolicy::default(), "my-LOVELACE-engine"), ["password_tells_name"]);
        assert_eq!(codes(PasswordPolicy::default(), "the-countess-of-x"), ["password_tells_name"]);
        assert_eq!(codes(PasswordPolicy::default(), "parade-of-engines"), [""; 0]);
    }

    #[test]
    fn a_password_prints_nothing() {
        assert_eq!(format!("{:?}", Password::new("hunter2")), "Password(…)");
    }
}
