//! What administrators do with users: create, read, change, delete, list, and set passwords.

use super::passwords::{PasswordHash, check_form, check_policy};
use super::users::{Attribute, User};
use super::{Cognito, OfUser, check_pool};
use crate::kept::Change;
use crate::random;
use crate::wire::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most users on a page, and how many there are if the caller does not say.
const PAGE: u32 = 60;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdminCreateUser {
    user_pool_id: String,
    username: String,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    temporary_password: Option<String>,
    message_action: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdminSetUserPassword {
    user_pool_id: String,
    username: String,
    password: String,
    #[serde(default)]
    permanent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdminUpdateUserAttributes {
    user_pool_id: String,
    username: String,
    user_attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsers {
    user_pool_id: String,
    limit: Option<u32>,
    pagination_token: Option<String>,
    filter: Option<String>,
    attributes_to_get: Option<Vec<String>>,
}

impl Cognito {
    pub(super) fn admin_create_user(&self, change: &Change<'_>, request: AdminCreateUser) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        check_name(&request.username)?;
        if request.message_action.as_deref() != Some("SUPPRESS") {
            return Err(Refusal::parameter(
                "The local stand-in sends no mail of its own: MessageAction must be SUPPRESS.",
            ));
        }
        if User::find(change, &self.pool, &request.username)?.is_some() {
            return Err(Refusal::new("UsernameExistsException", "User account already exists"));
        }
        let mut user = User::new(request.username, (self.now)())?;
        user.set_attributes(&self.pool, request.user_attributes)?;
        // Cognito makes a password up where none is given; nobody would learn it.
        let password = match request.temporary_password {
            Some(password) => {
                check_form(&password)?;
                check_policy(&password, &self.pool.passwords)?;
                password
            }
            None => random::text::<32>()?,
        };
        user.password = Some(PasswordHash::of(&password, self.cost)?);
        user.keep(change, &self.pool)?;
        Ok(json!({"User": user.described("Attributes")}))
    }

    pub(super) fn admin_set_user_password(
        &self,
        change: &Change<'_>,
        request: &AdminSetUserPassword,
    ) -> Result<Value, Refusal> {
        check_form(&request.password)?;
        check_pool(&request.user_pool_id)?;
        let mut user = User::named(change, &self.pool, &request.username)?;
        check_policy(&request.password, &self.pool.passwords)?;
        user.password = Some(PasswordHash::of(&request.password, self.cost)?);
        user.permanent = request.permanent;
        user.modified = (self.now)();
        user.keep(change, &self.pool)?;
        Ok(json!({}))
    }

    pub(super) fn admin_update_user_attributes(
        &self,
        change: &Change<'_>,
        request: AdminUpdateUserAttributes,
    ) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        let mut user = User::named(change, &self.pool, &request.username)?;
        user.set_attributes(&self.pool, request.user_attributes)?;
        user.modified = (self.now)();
        user.keep(change, &self.pool)?;
        Ok(json!({}))
    }

    pub(super) fn admin_get_user(&self, change: &Change<'_>, request: &OfUser) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        let user = User::named(change, &self.pool, &request.username)?;
        Ok(Value::Object(user.described("UserAttributes")))
    }

    pub(super) fn admin_delete_user(&self, change: &Change<'_>, request: &OfUser) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        User::named(change, &self.pool, &request.username)?.delete(change, &self.pool)?;
        Ok(json!({}))
    }

    pub(super) fn list_users(change: &Change<'_>, request: &ListUsers) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        if request.filter.as_ref().is_some_and(|filter| !filter.is_empty()) {
            return Err(Refusal::parameter("The local stand-in lists all users: Filter is not offered."));
        }
        let limit = request.limit.unwrap_or(PAGE);
        if limit > PAGE {
            return Err(Refusal::parameter(
                "1 validation error detected: Value at 'limit' failed to satisfy constraint: \
                 Member must have value less than or equal to 60",
            ));
        }
        // 0 is in Cognito's range and stands for its own page size.
        let limit = if limit == 0 { PAGE } else { limit };
        let after = request.pagination_token.as_deref().map_or(Ok(String::new()), |token| {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            bytes.ok_or_else(|| Refusal::parameter("Invalid pagination token"))
        })?;
        let mut found = User::page(change, &after, limit + 1)?;
        let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            found.pop();
        }
        let next = found.last().filter(|_| more).map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
        let users: Vec<_> = found.iter().map(|(_, user)| listed(user, request.attributes_to_get.as_deref())).collect();
        Ok(match next {
            Some(next) => json!({"Users": users, "PaginationToken": next}),
            None => json!({"Users": users}),
        })
    }
}

/// A user with the attributes that were asked for; with all of them if none were.
fn listed(user: &User, wanted: Option<&[String]>) -> Value {
    let mut described = user.described("Attributes");
    if let (Some(wanted), Some(Value::Array(attributes))) = (wanted, described.get_mut("Attributes")) {
        attributes.retain(|attribute| wanted.iter().any(|name| attribute.get("Name").is_some_and(|own| own == name)));
    }
    Value::Object(described)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let length = name.chars().count();
    if (1..=128).contains(&length) && !name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err(Refusal::parameter(
        "1 validation error detected: Value at 'username' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+",
    ))
}
