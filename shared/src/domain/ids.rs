//! Identifiers: a prefix that names the kind, then a time-ordered unique part (a ULID), all lower case.
//!
//! Lower case, because user ids are Cognito's user names, which a pool may compare without case
//! (`docs/architecture.md`, section 5).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id: ids made later sort later.
            #[must_use]
            pub fn new(now: Timestamp, random: u128) -> Self {
                Self(format!("{}{}", Self::PREFIX, unique_part(now, random)))
            }

            /// Reads an id as it was handed out; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let unique = text.strip_prefix(Self::PREFIX)?;
                is_unique_part(unique).then(|| Self(text.to_owned()))
            }

            /// When it was made, in whole milliseconds.
            #[must_use]
            pub fn made_at(&self) -> Timestamp {
                made_at(self.0.trim_start_matches(Self::PREFIX))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).ok_or_else(|| format!("not an id that starts with {}", Self::PREFIX))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// A person's id, and the name of the person's Cognito user.
    UserId,
    "usr_"
);
id!(
    /// An organisation's id.
    OrganisationId,
    "org_"
);
id!(
    /// A team's id.
    TeamId,
    "team_"
);
id!(
    /// An invitation's id.
    InvitationId,
    "inv_"
);
id!(
    /// The id of a request for an organisation.
    OrganisationRequestId,
    "orq_"
);
id!(
    /// An invite code's id: what the code's text cannot be, the same for one code alone.
    InviteCodeId,
    "code_"
);
id!(
    /// The id of a custom sign-up attribute: people's rows keep their value under it.
    AttributeId,
    "atr_"
);
id!(
    /// An audit event's id.
    EventId,
    "evt_"
);
id!(
    /// The id of a mail in the outbox.
    MailId,
    "mail_"
);

impl OrganisationId {
    /// The Default Organisation, which every portal has and which is never deleted.
    #[must_use]
    pub fn default_organisation() -> Self {
        Self(format!("{}{}", Self::PREFIX, NIL))
    }
}

impl TeamId {
    /// The Default Organisation's default team, in which strangers meet: sharing it makes nobody visible to anybody.
    #[must_use]
    pub fn default_team() -> Self {
        Self(format!("{}{}", Self::PREFIX, NIL))
    }
}

const NIL: &str = "00000000000000000000000000";

fn unique_part(now: Timestamp, random: u128) -> String {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Ulid::from_parts(millis, random).to_string().to_ascii_lowercase()
}

fn made_at(unique: &str) -> Timestamp {
    let millis = Ulid::from_string(unique).ok().and_then(|ulid| i64::try_from(ulid.timestamp_ms()).ok());
    millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn is_unique_part(text: &str) -> bool {
    text.len() == NIL.len()
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && Ulid::from_string(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_lower_case_and_sort_by_the_time_they_were_made() {
        let earlier = UserId::new("2026-01-01T00:00:00Z".parse().unwrap(), u128::MAX);
        let later = UserId::new("2026-01-01T00:00:00.001Z".parse().unwrap(), 0);

        assert!(earlier < later);
        assert_eq!(later.as_str(), later.as_str().to_ascii_lowercase());
        assert_eq!(UserId::parse(later.as_str()), Some(later));
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        let now = "2026-01-01T00:00:00.007Z".parse().unwrap();

        assert_eq!(UserId::new(now, 5).made_at(), now);
        assert_eq!(TeamId::default_team().made_at(), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn another_kind_upper_case_and_junk_are_no_ids() {
        let id = UserId::new(Timestamp::UNIX_EPOCH, 1);

        assert_eq!(TeamId::parse(id.as_str()), None);
        assert_eq!(UserId::parse(&id.as_str().to_ascii_uppercase()), None);
        assert_eq!(UserId::parse("usr_"), None);
        assert_eq!(UserId::parse("usr_0000000000000000000000000u"), None);
    }

    #[test]
    fn the_default_places_have_ordinary_ids() {
        let organisation = OrganisationId::default_organisation();
        let team = TeamId::default_team();

        assert_eq!(OrganisationId::parse(organisation.as_str()), Some(organisation));
        assert_eq!(TeamId::parse(team.as_str()), Some(team));
    }
}
