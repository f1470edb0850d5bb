//! Passwords and tokens in Cognito: the only code that names its SDK and its exceptions.
//!
//! Cognito's user name is our user id; the table alone decides who is active, so no Cognito user is ever disabled
//! (`docs/architecture.md`, section 3.7).

use std::fmt;

use aws_sdk_cognitoidentityprovider::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        admin_create_user::AdminCreateUserError, admin_delete_user::AdminDeleteUserError,
        admin_initiate_auth::AdminInitiateAuthError, admin_set_user_password::AdminSetUserPasswordError,
        admin_update_user_attributes::AdminUpdateUserAttributesError,
        admin_user_global_sign_out::AdminUserGlobalSignOutError, list_users::ListUsersError,
    },
    types::{
        AttributeType, AuthFlowType, AuthenticationResultType, MessageActionType, error::InvalidParameterException,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    aws_error::causes,
    domain::{email::Email, ids::UserId, password::Password, user::SessionId},
};

/// The user pool.
#[derive(Clone, Debug)]
pub struct Identity {
    client: Client,
    pool_id: String,
    client_id: String,
}

/// What keeps Cognito from answering. A wrong password is no error, it is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Cognito asks to come back later.
    #[error("Cognito is throttling")]
    Busy,
    /// Cognito refused the call or could not be reached.
    #[error("{call} failed: {cause}")]
    Aws {
        /// The call.
        call: &'static str,
        /// What the SDK says, with the code of the answer.
        cause: String,
    },
    /// Cognito's answer lacks what it always holds.
    #[error("{0} gave no usable tokens")]
    NoTokens(&'static str),
}

/// What became of giving somebody a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Established {
    /// It is theirs.
    Done,
    /// The pool's own policy refuses it.
    PasswordRefused,
}

/// The tokens of one login or refresh. Prints none of them.
#[derive(Clone)]
pub struct Tokens {
    /// For the API.
    pub access_token: String,
    /// About the person.
    pub id_token: String,
    /// For new tokens; a refresh gives none.
    pub refresh_token: Option<String>,
    /// Seconds for which access and id token are good.
    pub expires_in: i32,
    /// The session that they belong to.
    pub session: SessionId,
    /// Whose they are.
    pub user_id: UserId,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// How many users a page of the pool has at most: as many as Cognito gives.
const POOL_PAGE: i32 = 60;

/// A user of the pool whose name is an id of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUser {
    /// Their name.
    pub id: UserId,
    /// When Cognito made them.
    pub created_at: Timestamp,
}

/// Some of the pool's users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolPage {
    /// Those whose names are ids of ours.
    pub users: Vec<PoolUser>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

/// The claims of an access token that a session is known by.
#[derive(Deserialize)]
struct Claims {
    origin_jti: String,
    username: String,
}

impl Identity {
    /// The pool `pool_id`, through its client `client_id`.
    #[must_use]
    pub fn new(client: Client, pool_id: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { client, pool_id: pool_id.into(), client_id: client_id.into() }
    }

    /// Makes sure that the person has a Cognito user with this password. May be repeated: an existing user is success,
    /// the name is our id.
    pub async fn establish(
        &self,
        user: &UserId,
        email: &Email,
        password: &Password,
    ) -> Result<Established, IdentityError> {
        let created = self
            .client
            .admin_create_user()
            .user_pool_id(&self.pool_id)
            .username(user.as_str())
            .set_user_attributes(Some(verified("AdminCreateUser", email)?))
            .message_action(MessageActionType::Suppress)
            .send()
            .await;
        match created.map_err(|error| busy_or("AdminCreateUser", error)) {
            Ok(_) | Err(Call::Refused(_, AdminCreateUserError::UsernameExistsException(_))) => {}
            Err(error) => return Err(error.into()),
        }
        self.set_password(user, password).await
    }

