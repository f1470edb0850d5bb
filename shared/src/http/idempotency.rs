//! `Idempotency-Key`: what a client sends so that a repeat of its creating request creates nothing more.

use std::fmt;

use axum::extract::FromRequestParts;
use http::{HeaderName, HeaderValue, StatusCode, request::Parts};
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{body::Payload, problem::Problem};
use crate::{
    domain::{
        audit::Origin,
        idempotency::{Fingerprint, Repeatable},
        ids::UserId,
        source::SourceAddress,
    },
    store::{Recalled, Record, Store},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in characters.
const MAX_KEY: usize = 255;
/// Fields of bodies whose values go into no digest: a digest of a password is something to guess it by.
const SECRET_FIELDS: [&str; 4] = ["password", "new_password", "current_password", "secret"];

/// The key of a creating request, if it has one. What is wrong with it is told by [`Wish::granted`], after rights.
#[derive(Clone)]
pub struct IdempotencyKey(Result<Option<Given>, Problem>);

#[derive(Clone)]
struct Given {
    key: String,
    route: String,
    path: String,
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKey").finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        Ok(Self(match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => given(value, parts).map(Some),
            (Some(_), Some(_)) => Err(invalid_key()),
        }))
    }
}

fn given(value: &HeaderValue, parts: &Parts) -> Result<Given, Problem> {
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY).contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic())).ok_or_else(invalid_key)?;
    let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get() else {
        return Err(Problem::internal("the request did not come through API Gateway"));
    };
    let route = context.route_key.clone().ok_or_else(|| Problem::internal("API Gateway names no route"))?;
    Ok(Given { key: key.to_owned(), route, path: parts.uri.path().to_owned() })
}

fn invalid_key() -> Problem {
    let detail = format!("An Idempotency-Key is sent once, as 1 to {MAX_KEY} visible ASCII characters.");
    Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-invalid", "Idempotency-Key not usable", detail)
}

fn key_reused() -> Problem {
    let detail =
        "This Idempotency-Key came with another request before. Choose a new one for each thing to be created.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", "Idempotency-Key used before", detail)
}

fn gone() -> Problem {
    let detail = "What this request created the first time has been deleted since.";
    Problem::new(StatusCode::GONE, "created-and-deleted", "Deleted meanwhile", detail)
}

impl IdempotencyKey {
    /// The wish of a logged-in caller.
    #[must_use]
    pub fn of_user(self, caller: &UserId, payload: &Payload, now: Timestamp) -> Wish {
        self.of(["user", caller.as_str()], payload, now)
    }

    /// The wish of a visitor: whoever shares their source and knows their key is the same.
    #[must_use]
    pub fn of_source(self, source: &SourceAddress, payload: &Payload, now: Timestamp) -> Wish {
        self.of(["source", source.as_str()], payload, now)
    }

    fn of(self, caller: [&str; 2], payload: &Payload, now: Timestamp) -> Wish {
        Wish(self.0.map(|given| {
            let Given { key, route, path } = given?;
            let body = canonical(payload)?;
            let [kind, caller] = caller;
            let record = Fingerprint::of([kind, caller, &route, &key]);
            let request = Fingerprint::of([kind, caller, &route, &key, &path, &body]);
            Some(Repeatable { record, request, at: now })
        }))
    }
}

/// The body in the one form that all its spellings have in common, without the values of its secrets; `None` for what
/// is no JSON, which is refused before anything is created.
fn canonical(payload: &Payload) -> Option<String> {
    let mut body = payload.value().ok()?;
    for field in SECRET_FIELDS {
        if let Some(secret) = body.get_mut(field).filter(|secret| !secret.is_null()) {
            *secret = Value::Bool(true);
        }
    }
    body.sort_all_objects();
    Some(body.to_string())
}

/// A request and what is wrong with its key: rights come first.
#[derive(Clone, Debug)]
pub struct Wish(Result<Option<Repeatable>, Problem>);

impl Wish {
    /// What to look up in the batch that is read anyway.
    #[must_use]
    pub fn sought(&self) -> Option<&Repeatable> {
        self.0.as_ref().ok()?.as_ref()
    }

