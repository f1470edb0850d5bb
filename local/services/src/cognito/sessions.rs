//! Ending sessions (`RevokeToken`, `AdminUserGlobalSignOut`), and `GetUser`, at which Cognito notices that one has ended.

use super::pool::CLIENT_ID;
use super::tokens;
use super::users::{User, digest_of};
use super::{Cognito, OfUser, check_pool};
use crate::kept::Change;
use crate::wire::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeToken {
    client_id: String,
    token: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUser {
    access_token: String,
}

impl Cognito {
    /// Ends the session of a refresh token. A token that is unknown or has ended is no error, as RFC 7009 has it.
    pub(super) fn revoke_token(&self, change: &Change<'_>, request: &RevokeToken) -> Result<Value, Refusal> {
        if request.client_id != CLIENT_ID {
            return Err(Refusal::new("UnauthorizedException", "The client is not authorized to revoke this token."));
        }
        if !self.pool.revocation {
            let message = "Token revocation is not enabled for the client.";
            return Err(Refusal::new("UnsupportedOperationException", message));
        }
        if request.token.split('.').count() == 3 {
            return Err(Refusal::new("UnsupportedTokenTypeException", "Unsupported token type"));
        }
        let digest = digest_of(&request.token);
        if let Some(mut user) = User::of_refresh_token(change, &digest)? {
            if let Some(session) = user.sessions.get_mut(&digest) {
                session.revoked = true;
            }
            user.keep(change, &self.pool)?;
        }
        Ok(json!({}))
    }

    pub(super) fn admin_user_global_sign_out(&self, change: &Change<'_>, request: &OfUser) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        let mut user = User::named(change, &self.pool, &request.username)?;
        for session in user.sessions.values_mut() {
            session.revoked = true;
        }
        user.keep(change, &self.pool)?;
        Ok(json!({}))
    }

    pub(super) fn get_user(&self, change: &Change<'_>, request: &GetUser) -> Result<Value, Refusal> {
        let refused = |message: &str| Refusal::new("NotAuthorizedException", message);
        let now = (self.now)();
        let claims: Map<String, Value> = tokens::verify(&*self.key()?, &self.issuer, &request.access_token, now)
            .map_err(|error| match error {
                tokens::VerifyError::Time => refused("Access Token has expired"),
                _ => refused("Invalid Access Token"),
            })?;
        if tokens::text(&claims, "token_use") != Some("access") {
            return Err(refused("Invalid Access Token"));
        }
        let user = User::named(change, &self.pool, tokens::text(&claims, "username").unwrap_or_default())?;
        if let Some(origin) = tokens::text(&claims, "origin_jti")
            && !user.sessions.values().any(|session| session.origin_jti == origin && !session.revoked)
        {
            return Err(refused("Access Token has been revoked"));
        }
        Ok(json!({"Username": user.name, "UserAttributes": user.attribute_list()}))
    }
}
