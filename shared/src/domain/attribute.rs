//! Custom sign-up attributes: what API Owners define, beside the name and the address that everybody has.
//!
//! A person's row keeps values under the id of their definition, so that a name that is used anew starts without
//! anybody's old value. Source of the rules: `docs/api.md`, "Sign-up attributes".

mod pattern;
mod text;
mod values;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use pattern::Pattern;
pub use text::{AttributeName, choice};
pub use values::{MAX_TEXT, MAX_VALUES_SIZE, Place, Writer, merge};

use super::{ids::AttributeId, name::Name};

/// The most attributes that a portal has.
pub const MAX_DEFINITIONS: usize = 30;
/// The most choices that an attribute offers.
pub const MAX_CHOICES: usize = 50;
/// The highest place in the order of attributes.
pub const HIGHEST_ORDER: u32 = 1000;
/// How much all definitions may hold together, in bytes of JSON: they are one item of the table, read at every sign-up.
pub const MAX_DEFINITIONS_SIZE: usize = 64 * 1024;

/// What values an attribute has. It never changes: people have values already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = AttributeType, rename_all = "snake_case")]
pub enum Type {
    /// A line of text.
    String,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of a few texts.
    Choice,
}

impl Type {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::String, Self::Number, Self::Boolean, Self::Choice];

    /// The word in which it is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A type with what narrows its values down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// A line of text.
    String {
        /// What the whole text has to match.
        pattern: Option<Pattern>,
    },
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of these texts.
    Choice {
        /// The texts, each once, in the order in which they are offered.
        choices: Vec<String>,
    },
}

impl Kind {
    /// The type alone.
    #[must_use]
    pub fn as_type(&self) -> Type {
        match self {
            Self::String { .. } => Type::String,
            Self::Number => Type::Number,
            Self::Boolean => Type::Boolean,
            Self::Choice { .. } => Type::Choice,
        }
    }

    /// What a text has to match.
    #[must_use]
    pub fn pattern(&self) -> Option<&Pattern> {
        if let Self::String { pattern } = self { pattern.as_ref() } else { None }
    }

    /// What can be chosen.
    #[must_use]
    pub fn choices(&self) -> Option<&[String]> {
        if let Self::Choice { choices } = self { Some(choices) } else { None }
    }
}

/// Who sees a value, beside the person and API Owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Nobody.
    Private,
    /// Consumer Admins who share a team with the person.
    Admins,
}

impl Visibility {
    /// Every visibility.
    pub const ALL: [Self; 2] = [Self::Private, Self::Admins];

    /// The word in which it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Admins => "admins",
        }
    }

    /// Reads the word; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|visibility| visibility.as_str() == word)
    }
}

/// One attribute, as API Owners define it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its id: people's rows keep their value under it.
    pub id: AttributeId,
    /// Its name in requests and answers, unique and for good.
    pub name: AttributeName,
    /// What forms call it.
    pub label: Name,
    /// What values it has.
    pub kind: Kind,
    /// Whether the form has to be sent with a value, and none can be cleared later.
    pub required: bool,
    /// Whether the person can set it once alone; API Owners change it all the same.
    pub write_once: bool,
    /// Who sees it.
    pub visibility: Visibility,
    /// Whether the form shows it to whoever signs up.
    pub on_form: bool,
    /// Its place among the others, 0 to [`HIGHEST_ORDER`]; among equals the older comes first.
    pub order: u32,
    /// When it was defined.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub updated_at: Timestamp,
    /// Counts its changes.
    pub version: u64,
}

/// All attributes of the portal, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definitions {
    definitions: Vec<Definition>,
    /// Counts the changes of any of them; 0 while nothing was ever defined.
    pub version: u64,
}

/// Why there cannot be another attribute, or a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another has this name.
    NameTaken,
    /// There would be more than [`MAX_DEFINITIONS`], or they would hold more than [`MAX_DEFINITIONS_SIZE`].
    TooMany,
}