    /// Gives a person who has a Cognito user another password.
    pub async fn set_password(&self, user: &UserId, password: &Password) -> Result<Established, IdentityError> {
        let set = self
            .client
            .admin_set_user_password()
            .user_pool_id(&self.pool_id)
            .username(user.as_str())
            .password(password.expose())
            .permanent(true)
            .send()
            .await;
        match set.map_err(|error| busy_or("AdminSetUserPassword", error)) {
            Ok(_) => Ok(Established::Done),
            Err(Call::Refused(
                _,
                AdminSetUserPasswordError::InvalidPasswordException(_)
                | AdminSetUserPasswordError::InvalidParameterException(_)
                | AdminSetUserPasswordError::PasswordHistoryPolicyViolationException(_),
            )) => Ok(Established::PasswordRefused),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells Cognito the address of a person, if they have a Cognito user: `false` where there is none.
    pub async fn set_email(&self, user: &UserId, email: &Email) -> Result<bool, IdentityError> {
        let request = self.client.admin_update_user_attributes().user_pool_id(&self.pool_id).username(user.as_str());
        let request = request.set_user_attributes(Some(verified("AdminUpdateUserAttributes", email)?));
        match request.send().await.map_err(|error| busy_or("AdminUpdateUserAttributes", error)) {
            Ok(_) => Ok(true),
            Err(Call::Refused(_, AdminUpdateUserAttributesError::UserNotFoundException(_))) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for tokens by password; `None` when Cognito refuses, whatever its reason. Without a user, Cognito is asked
    /// all the same, under a name made of `nobody` that cannot exist.
    pub async fn log_in(
        &self,
        user: Option<&UserId>,
        nobody: u128,
        password: &Password,
    ) -> Result<Option<Tokens>, IdentityError> {
        let name = user.map_or_else(|| format!("none_{nobody:032x}"), |user| user.as_str().to_owned());
        let parameters = [("USERNAME", name), ("PASSWORD", password.expose().to_owned())];
        self.initiate(AuthFlowType::AdminUserPasswordAuth, parameters).await
    }

    /// Asks for new tokens of the same session; `None` when Cognito refuses.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Option<Tokens>, IdentityError> {
        let parameters = [("REFRESH_TOKEN", refresh_token.to_owned())];
        self.initiate(AuthFlowType::RefreshTokenAuth, parameters).await
    }

    async fn initiate<const N: usize>(
        &self,
        flow: AuthFlowType,
        parameters: [(&str, String); N],
    ) -> Result<Option<Tokens>, IdentityError> {
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let answer = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.pool_id)
            .client_id(&self.client_id)
            .auth_flow(flow)
            .set_auth_parameters(Some(parameters))
            .send()
            .await;
        match answer.map_err(|error| busy_or("AdminInitiateAuth", error)) {
            Ok(output) => match output.authentication_result {
                Some(result) => tokens(result),
                // A challenge of the pool's own: nobody gets past us by one.
                None => Ok(None),
            },
            // Of the call's parameters only a password or token comes from outside; a client that may not use the flow
            // is a fault of the deployment, and would otherwise look like a wrong password for good.
            Err(Call::Refused(_, AdminInitiateAuthError::InvalidParameterException(error)))
                if is_closed_flow(&error) =>
            {
                Err(aws("AdminInitiateAuth", error))
            }
            Err(Call::Refused(
                _,
                AdminInitiateAuthError::NotAuthorizedException(_)
                | AdminInitiateAuthError::UserNotFoundException(_)
                | AdminInitiateAuthError::UserNotConfirmedException(_)
                | AdminInitiateAuthError::PasswordResetRequiredException(_)
                | AdminInitiateAuthError::InvalidParameterException(_),
            )) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the life of a refresh token. One that is not ours or ended before is no error.
    pub async fn revoke(&self, refresh_token: &str) -> Result<(), IdentityError> {
        let sent = self.client.revoke_token().client_id(&self.client_id).token(refresh_token).send().await;
        match sent.map_err(|error| busy_or("RevokeToken", error)) {
            Ok(_) => Ok(()),
            Err(Call::Refused(_, error)) if error.is_invalid_parameter_exception() => Ok(()),
            Err(error) if error.code() == Some("UnsupportedTokenTypeException") => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the life of every refresh token of a person. Who has no Cognito user has none.
    pub async fn sign_out_everywhere(&self, user: &UserId) -> Result<(), IdentityError> {
        let request = self.client.admin_user_global_sign_out().user_pool_id(&self.pool_id).username(user.as_str());
        match request.send().await.map_err(|error| busy_or("AdminUserGlobalSignOut", error)) {
            Ok(_) | Err(Call::Refused(_, AdminUserGlobalSignOutError::UserNotFoundException(_))) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a person's Cognito user, if there is one: `false` where there is none.
    pub async fn delete(&self, user: &UserId) -> Result<bool, IdentityError> {
        let request = self.client.admin_delete_user().user_pool_id(&self.pool_id).username(user.as_str());
        match request.send().await.map_err(|error| busy_or("AdminDeleteUser", error)) {
            Ok(_) => Ok(true),
            Err(Call::Refused(_, AdminDeleteUserError::UserNotFoundException(_))) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A page of the pool's users whose names are ids of ours, from its start or from where an earlier page ended. An
    /// outcome of `None`: Cognito does not, or no longer, know the place where to go on.
    pub async fn list_users(&self, token: Option<&str>) -> Result<Option<PoolPage>, IdentityError> {
        let request = self.client.list_users().user_pool_id(&self.pool_id).limit(POOL_PAGE);
        // An attribute has to be named, or Cognito sends all: addresses are no business of a list of names.
        let request = request.attributes_to_get("sub").set_pagination_token(token.map(str::to_owned));
        match request.send().await.map_err(|error| busy_or("ListUsers", error)) {
            Ok(output) => {
                let users = output.users.unwrap_or_default().into_iter().filter_map(|user| {
                    let id = UserId::parse(&user.username?)?;
                    let created_at = Timestamp::from_millisecond(user.user_create_date?.to_millis().ok()?).ok()?;
                    Some(PoolUser { id, created_at })
                });
                Ok(Some(PoolPage { users: users.collect(), next: output.pagination_token }))
            }
            // The token is the only parameter that is not the deployment's.
            Err(Call::Refused(_, ListUsersError::InvalidParameterException(_))) if token.is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The attributes that tell Cognito an address. It has nothing to verify: that is the mailed link's part.
fn verified(call: &'static str, email: &Email) -> Result<Vec<AttributeType>, IdentityError> {
    let attributes = [("email", email.as_str()), ("email_verified", "true")];
    let build = |(name, value)| AttributeType::builder().name(name).value(value).build();
    attributes.into_iter().map(build).collect::<Result<_, _>>().map_err(|error| aws(call, error))
}

fn is_closed_flow(error: &InvalidParameterException) -> bool {
    error.message().is_some_and(|message| message.contains("flow not enabled"))
}

/// Why a call gave nothing.
enum Call<E> {
    Busy,
    /// What was called, and Cognito's answer.
    Refused(&'static str, E),
    Failed(IdentityError),
}

impl<E: ProvideErrorMetadata> Call<E> {
    fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(_, error) => error.code(),
            Self::Busy | Self::Failed(_) => None,
        }
    }
}

impl<E: std::error::Error + 'static> From<Call<E>> for IdentityError {
    fn from(call: Call<E>) -> Self {
        match call {
            Call::Busy => Self::Busy,
            Call::Refused(call, error) => aws(call, error),
            Call::Failed(error) => error,
        }
    }
}

fn busy_or<E, R>(call: &'static str, error: SdkError<E, R>) -> Call<E>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + 'static,
{
    let busy = ["TooManyRequestsException", "LimitExceededException", "ThrottlingException", "InternalErrorException"];
    match error {
        SdkError::ServiceError(error) => {
            let error = error.into_err();
            if error.code().is_some_and(|code| busy.contains(&code)) { Call::Busy } else { Call::Refused(call, error) }
        }
        error => Call::Failed(aws(call, error)),
    }
}

fn aws(call: &'static str, error: impl std::error::Error + 'static) -> IdentityError {
    IdentityError::Aws { call, cause: causes(&error) }
}

/// The tokens with the session that they belong to. They come from Cognito itself, so their signature needs no check.
/// `None` where they are of a user whose name is no id of ours: a pool that was there before us has such users.
fn tokens(result: AuthenticationResultType) -> Result<Option<Tokens>, IdentityError> {
    let missing = IdentityError::NoTokens("AdminInitiateAuth");
    let (Some(access_token), Some(id_token)) = (result.access_token, result.id_token) else { return Err(missing) };
    let claims = access_token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    let claims: Option<Claims> = claims.and_then(|json| serde_json::from_slice(&json).ok());
    let Some(Claims { origin_jti, username }) = claims else { return Err(missing) };
    Ok(UserId::parse(&username).map(|user_id| Tokens {
        access_token,
        id_token,
        refresh_token: result.refresh_token,
        expires_in: result.expires_in,
        session: SessionId::new(origin_jti),
        user_id,
    }))
}

#[cfg(test)]
mod tests;
