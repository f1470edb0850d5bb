//! The users of the pool and how they are kept.

use super::lockout::Lockout;
use super::passwords::PasswordHash;
use super::pool::Pool;
use crate::kept::{Change, KeptError};
use crate::random;
use crate::wire::Refusal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const USER: &str = "user";
const REFRESH: &str = "refresh";

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// Cognito's own id of the user.
    pub sub: String,
    /// All attributes but `sub`.
    pub attributes: BTreeMap<String, String>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub password: Option<PasswordHash>,
    /// Whether the password is the user's to keep.
    pub permanent: bool,
    pub lockout: Lockout,
    /// What refresh tokens were given out, by their digest.
    pub sessions: BTreeMap<String, Session>,
}

/// A sign-in and what came of it by refreshing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// The id that all of its access tokens carry.
    pub origin_jti: String,
    pub auth_time: Timestamp,
    pub expires_at: Timestamp,
    pub revoked: bool,
}

/// An attribute as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    pub name: String,
    #[serde(default)]
    pub value: String,
}

impl User {
    /// A new user without a password.
    pub fn new(name: String, now: Timestamp) -> Result<Self, Unspecified> {
        Ok(Self {
            name,
            sub: random::uuid()?,
            attributes: BTreeMap::new(),
            created: now,
            modified: now,
            password: None,
            permanent: false,
            lockout: Lockout::default(),
            sessions: BTreeMap::new(),
        })
    }

    /// The user of that name.
    pub fn find(change: &Change<'_>, pool: &Pool, name: &str) -> Result<Option<Self>, KeptError> {
        change.get(USER, &pool.key_of(name))
    }

    /// The user of that name, for the operations that tell administrators of a missing one.
    pub fn named(change: &Change<'_>, pool: &Pool, name: &str) -> Result<Self, Refusal> {
        Self::find(change, pool, name)?.ok_or_else(|| Refusal::new("UserNotFoundException", "User does not exist."))
    }

    /// The user to whom a refresh token was given, unless deleted since.
    pub fn of_refresh_token(change: &Change<'_>, digest: &str) -> Result<Option<Self>, KeptError> {
        match change.get::<String>(REFRESH, digest)? {
            Some(key) => change.get(USER, &key),
            None => Ok(None),
        }
    }

    /// Users in the order of their names, those after the key `after`; with their keys.
    pub fn page(change: &Change<'_>, after: &str, limit: u32) -> Result<Vec<(String, Self)>, KeptError> {
        change.after(USER, after, limit)
    }

    /// Keeps the user as it is now.
    pub fn keep(&self, change: &Change<'_>, pool: &Pool) -> Result<(), KeptError> {
        change.put(USER, &pool.key_of(&self.name), self)
    }

    /// Adds a session, and drops those that are over.
    pub fn add_session(
        &mut self,
        change: &Change<'_>,
        pool: &Pool,
        digest: String,
        session: Session,
    ) -> Result<(), KeptError> {
        let now = session.auth_time;
        for over in self.sessions.extract_if(.., |_, session| session.expires_at <= now) {
            change.remove(REFRESH, &over.0)?;
        }
        change.put(REFRESH, &digest, &pool.key_of(&self.name))?;
        self.sessions.insert(digest, session);
        Ok(())
    }

    /// Removes the user and whatever it could sign in with.
    pub fn delete(&self, change: &Change<'_>, pool: &Pool) -> Result<(), KeptError> {
        for digest in self.sessions.keys() {
            change.remove(REFRESH, digest)?;
        }
        change.remove(USER, &pool.key_of(&self.name))
    }

    /// Writes attributes; one without a value is removed.
    pub fn set_attributes(&mut self, pool: &Pool, attributes: Vec<Attribute>) -> Result<(), Refusal> {
        let unverified = |changed: &str| match changed {
            "email" => Some("email_verified"),
            "phone_number" => Some("phone_number_verified"),
            _ => None,
        };
        let given: Vec<String> = attributes.iter().map(|attribute| attribute.name.clone()).collect();
        for Attribute { name, value } in attributes {
            if !pool.attributes.contains(&name) {
                return Err(Refusal::parameter(format!("user.{name}: Attribute does not exist in the schema.")));
            }
            if name == "email" && !value.is_empty() && !is_email(&value) {
                return Err(Refusal::parameter("Invalid email address format."));
            }
            if value.chars().count() > 2048 {
                return Err(Refusal::parameter(format!("user.{name}: Attribute value is too long.")));
            }
            // A changed address is not verified until somebody says so.
            if let Some(mark) = unverified(&name)
                && self.attributes.get(&name).is_some_and(|before| *before != value)
                && !given.iter().any(|given| given == mark)
            {
                self.attributes.insert(mark.to_owned(), "false".to_owned());
            }
            if value.is_empty() {
                self.attributes.remove(&name);
            } else {
                self.attributes.insert(name, value);
            }
        }
        Ok(())
    }

    /// All attributes as Cognito lists them.
    pub fn attribute_list(&self) -> Value {
        let own = self.attributes.iter().map(|(name, value)| json!({"Name": name, "Value": value}));
        [json!({"Name": "sub", "Value": self.sub})].into_iter().chain(own).collect()
    }

    /// The user as Cognito describes it; its attributes go by another name in each operation.
    pub fn described(&self, attributes: &str) -> Map<String, Value> {
        let status = if self.permanent { "CONFIRMED" } else { "FORCE_CHANGE_PASSWORD" };
        Map::from_iter([
            ("Username".to_owned(), json!(self.name)),
            (attributes.to_owned(), self.attribute_list()),
            ("UserCreateDate".to_owned(), json!(self.created.as_duration().as_secs_f64())),
            ("UserLastModifiedDate".to_owned(), json!(self.modified.as_duration().as_secs_f64())),
            ("Enabled".to_owned(), json!(true)),
            ("UserStatus".to_owned(), json!(status)),
        ])
    }
}

impl Pool {
    /// What a user of that name is kept under.
    fn key_of(&self, name: &str) -> String {
        if self.case_sensitive { name.to_owned() } else { name.to_lowercase() }
    }
}

/// Under what a refresh token is found again; the token itself is kept nowhere.
pub fn digest_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()).as_ref())
}

fn is_email(text: &str) -> bool {
    let stray = |c: char| c.is_whitespace() || c.is_control();
    !text.contains(stray)
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
}
