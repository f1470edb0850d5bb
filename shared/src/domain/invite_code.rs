//! Invite codes: a shared way in, into exactly one team, for a number of people and for a time.
//!
//! Source of the rules: `docs/architecture.md`, sections 3.17 and 5.

pub mod notice;
pub mod text;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use text::{Code, FoldedCode};

use super::{
    Fault,
    email::{Email, MailDomain},
    ids::{InviteCodeId, OrganisationId, TeamId, UserId},
};

/// The highest quota; who wants more sets none.
pub const HIGHEST_QUOTA: u32 = 1_000_000;
/// The most domains that a code is held to.
pub const MAX_DOMAINS: usize = 50;
/// The longest note, in characters.
const MAX_NOTE: usize = 500;

/// An invite code, as the table holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteCode {
    /// Its id: tells a code from one of the same text that was deleted before. Handed out to nobody but the audit.
    pub id: InviteCodeId,
    /// Its text, as it is shown.
    pub code: Code,
    /// The team into which it leads.
    pub team_id: TeamId,
    /// The organisation of that team.
    pub organisation_id: OrganisationId,
    /// How many people it lets in, 1 to [`HIGHEST_QUOTA`]; `None` for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// How many it has let in, without those who never confirmed.
    pub used: u64,
    /// It works before this instant; `None` for ever.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether the code is the approval: who comes in by it is active once the address is confirmed.
    pub auto_approve: bool,
    /// What its owner noted about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The domains whose addresses it lets in; none for all.
    #[serde(default)]
    pub allowed_email_domains: Vec<MailDomain>,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When an API Owner last changed it.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
    /// Counts the changes that API Owners make. Redeeming changes nothing that they decide, and does not count.
    pub version: u64,
}

/// Whether a code lets people in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// It does.
    Usable,
    /// It is switched off, or its team is gone.
    Inactive,
    /// Its time is over.
    Expired,
    /// Its quota is used up.
    Exhausted,
}

impl CodeState {
    /// Reads the word in which it is shown; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "usable" => Some(Self::Usable),
            "inactive" => Some(Self::Inactive),
            "expired" => Some(Self::Expired),
            "exhausted" => Some(Self::Exhausted),
            _ => None,
        }
    }
}

/// Why a code does not let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// It is switched off.
    Inactive,
    /// Its time is over.
    Expired,
    /// Its quota is used up.
    Exhausted,
    /// It lets in addresses of other domains alone.
    DomainNotAllowed,
}

impl InviteCode {
    /// Whether it lets people in at `now`, as far as the code itself can tell: where several things are wrong, inactive
    /// comes before expired and that before exhausted.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> CodeState {
        if !self.active {
            CodeState::Inactive
        } else if self.is_over(now) {
            CodeState::Expired
        } else if self.remaining() == Some(0) {
            CodeState::Exhausted
        } else {
            CodeState::Usable
        }
    }

    /// Whether its time is over at `now`, whatever else is wrong with it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// How many it still lets in; `None` for any number.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.quota.map(|quota| u64::from(quota).saturating_sub(self.used))
    }

    /// Whether it lets the holder of `email` in at `now`.
    ///
    /// # Errors
    /// What is wrong, the code's state before the address.
    pub fn admits(&self, email: &Email, now: Timestamp) -> Result<(), NotAdmitted> {
        match self.state(now) {
            CodeState::Inactive => Err(NotAdmitted::Inactive),
            CodeState::Expired => Err(NotAdmitted::Expired),
            CodeState::Exhausted => Err(NotAdmitted::Exhausted),
            CodeState::Usable if self.allows_domain_of(email) => Ok(()),
            CodeState::Usable => Err(NotAdmitted::DomainNotAllowed),
        }
    }

    fn allows_domain_of(&self, email: &Email) -> bool {
        let domains = &self.allowed_email_domains;
        domains.is_empty() || domains.iter().any(|domain| domain.as_str() == email.domain())
    }

    /// What a person keeps of the code that they redeem.
    #[must_use]
    pub fn redemption(&self) -> Redemption {
        Redemption {
            code: self.code.clone(),
            code_id: self.id.clone(),
            auto_approve: self.auto_approve,
            confirmed_at: None,
        }
    }
}

/// The code by which a person came in, as it was when they redeemed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// The code.
    pub code: Code,
    /// Its id.
    pub code_id: InviteCodeId,
    /// Whether the code was the approval.
    pub auto_approve: bool,
    /// When the registration got its password: from then on it keeps its slot.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub confirmed_at: Option<Timestamp>,
}

/// What an API Owner notes about a code: up to 500 characters on any number of lines.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(String);