    /// The request as what is written has to know it; `None` without a key.
    ///
    /// # Errors
    /// 400 `idempotency-key-invalid`.
    pub fn granted(self) -> Result<Option<Repeatable>, Problem> {
        self.0
    }
}

/// What the first of two equal requests created, as it was then.
///
/// # Errors
/// 422 `idempotency-key-reused` where the first was another request, 410 `created-and-deleted`, 503 `try-again` where the
/// creation was undone since `record` was read: what undoes it takes its record along, and the next try creates anew.
pub async fn recall<T: DeserializeOwned>(store: &Store, record: Record, origin: &Origin) -> Result<T, Problem> {
    match store.recall(record.clone(), origin).await? {
        Recalled::Created(created) => Ok(created),
        Recalled::Gone if store.record_of(origin).await? == Some(record) => Err(gone()),
        Recalled::Gone => Err(Problem::try_again(1)),
        Recalled::AnotherRequest => Err(key_reused()),
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;

    use super::*;

    async fn key(values: &[&str], path: &str) -> IdempotencyKey {
        let mut request = http::Request::builder().uri(path);
        for value in values {
            request = request.header("idempotency-key", *value);
        }
        let mut context = ApiGatewayV2httpRequestContext::default();
        context.route_key = Some("POST /v1/things/{id}".to_owned());
        let (mut parts, ()) = request.extension(RequestContext::ApiGatewayV2(context)).body(()).unwrap().into_parts();
        let Ok(key) = IdempotencyKey::from_request_parts(&mut parts, &()).await;
        key
    }

    fn ada() -> UserId {
        UserId::new(Timestamp::UNIX_EPOCH, 1)
    }

    async fn repeatable(body: &str) -> Repeatable {
        wish("/v1/things/1", &ada(), body).await
    }

    async fn wish(path: &str, caller: &UserId, body: &str) -> Repeatable {
        let payload = Payload::of(body);
        key(&["k"], path).await.of_user(caller, &payload, Timestamp::UNIX_EPOCH).granted().unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_key_is_one_of_1_to_255_visible_characters() {
        let status = async |values: &[&str]| {
            let wish = key(values, "/").await.of_user(&ada(), &Payload::of("{}"), Timestamp::UNIX_EPOCH);
            wish.granted().map(|wish| wish.is_some()).map_err(|problem| problem.document("r")["status"].clone())
        };

        assert_eq!(status(&[]).await, Ok(false));
        for good in ["k", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &"x".repeat(255)] {
            assert_eq!(status(&[good]).await, Ok(true), "{good}");
        }
        for bad in [&[""][..], &["a b"], &["é"], &["a", "a"], &[&"x".repeat(256)]] {
            assert_eq!(status(bad).await, Err(400.into()), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn order_of_fields_white_space_and_passwords_make_no_other_request() {
        let first = repeatable(r#"{"a": 1, "b": {"c": [1, 2], "d": null}, "password": "violet tractor"}"#).await;

        assert_eq!(repeatable(r#"{"password":"another","b":{"d":null,"c":[1,2]},"a":1}"#).await, first);
        for other in [
            r#"{"a": 2, "b": {"c": [1, 2], "d": null}, "password": "violet tractor"}"#,
            r#"{"a": 1, "b": {"c": [2, 1], "d": null}, "password": "violet tractor"}"#,
            r#"{"a": 1, "b": {"c": [1, 2], "d": null}}"#,
            r#"{"a": 1, "b": {"c": [1, 2], "d": null}, "password": null}"#,
        ] {
            let other = repeatable(other).await;
            assert!(other.record == first.record && other.request != first.request);
        }
    }

    #[tokio::test]
    async fn another_path_is_another_request_and_another_caller_has_records_of_their_own() {
        let first = wish("/v1/things/1", &ada(), "{}").await;
        let elsewhere = wish("/v1/things/2", &ada(), "{}").await;
        let other = wish("/v1/things/1", &UserId::new(Timestamp::UNIX_EPOCH, 2), "{}").await;

        assert!(elsewhere.record == first.record && elsewhere.request != first.request);
        assert_ne!(other.record, first.record);
    }

    #[tokio::test]
    async fn no_key_is_printed() {
        assert_eq!(format!("{:?}", key(&["secret"], "/").await), "IdempotencyKey { .. }");
    }
}
