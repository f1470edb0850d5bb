//! Access and ID tokens: RS256-signed, with the claims that Cognito puts into them; and what API Gateway makes of them.

use super::keys::SigningKey;
use super::pool::{CLIENT_ID, Pool};
use super::users::{Session, User};
use crate::random;
use crate::wire::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What a token entitles to at Cognito.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is no signed JSON web token.
    #[error("it is no token")]
    Malformed,
    /// It is not signed as RS256 says.
    #[error("its algorithm is not RS256")]
    Algorithm,
    /// It names a key that is not the pool's.
    #[error("its key is unknown")]
    UnknownKey,
    /// The key did not sign it.
    #[error("its signature is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("its issuer is another one")]
    Issuer,
    /// It was issued to another client.
    #[error("it is for another client")]
    Audience,
    /// It is over, or has not begun.
    #[error("its time is over or has not come")]
    Time,
    /// The keys are not to be had.
    #[error("the signing key cannot be had")]
    Key,
}

/// The access token and the ID token of a session.
pub fn mint(
    key: &SigningKey,
    pool: &Pool,
    issuer: &str,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<(String, String), Refusal> {
    let second = now.as_second();
    let mut common = Map::from_iter([
        ("sub".to_owned(), json!(user.sub)),
        ("iss".to_owned(), json!(issuer)),
        ("event_id".to_owned(), json!(random::uuid()?)),
        ("auth_time".to_owned(), json!(session.auth_time.as_second())),
        ("iat".to_owned(), json!(second)),
    ]);
    if pool.revocation {
        common.insert("origin_jti".to_owned(), json!(session.origin_jti));
    }
    let with = |own: Value| {
        let mut claims = common.clone();
        claims.extend(own.as_object().cloned().unwrap_or_default());
        sign(key, &claims)
    };
    let access = with(json!({
        "token_use": "access",
        "client_id": CLIENT_ID,
        "username": user.name,
        "scope": SCOPE,
        "jti": random::uuid()?,
        "exp": second + pool.access_lives.as_secs(),
    }))?;
    let mut own = user.attributes.iter().map(|(name, value)| (name.clone(), claim(name, value))).collect::<Map<_, _>>();
    own.extend([
        ("token_use".to_owned(), json!("id")),
        ("aud".to_owned(), json!(CLIENT_ID)),
        ("cognito:username".to_owned(), json!(user.name)),
        ("jti".to_owned(), json!(random::uuid()?)),
        ("exp".to_owned(), json!(second + pool.id_lives.as_secs())),
    ]);
    Ok((access, with(Value::Object(own))?))
}

/// An attribute as a claim of the ID token: marks of verification are booleans there.
fn claim(name: &str, value: &str) -> Value {
    if name.ends_with("_verified") { json!(value == "true") } else { json!(value) }
}

fn sign(key: &SigningKey, claims: &Map<String, Value>) -> Result<String, Refusal> {
    let header = json!({"kid": key.id(), "alg": "RS256"}).to_string();
    let body = serde_json::to_string(claims).map_err(|error| Refusal::internal(&error))?;
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The claims of a token that is valid at `now`.
pub fn verify(key: &SigningKey, issuer: &str, token: &str, now: Timestamp) -> Result<Map<String, Value>, VerifyError> {
    let (message, signature) = token.rsplit_once('.').ok_or(VerifyError::Malformed)?;
    let (header, body) = message.split_once('.').ok_or(VerifyError::Malformed)?;
    let (header, claims) = (object(header)?, object(body)?);
    if text(&header, "alg") != Some("RS256") {
        return Err(VerifyError::Algorithm);
    }
    if text(&header, "kid") != Some(key.id()) {
        return Err(VerifyError::UnknownKey);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| VerifyError::Malformed)?;
    if !key.signed(message.as_bytes(), &signature) {
        return Err(VerifyError::Signature);
    }
    if text(&claims, "iss") != Some(issuer) {
        return Err(VerifyError::Issuer);
    }
    // As API Gateway does it: `client_id` counts only where there is no `aud`.
    if text(&claims, if claims.contains_key("aud") { "aud" } else { "client_id" }) != Some(CLIENT_ID) {
        return Err(VerifyError::Audience);
    }
    let second = |name: &str| claims.get(name).and_then(Value::as_i64);
    let begun = ["iat", "nbf"].into_iter().filter_map(second).all(|start| start <= now.as_second());
    if !begun || second("exp").is_none_or(|end| end <= now.as_second()) {
        return Err(VerifyError::Time);
    }
    Ok(claims)
}

/// A text claim.
pub fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

fn object(part: &str) -> Result<Map<String, Value>, VerifyError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| VerifyError::Malformed)
}
