//! The user pool and its client as the template declares them.

use crate::template::{Template, TemplateError};
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::BTreeSet;

/// The one pool's id.
pub const POOL_ID: &str = "eu-west-1_Portico00";
/// The one client's id.
pub const CLIENT_ID: &str = "portico0local0client000000";

const POOL: &str = "AWS::Cognito::UserPool";
const CLIENT: &str = "AWS::Cognito::UserPoolClient";
/// Cognito's standard attributes that may be written.
const STANDARD_ATTRIBUTES: [&str; 19] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// What the pool and its client are set to.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Whether `A` and `a` are two user names.
    pub case_sensitive: bool,
    pub passwords: PasswordPolicy,
    /// Attributes that users may have, `sub` aside.
    pub attributes: BTreeSet<String>,
    /// The client's `ExplicitAuthFlows`.
    pub flows: Vec<String>,
    /// Whether an unknown user is answered like a wrong password.
    pub hides_users: bool,
    /// Whether refresh tokens can be revoked, which also puts `origin_jti` into tokens.
    pub revocation: bool,
    pub access_lives: SignedDuration,
    pub id_lives: SignedDuration,
    pub refresh_lives: SignedDuration,
}

/// What a password has to have.
#[derive(Debug, Clone)]
pub struct PasswordPolicy {
    pub minimum_length: usize,
    /// One character at least of each of these.
    pub required: Vec<Kind>,
}

/// A kind of characters that a policy may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Lowercase,
    Uppercase,
    Number,
    Symbol,
}

impl Pool {
    /// Reads the template's only pool and client. What it leaves open, or to a condition, is Cognito's default.
    pub fn declared(template: &Template) -> Result<Self, TemplateError> {
        let only = |kind: &'static str| {
            let found = template.of_kind(kind).next().map(|resource| resource.properties);
            found.ok_or_else(|| TemplateError::Missing { logical_id: "of any name".to_owned(), kind })
        };
        let (pool, client) = (only(POOL)?, only(CLIENT)?);
        let flows = match client.get("ExplicitAuthFlows").and_then(Value::as_array) {
            Some(flows) => flows.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => {
                ["ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"].map(str::to_owned).to_vec()
            }
        };
        Ok(Self {
            case_sensitive: flag(pool, "/UsernameConfiguration/CaseSensitive").unwrap_or(true),
            passwords: PasswordPolicy::declared(pool.pointer("/Policies/PasswordPolicy")),
            attributes: attributes(pool),
            flows,
            hides_users: client.get("PreventUserExistenceErrors").and_then(Value::as_str) == Some("ENABLED"),
            revocation: flag(client, "/EnableTokenRevocation").unwrap_or(true),
            access_lives: lifetime(client, "AccessToken", "hours").unwrap_or(SignedDuration::from_hours(1)),
            id_lives: lifetime(client, "IdToken", "hours").unwrap_or(SignedDuration::from_hours(1)),
            refresh_lives: lifetime(client, "RefreshToken", "days").unwrap_or(SignedDuration::from_hours(30 * 24)),
        })
    }

    /// Whether the client may use a flow, named as in `ExplicitAuthFlows`.
    pub fn allows(&self, flow: &str) -> bool {
        self.flows.iter().any(|allowed| allowed == flow)
    }
}

impl PasswordPolicy {
    fn declared(policy: Option<&Value>) -> Self {
        let Some(policy) = policy else {
            return Self { minimum_length: 8, required: Kind::ALL.map(|(_, kind)| kind).to_vec() };
        };
        let asked = |name: &str| policy.get(name).and_then(Value::as_bool).unwrap_or_default();
        let minimum = policy.get("MinimumLength").and_then(Value::as_u64);
        Self {
            minimum_length: minimum.and_then(|length| length.try_into().ok()).unwrap_or(8),
            required: Kind::ALL.into_iter().filter(|(name, _)| asked(name)).map(|(_, kind)| kind).collect(),
        }
    }
}

impl Kind {
    /// Each kind with the name of its rule.
    const ALL: [(&str, Self); 4] = [
        ("RequireLowercase", Self::Lowercase),
        ("RequireUppercase", Self::Uppercase),
        ("RequireNumbers", Self::Number),
        ("RequireSymbols", Self::Symbol),
    ];
}

fn flag(properties: &Value, pointer: &str) -> Option<bool> {
    properties.pointer(pointer)?.as_bool()
}

fn attributes(pool: &Value) -> BTreeSet<String> {
    let schema = pool.get("Schema").and_then(Value::as_array).into_iter().flatten();
    let own = schema.filter_map(|attribute| attribute.get("Name")?.as_str());
    let own = own.filter(|name| !STANDARD_ATTRIBUTES.contains(name)).map(|name| format!("custom:{name}"));
    STANDARD_ATTRIBUTES.map(str::to_owned).into_iter().chain(own).collect()
}

fn lifetime(client: &Value, token: &str, unit: &str) -> Option<SignedDuration> {
    let count = client.get(format!("{token}Validity"))?.as_i64()?;
    let unit = client.pointer(&format!("/TokenValidityUnits/{token}")).and_then(Value::as_str).unwrap_or(unit);
    let seconds = match unit {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3_600,
        "days" => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_is_as_the_template_declares_it() {
        let pool = Pool::declared(Template::deployed().unwrap()).unwrap();

        assert_eq!(pool.passwords.minimum_length, 8);
        assert_eq!(pool.passwords.required, []);
        assert!(pool.allows("ALLOW_ADMIN_USER_PASSWORD_AUTH") && pool.allows("ALLOW_REFRESH_TOKEN_AUTH"));
        assert!(!pool.allows("ALLOW_USER_SRP_AUTH"));
        assert!(pool.hides_users && pool.revocation);
        assert_eq!(pool.access_lives, SignedDuration::from_mins(60));
        assert_eq!(pool.refresh_lives, SignedDuration::from_hours(30 * 24));
    }

    #[test]
    fn what_the_template_leaves_open_is_cognitos_default() {
        let bare = "Resources: { P: { Type: AWS::Cognito::UserPool }, C: { Type: AWS::Cognito::UserPoolClient } }";

        let pool = Pool::declared(&Template::parse(bare).unwrap()).unwrap();

        assert!(pool.case_sensitive && pool.revocation && !pool.hides_users);
        assert_eq!(pool.passwords.required.len(), 4);
        assert!(!pool.allows("ALLOW_ADMIN_USER_PASSWORD_AUTH"));
    }
}
