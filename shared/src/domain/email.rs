//! E-mail addresses: one spelling per mailbox, because an account is found by its address.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fault;

/// The longest address, in characters.
const MAX_LENGTH: usize = 254;
/// The longest part before the `@`, in characters (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_LENGTH: usize = 64;

/// An address, trimmed, lower-cased, its domain in ASCII. Plus-tags and dots stay significant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// Reads an address as a person types it.
    ///
    /// # Errors
    /// `invalid_email` for anything that is not one deliverable address: a dot-atom of ASCII before the `@` (SES
    /// delivers to no other), a domain name with at least two labels behind it, the last no number, at most 254
    /// characters in all.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Self::normalise(text).ok_or_else(|| Fault::new("invalid_email", "This is not an e-mail address."))
    }

    fn normalise(text: &str) -> Option<Self> {
        let (local, domain) = text.trim().rsplit_once('@')?;
        let domain = idna::domain_to_ascii_strict(domain).ok()?;
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        (is_dot_atom(local) && is_mail_domain(&domain) && address.len() <= MAX_LENGTH).then_some(Self(address))
    }

    /// The address as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain behind the `@`, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A domain as addresses have it: lower case, in ASCII. One below it is another domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailDomain(String);

impl MailDomain {
    /// Reads a domain as a person types it.
    ///
    /// # Errors
    /// `invalid_domain` for what no address can end with.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let domain = idna::domain_to_ascii_strict(text.trim()).ok().filter(|domain| is_mail_domain(domain));
        domain.map(Self).ok_or_else(|| Fault::new("invalid_domain", "This is not the domain of e-mail addresses."))
    }

    /// The domain as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MailDomain {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| fault.detail)
    }
}

impl From<MailDomain> for String {
    fn from(domain: MailDomain) -> Self {
        domain.0
    }
}

/// Dot-separated words of the characters that RFC 5322 calls `atext`.
fn is_dot_atom(local: &str) -> bool {
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= MAX_LOCAL_LENGTH && local.split('.').all(|word| !word.is_empty() && word.chars().all(is_atext))
}

/// A domain in ASCII below a top-level one. A name that ends in a number is read as an IP address, or as nothing.
fn is_mail_domain(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(_, last)| !last.is_empty() && !last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Prints no address: whoever logs one by mistake logs nothing.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| fault.detail)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_mailbox_has_one_spelling() {
        for typed in ["  Ada@Example.COM ", "ada@example.com", "ADA@EXAMPLE.com"] {
            assert_eq!(Email::parse(typed).unwrap().as_str(), "ada@example.com");
        }
        assert_eq!(Email::parse("ada@bücher.example").unwrap().as_str(), "ada@xn--bcher-kva.example");
    }

    #[test]
    fn plus_tags_and_dots_stay_significant() {
        assert_ne!(Email::parse("a.da+x@example.com").unwrap(), Email::parse("ada@example.com").unwrap());
    }

    #[test]
    fn a_domain_may_hold_digits_and_a_label_of_digits_before_the_last() {
        for typed in ["ada@123.example", "ada@4.3.example.com", "ada@example.c0m", "ada@xn--bcher-kva.xn--p1ai"] {
            assert_eq!(Email::parse(typed).unwrap().as_str(), typed);
        }
    }

    #[test]
    fn what_cannot_be_delivered_is_refused() {
        let too_long = format!("a@{}.example", "x".repeat(63).repeat(4));
        let long_local = format!("{}@example.com", "a".repeat(65));
        for typed in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a da@example.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@exa mple.com",
            "ada@-x.com",
            "ada@example..com",
            "ada@example.com.",
            "\"a b\"@example.com",
            "adä@example.com",
            "ada@[127.0.0.1]",
            "ada@1.2.3.4",
            "ada@example.123",
            "ada@example.１２３",
            "a@b@c@",
            &too_long,
            &long_local,
        ] {
            assert_eq!(Email::parse(typed).unwrap_err().code, "invalid_email", "{typed}");
        }
    }

    #[test]
    fn domains_are_read_as_those_of_addresses() {
        let domain = |text: &str| MailDomain::parse(text).map(String::from).map_err(|fault| fault.code);

        assert_eq!(domain(" Bücher.Example ").as_deref(), Ok("xn--bcher-kva.example"));
        assert_eq!(Email::parse("ada@bücher.example").unwrap().domain(), "xn--bcher-kva.example");
        for text in ["", "localhost", "ada@example.com", "*.example.com", "example.com.", "1.2.3.4", "exa mple.com"] {
            assert_eq!(domain(text), Err("invalid_domain"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_twice_changes_nothing(text in "\\PC{0,20}@\\PC{0,20}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }
    }
}
