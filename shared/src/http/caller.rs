//! Who calls: the claims that API Gateway's authorizer passes on, and the request's id.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;
use lambda_http::{lambda_runtime::Context, request::RequestContext};

use super::problem::Problem;
use crate::domain::{
    audit::{Actor, Origin},
    ids::UserId,
    source::SourceAddress,
    user::{SessionId, User},
};

/// What a verified access token proves: who calls, in which session. Not what they may do: that is read from the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who calls.
    pub user_id: UserId,
    /// The session of the token.
    pub id: SessionId,
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;

    /// Reads the claims. API Gateway lets id tokens through as well; here only access tokens count.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        session(parts).ok_or_else(Problem::unauthenticated)
    }
}

fn session(parts: &Parts) -> Option<Session> {
    let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get() else { return None };
    let claims = &context.authorizer.as_ref()?.jwt.as_ref()?.claims;
    if claims.get("token_use")? != "access" {
        return None;
    }
    let user_id = UserId::parse(claims.get("username")?)?;
    Some(Session { user_id, id: SessionId::new(claims.get("origin_jti")?) })
}

/// Lets a caller in whose session counts, as their row says.
///
/// # Errors
/// 401: the session was ended, or the person is deleted or no longer active.
pub fn admit(session: &Session, caller: Option<User>) -> Result<User, Problem> {
    caller.filter(|caller| caller.has_session(&session.id)).ok_or_else(Problem::unauthenticated)
}

/// Where a request comes from: the address that API Gateway saw, never one that a header claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub SourceAddress);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get() else {
            return Err(Problem::internal("the request did not come through API Gateway"));
        };
        let address = context.http.source_ip.as_deref().and_then(|address| address.parse::<IpAddr>().ok());
        let address = address.ok_or_else(|| Problem::internal("API Gateway names no source address"))?;
        Ok(Self(SourceAddress::of(address)))
    }
}

/// The id under which this request is found in logs, audit and problem documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    pub(super) fn of(extensions: &http::Extensions) -> Self {
        let gateway = match extensions.get() {
            Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
            _ => None,
        };
        let lambda = || extensions.get::<Context>().map(|context| context.request_id.clone());
        Self(gateway.or_else(lambda).unwrap_or_default())
    }

    /// The origin of what `actor` does in this request at `now`.
    #[must_use]
    pub fn origin(&self, actor: Actor, now: Timestamp) -> Origin {
        Origin::new(actor, self.0.clone(), now)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

/// When the function is cut off, whatever it is doing; `None` where nothing says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Option<Timestamp>);

impl<S: Send + Sync> FromRequestParts<S> for Deadline {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Lambda tells it in milliseconds since 1970.
        let millis = parts.extensions.get::<Context>().map_or(0, |context| context.deadline);
        let millis = i64::try_from(millis).ok().filter(|millis| *millis > 0);
        Ok(Self(millis.and_then(|millis| Timestamp::from_millisecond(millis).ok())))
    }
}
