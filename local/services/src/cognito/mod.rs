//! The Cognito stand-in: one user pool with one client, both set as the template says, and the operations that the
//! portal uses, answering as Cognito documents them.
//!
//! Each operation is one transaction on what is kept. Its refusals are kept too (a failed sign-in counts); only a fault
//! of the stand-in itself undoes it.

mod admin;
mod keys;
mod lockout;
mod passwords;
mod pool;
mod sessions;
mod sign_in;
mod tokens;
mod users;

#[cfg(test)]
mod tests;

pub use pool::{CLIENT_ID, POOL_ID};
pub use tokens::VerifyError;

use crate::Now;
use crate::kept::{Kept, KeptError};
use crate::template::{Template, TemplateError};
use crate::wire::{Refusal, read};
use keys::SigningKey;
use passwords::Cost;
use pool::Pool;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Why the user pool cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The template declares none.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// What was kept cannot be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// There is no signing key to be had.
    #[error("the signing key cannot be made or read")]
    Key,
}

/// The user pool.
pub struct Cognito {
    kept: Arc<Kept>,
    pool: Pool,
    now: Now,
    issuer: String,
    cost: Cost,
    /// The key of a data folder; without one it is the process's.
    key: Option<Arc<SigningKey>>,
}

/// The request of the operations that only name a user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfUser {
    user_pool_id: String,
    username: String,
}

impl Cognito {
    /// Opens the pool that the template declares; `lasting` says whether `kept` outlives the process.
    pub fn open(
        template: &Template,
        kept: Arc<Kept>,
        now: Now,
        address: &str,
        lasting: bool,
    ) -> Result<Self, PoolError> {
        let pool = Pool::declared(template)?;
        let key = if lasting { Some(SigningKey::kept(&kept)?) } else { None };
        let cost = if lasting { Cost::KEPT } else { Cost::FLEETING };
        Ok(Self { kept, pool, now, issuer: format!("{address}/{POOL_ID}"), cost, key })
    }

    /// What stands in the tokens' `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public keys as a JSON web key set.
    pub fn keys(&self) -> Result<Value, Refusal> {
        Ok(self.key()?.public_set()?)
    }

    /// The claims of a token that API Gateway would let through.
    pub fn verify(&self, token: &str) -> Result<Map<String, Value>, VerifyError> {
        let key = self.key().map_err(|_| VerifyError::Key)?;
        tokens::verify(&key, &self.issuer, token, (self.now)())
    }

    /// Carries out an operation, named as in `X-Amz-Target`.
    pub fn perform(&self, operation: &str, body: &[u8]) -> Result<Value, Refusal> {
        let invalid = "InvalidParameterException";
        let change = self.kept.change()?;
        let done = match operation {
            "AdminCreateUser" => read(body, invalid).and_then(|it| self.admin_create_user(&change, it)),
            "AdminSetUserPassword" => read(body, invalid).and_then(|it| self.admin_set_user_password(&change, &it)),
            "AdminUpdateUserAttributes" => {
                read(body, invalid).and_then(|it| self.admin_update_user_attributes(&change, it))
            }
            "AdminGetUser" => read(body, invalid).and_then(|it| self.admin_get_user(&change, &it)),
            "AdminDeleteUser" => read(body, invalid).and_then(|it| self.admin_delete_user(&change, &it)),
            "ListUsers" => read(body, invalid).and_then(|it| Self::list_users(&change, &it)),
            "AdminInitiateAuth" => read(body, invalid).and_then(|it| self.admin_initiate_auth(&change, &it)),
            "AdminUserGlobalSignOut" => {
                read(body, invalid).and_then(|it| self.admin_user_global_sign_out(&change, &it))
            }
            "RevokeToken" => read(body, invalid).and_then(|it| self.revoke_token(&change, &it)),
            "GetUser" => read(body, invalid).and_then(|it| self.get_user(&change, &it)),
            other => {
                Err(Refusal::new("UnknownOperationException", format!("The local stand-in does not offer {other}.")))
            }
        };
        if done.as_ref().is_err_and(Refusal::is_internal) {
            return done;
        }
        change.commit()?;
        done
    }

    fn key(&self) -> Result<Arc<SigningKey>, Refusal> {
        match &self.key {
            Some(key) => Ok(key.clone()),
            None => SigningKey::of_process().map_err(|error| Refusal::internal(&error)),
        }
    }
}

/// Whether the request is for this pool.
fn check_pool(id: &str) -> Result<(), Refusal> {
    if id == POOL_ID {
        return Ok(());
    }
    Err(Refusal::new("ResourceNotFoundException", format!("User pool {id} does not exist.")))
}