impl Definitions {
    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter()
    }

    /// Those that the sign-up form shows, in their order.
    pub fn on_form(&self) -> impl Iterator<Item = &Definition> {
        self.iter().filter(|definition| definition.on_form)
    }

    /// The one of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Definition> {
        self.iter().find(|definition| definition.name.as_str() == name)
    }

    /// The definitions with a new one.
    ///
    /// # Errors
    /// [`Refused`] says why there cannot be another.
    pub fn with(&self, new: Definition) -> Result<Self, Refused> {
        if self.named(new.name.as_str()).is_some() {
            return Err(Refused::NameTaken);
        }
        self.of(self.iter().cloned().chain([new]).collect())
    }

    /// The definitions with `changed` in place of the one of its id.
    ///
    /// # Errors
    /// [`Refused::TooMany`] where it would be too large.
    pub fn replacing(&self, changed: &Definition) -> Result<Self, Refused> {
        let replaced = self.iter().map(|old| if old.id == changed.id { changed } else { old });
        self.of(replaced.cloned().collect())
    }

    /// The definitions without the one of this id.
    #[must_use]
    pub fn without(&self, id: &AttributeId) -> Self {
        let definitions = self.iter().filter(|definition| definition.id != *id).cloned().collect();
        Self { definitions, version: self.version + 1 }
    }

    fn of(&self, mut definitions: Vec<Definition>) -> Result<Self, Refused> {
        definitions.sort_by(|one, other| (one.order, &one.id).cmp(&(other.order, &other.id)));
        let size = serde_json::to_string(&definitions).map_or(usize::MAX, |json| json.len());
        if definitions.len() > MAX_DEFINITIONS || size > MAX_DEFINITIONS_SIZE {
            return Err(Refused::TooMany);
        }
        Ok(Self { definitions, version: self.version + 1 })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An optional text that everybody may fill in on the form, but for what `change` says.
    pub(crate) fn definition(name: &str, change: impl FnOnce(&mut Definition)) -> Definition {
        let random = name.bytes().fold(0, |sum: u128, byte| sum * 31 + u128::from(byte));
        let mut definition = Definition {
            id: AttributeId::new(Timestamp::UNIX_EPOCH, random),
            name: AttributeName::parse(name).unwrap(),
            label: Name::parse(name).unwrap(),
            kind: Kind::String { pattern: None },
            required: false,
            write_once: false,
            visibility: Visibility::Private,
            on_form: true,
            order: 0,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        };
        change(&mut definition);
        definition
    }

    pub(crate) fn definitions(all: impl IntoIterator<Item = Definition>) -> Definitions {
        all.into_iter().fold(Definitions::default(), |some, definition| some.with(definition).unwrap())
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(Type::ALL.into_iter().all(|kind| Type::parse(kind.as_str()) == Some(kind)));
        assert!(Visibility::ALL.into_iter().all(|word| Visibility::parse(word.as_str()) == Some(word)));
        assert_eq!((Type::parse("String"), Visibility::parse("all")), (None, None));
    }

    #[test]
    fn attributes_stand_in_their_order_and_equals_by_age() {
        let at = |order| move |definition: &mut Definition| definition.order = order;
        let all = definitions([definition("c", at(5)), definition("b", at(0)), definition("a", at(5))]);
        let names = |all: &Definitions| all.iter().map(|one| one.name.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&all), ["b", "a", "c"]);

        let mut moved = all.named("b").unwrap().clone();
        moved.order = 6;
        let moved = all.replacing(&moved).unwrap();

        assert_eq!(names(&moved), ["a", "c", "b"]);
        assert_eq!(names(&moved.without(&moved.named("c").unwrap().id)), ["a", "b"]);
        assert_eq!((all.version, moved.version), (3, 4));
    }

    #[test]
    fn a_name_is_given_once_and_there_is_an_end_to_them() {
        let some = definitions((1..MAX_DEFINITIONS).map(|number| definition(&format!("a{number}"), |_| {})));

        assert_eq!(some.with(definition("a7", |_| {})), Err(Refused::NameTaken));
        let full = some.with(definition("last", |_| {})).unwrap();
        assert_eq!(full.with(definition("more", |_| {})), Err(Refused::TooMany));
        assert_eq!(full.with(definition("a7", |_| {})), Err(Refused::NameTaken));
    }

    #[test]
    fn all_of_them_together_have_a_largest_size() {
        let large = |definition: &mut Definition| {
            let choices = (0..MAX_CHOICES).map(|number| format!("{number:0>100}")).collect();
            definition.kind = Kind::Choice { choices };
        };
        let some = definitions((0..12).map(|number| definition(&format!("a{number}"), large)));

        assert_eq!(some.with(definition("more", large)), Err(Refused::TooMany));
        let small = some.with(definition("more", |_| {})).unwrap();
        let mut grown = small.named("more").unwrap().clone();
        large(&mut grown);
        assert_eq!(small.replacing(&grown), Err(Refused::TooMany));
    }
}
