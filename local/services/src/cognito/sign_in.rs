//! `AdminInitiateAuth`: signing in with a password, and with a refresh token.

use super::pool::CLIENT_ID;
use super::tokens;
use super::users::{Session, User, digest_of};
use super::{Cognito, check_pool};
use crate::kept::Change;
use crate::random;
use crate::wire::Refusal;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOT_AUTHORIZED: &str = "NotAuthorizedException";
/// Flows that Cognito knows and nobody here may use.
const OTHER_FLOWS: [&str; 3] = ["USER_SRP_AUTH", "CUSTOM_AUTH", "USER_AUTH"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdminInitiateAuth {
    user_pool_id: String,
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: BTreeMap<String, String>,
}

impl Cognito {
    pub(super) fn admin_initiate_auth(
        &self,
        change: &Change<'_>,
        request: &AdminInitiateAuth,
    ) -> Result<Value, Refusal> {
        check_pool(&request.user_pool_id)?;
        if request.client_id != CLIENT_ID {
            let message = format!("User pool client {} does not exist.", request.client_id);
            return Err(Refusal::new("ResourceNotFoundException", message));
        }
        let parameter = |name: &str| {
            let given = request.auth_parameters.get(name).filter(|value| !value.is_empty());
            given.ok_or_else(|| Refusal::parameter(format!("Missing required parameter {name}")))
        };
        let allowed = |flow: &str| {
            let refused = || Refusal::parameter("Auth flow not enabled for this client");
            self.pool.allows(flow).then_some(()).ok_or_else(refused)
        };
        match request.auth_flow.as_str() {
            "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH" => {
                allowed("ALLOW_ADMIN_USER_PASSWORD_AUTH")?;
                self.with_password(change, parameter("USERNAME")?, parameter("PASSWORD")?)
            }
            "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => {
                allowed("ALLOW_REFRESH_TOKEN_AUTH")?;
                self.with_refresh_token(change, parameter("REFRESH_TOKEN")?)
            }
            "USER_PASSWORD_AUTH" => Err(Refusal::parameter("Initiate Auth method not supported.")),
            other if OTHER_FLOWS.contains(&other) => Err(Refusal::parameter("Auth flow not enabled for this client")),
            _ => Err(Refusal::parameter(
                "1 validation error detected: Value at 'authFlow' failed to satisfy constraint: \
                 Member must satisfy enum value set",
            )),
        }
    }

    fn with_password(&self, change: &Change<'_>, name: &str, password: &str) -> Result<Value, Refusal> {
        let now = (self.now)();
        let wrong = || Refusal::new(NOT_AUTHORIZED, "Incorrect username or password.");
        let Some(mut user) = User::find(change, &self.pool, name)? else {
            if self.pool.hides_users {
                return Err(wrong());
            }
            return Err(Refusal::new("UserNotFoundException", "User does not exist."));
        };
        let may_try = user.lockout.attempt(now);
        let right = may_try && user.password.as_ref().is_some_and(|hash| hash.is_of(password));
        if right {
            user.lockout.succeeded();
        } else if may_try {
            user.lockout.failed(now);
        }
        // Whatever the answer is, the attempt counts.
        user.keep(change, &self.pool)?;
        if !may_try {
            return Err(Refusal::new(NOT_AUTHORIZED, "Password attempts exceeded"));
        }
        if !right {
            return Err(wrong());
        }
        if !user.permanent {
            return new_password_required(&user);
        }
        let token = random::text::<96>()?;
        let session = Session {
            origin_jti: random::uuid()?,
            auth_time: now,
            expires_at: now.checked_add(self.pool.refresh_lives).unwrap_or(Timestamp::MAX),
            revoked: false,
        };
        let mut answer = self.authenticated(&user, &session, now)?;
        if let Some(result) = answer.pointer_mut("/AuthenticationResult").and_then(Value::as_object_mut) {
            result.insert("RefreshToken".to_owned(), json!(token));
        }
        user.add_session(change, &self.pool, digest_of(&token), session)?;
        user.keep(change, &self.pool)?;
        Ok(answer)
    }

    fn with_refresh_token(&self, change: &Change<'_>, token: &str) -> Result<Value, Refusal> {
        let now = (self.now)();
        let refused = |message: &str| Refusal::new(NOT_AUTHORIZED, message);
        let digest = digest_of(token);
        let user = User::of_refresh_token(change, &digest)?.ok_or_else(|| refused("Invalid Refresh Token"))?;
        let session = user.sessions.get(&digest).ok_or_else(|| refused("Invalid Refresh Token"))?;
        if session.revoked {
            return Err(refused("Refresh Token has been revoked"));
        }
        if session.expires_at <= now {
            return Err(refused("Refresh Token has expired"));
        }
        self.authenticated(&user, session, now)
    }

    fn authenticated(&self, user: &User, session: &Session, now: Timestamp) -> Result<Value, Refusal> {
        let (access, id) = tokens::mint(&*self.key()?, &self.pool, &self.issuer, user, session, now)?;
        Ok(json!({
            "AuthenticationResult": {
                "AccessToken": access,
                "ExpiresIn": self.pool.access_lives.as_secs(),
                "IdToken": id,
                "TokenType": "Bearer",
            },
            "ChallengeParameters": {},
        }))
    }
}

/// The answer to a right password that is not the user's own. The portal sets permanent ones only, so nothing follows.
fn new_password_required(user: &User) -> Result<Value, Refusal> {
    let attributes = serde_json::to_string(&user.attributes).map_err(|error| Refusal::internal(&error))?;
    Ok(json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": random::text::<48>()?,
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": user.name,
            "requiredAttributes": "[]",
            "userAttributes": attributes,
        },
    }))
}