impl Note {
    /// Reads a note as a person types it.
    ///
    /// # Errors
    /// `invalid_note` when it has more characters, or control characters other than line breaks.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.replace("\r\n", "\n");
        if text.chars().count() > MAX_NOTE || text.contains(|c: char| c.is_control() && c != '\n') {
            let detail = "A note has up to 500 characters and no control characters but line breaks.";
            return Err(Fault::new("invalid_note", detail));
        }
        Ok(Self(text))
    }

    /// The note as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints no note: it may name people.
impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Note(…)")
    }
}

impl TryFrom<String> for Note {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| fault.detail)
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    pub(crate) fn code() -> InviteCode {
        InviteCode {
            id: InviteCodeId::new(NOW, 1),
            code: Code::parse("SPRING-2026").unwrap(),
            team_id: TeamId::default_team(),
            organisation_id: OrganisationId::default_organisation(),
            quota: None,
            used: 0,
            expires_at: None,
            active: true,
            auto_approve: true,
            note: None,
            allowed_email_domains: Vec::new(),
            created_by: UserId::new(NOW, 1),
            created_at: NOW,
            updated_at: NOW,
            version: 1,
        }
    }

    #[test]
    fn inactive_comes_before_expired_and_that_before_exhausted() {
        let past = Some(NOW - SignedDuration::from_millis(1));
        let cases = [
            (true, None, None, 7, CodeState::Usable),
            (true, None, Some(8), 7, CodeState::Usable),
            (true, None, Some(7), 7, CodeState::Exhausted),
            (true, None, Some(6), 7, CodeState::Exhausted),
            (true, past, Some(7), 7, CodeState::Expired),
            (true, past, None, 0, CodeState::Expired),
            (false, past, Some(7), 7, CodeState::Inactive),
            (false, None, Some(7), 7, CodeState::Inactive),
            (false, None, None, 0, CodeState::Inactive),
        ];
        for (active, expires_at, quota, used, state) in cases {
            let code = InviteCode { quota, used, expires_at, active, ..code() };
            assert_eq!(code.state(NOW), state, "{code:?}");
        }
    }

    #[test]
    fn a_code_works_until_its_expiry_and_not_at_it() {
        let code = InviteCode { expires_at: Some(NOW), ..code() };

        assert_eq!(code.state(NOW - SignedDuration::from_millis(1)), CodeState::Usable);
        assert_eq!(code.state(NOW), CodeState::Expired);
    }

    #[test]
    fn states_are_read_by_the_words_in_which_they_are_shown() {
        for state in [CodeState::Usable, CodeState::Inactive, CodeState::Expired, CodeState::Exhausted] {
            let word = serde_json::to_value(state).unwrap();
            assert_eq!(CodeState::parse(word.as_str().unwrap()), Some(state));
        }
        assert_eq!(CodeState::parse("Usable"), None);
    }

    #[test]
    fn only_the_allowed_domains_get_in_and_no_domain_below_them() {
        let domains = vec![MailDomain::parse("Example.com").unwrap(), MailDomain::parse("bücher.example").unwrap()];
        let code = InviteCode { allowed_email_domains: domains, ..code() };
        let admits = |address: &str| code.admits(&Email::parse(address).unwrap(), NOW);

        assert_eq!((admits("ada@EXAMPLE.com"), admits("ada@bücher.example")), (Ok(()), Ok(())));
        for address in ["ada@sub.example.com", "ada@example.org", "ada@notexample.com"] {
            assert_eq!(admits(address), Err(NotAdmitted::DomainNotAllowed), "{address}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_code_is_told_before_what_is_wrong_with_the_address() {
        let domains = vec![MailDomain::parse("example.com").unwrap()];
        let code = InviteCode { allowed_email_domains: domains, quota: Some(1), used: 1, ..code() };

        assert_eq!(code.admits(&Email::parse("ada@example.org").unwrap(), NOW), Err(NotAdmitted::Exhausted));
    }

    #[test]
    fn a_note_may_have_lines_and_nothing_that_controls() {
        assert_eq!(Note::parse("one\r\ntwo").unwrap().as_str(), "one\ntwo");
        assert!(Note::parse(&"é".repeat(500)).is_ok());
        for text in ["\t", "a\u{7}", &"x".repeat(501)] {
            assert_eq!(Note::parse(text).unwrap_err().code, "invalid_note");
        }
    }

    #[test]
    fn nothing_of_a_code_or_its_note_is_printed() {
        let note = Some(Note::parse("for the crew").unwrap());

        let printed = format!("{:?}", InviteCode { note, ..code() }).to_lowercase();

        assert!(["spring", "2026-", "crew"].into_iter().all(|word| !printed.contains(word)), "{printed}");
    }
}
