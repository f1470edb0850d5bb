//! The text of a code: how it is shown, and the form in which codes are compared and kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::Fault;

/// Crockford's base 32: no letter in it can be taken for a digit.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
/// How many characters a generated code has: 80 bits.
const GENERATED: u32 = 16;
/// The bounds of a code that an API Owner chooses, in characters.
const SHORTEST: usize = 8;
/// See [`SHORTEST`].
const LONGEST: usize = 64;
/// The fewest letters and digits that a code has: hyphens alone tell nothing apart.
const FEWEST_SIGNIFICANT: usize = 6;

/// A code as it is shown and handed around.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

impl Code {
    /// A code made of the lowest 80 bits of `random`: upper case, in groups of four.
    #[must_use]
    pub fn generated(random: u128) -> Self {
        let mut text = String::new();
        for at in (0..GENERATED).rev() {
            let five_bits = usize::try_from(random >> (5 * at) & 31).unwrap_or_default();
            text.extend(ALPHABET.get(five_bits));
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
        }
        Self(text)
    }

    /// Reads a code that an API Owner chooses.
    ///
    /// # Errors
    /// `invalid_code` unless it has 8 to 64 letters of ASCII, digits and hyphens, at least 6 of them no hyphens.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !plain || !(SHORTEST..=LONGEST).contains(&text.len()) || FoldedCode::of(text).is_none() {
            let detail = "A code has 8 to 64 letters from A to Z, digits and hyphens, at least 6 of them no hyphens.";
            return Err(Fault::new("invalid_code", detail));
        }
        Ok(Self(text.to_owned()))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is compared.
    #[must_use]
    pub fn folded(&self) -> FoldedCode {
        FoldedCode(fold(&self.0))
    }
}

/// Prints no code: whoever has one gets in.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|fault| fault.detail)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// A code without what people get wrong when they type one: case, hyphens, white space, and letters that look like
/// digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FoldedCode(String);

impl FoldedCode {
    /// Reads a code as a person types it; `None` for what cannot be one.
    #[must_use]
    pub fn of(typed: &str) -> Option<Self> {
        let folded = fold(typed);
        let fits = (FEWEST_SIGNIFICANT..=LONGEST).contains(&folded.len());
        (fits && folded.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(Self(folded))
    }

    /// The folded text: part of a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints no code: whoever has one gets in.
impl fmt::Debug for FoldedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FoldedCode(…)")
    }
}

fn fold(text: &str) -> String {
    let significant = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let folded = significant.map(|c| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    });
    folded.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_generated_code_has_sixteen_characters_in_groups_of_four() {
        assert_eq!(Code::generated(0).as_str(), "0000-0000-0000-0000");
        assert_eq!(Code::generated(u128::MAX).as_str(), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(Code::generated(0x0123_4567_89ab_cdef_fedc).as_str(), "04HM-ASW9-NF6Y-ZZPW");
    }

    #[test]
    fn what_people_get_wrong_when_they_type_a_code_does_not_matter() {
        let code = Code::parse("OIL-Rig-2026").unwrap().folded();

        assert_eq!(code.as_str(), "011r1g2026");
        for typed in ["oil-rig-2026", " 01LR1G2026\n", "O1L R-IG-2-0-2-6"] {
            assert_eq!(FoldedCode::of(typed).as_ref(), Some(&code), "{typed}");
        }
        assert_ne!(FoldedCode::of("OIL-RIG-2027"), Some(code));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for typed in ["", "-----", "abcde", "a-b-c-d-e", "abcdéf", "ａｂｃｄｅｆ", "abc#def", &"a".repeat(65)] {
            assert_eq!(FoldedCode::of(typed), None, "{typed}");
        }
        assert!(FoldedCode::of("abcdef").is_some() && FoldedCode::of(&"a".repeat(64)).is_some());
    }

    #[test]
    fn chosen_codes_have_bounds() {
        let (long, too_long) = ("x".repeat(64), "x".repeat(65));
        for text in ["SPRING-2026", "abcdef--", "12345678", &long] {
            assert_eq!(Code::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "SPRING7", "abcde---", "SPRING 2026", "SPRING_2026", "FRÜHLING-26", " SPRING-2026", &too_long]
        {
            assert_eq!(Code::parse(text).unwrap_err().code, "invalid_code", "{text:?}");
        }
    }

    #[test]
    fn a_code_prints_nothing() {
        let code = Code::generated(7);

        assert_eq!(format!("{code:?} {:?}", code.folded()), "Code(…) FoldedCode(…)");
    }

    proptest! {
        #[test]
        fn every_generated_code_is_one_and_no_two_of_different_bits_are_the_same(one: u128, other: u128) {
            let (a, b) = (Code::generated(one), Code::generated(other));

            prop_assert_eq!(Code::parse(a.as_str()), Ok(a.clone()));
            let low = |number: u128| number & ((1 << 80) - 1);
            prop_assert_eq!(a.folded() == b.folded(), low(one) == low(other));
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,80}") {
            if let Some(folded) = FoldedCode::of(&text) {
                prop_assert_eq!(FoldedCode::of(folded.as_str()), Some(folded));
            }
        }

        #[test]
        fn a_chosen_code_is_found_by_what_it_says(text in "[A-Za-z0-9-]{8,64}") {
            if let Ok(code) = Code::parse(&text) {
                prop_assert_eq!(FoldedCode::of(&text.to_ascii_lowercase().replace('-', " ")), Some(code.folded()));
            }
        }
    }
}
