//! Problem documents (RFC 9457): the one shape of every refusal.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::caller::RequestId;
use crate::{
    domain::{
        Fault, Place,
        rights::{Refusal, Why},
        user::Status,
    },
    identity::IdentityError,
    store::StoreError,
};

/// The most faults that one document names: a body of nothing but faults gets a small answer.
const MAX_FAULTS: usize = 100;
/// The most faults that a document names which is one of many in an answer.
const MAX_FAULTS_OF_PART: usize = 20;

/// One fault of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    /// Where: a JSON pointer into the body, or `/` and the name of a query parameter.
    pub pointer: String,
    /// What, for programs.
    pub code: &'static str,
    /// What, for people.
    pub detail: String,
    /// Where in the value, by line and column, where that can be said.
    #[serde(flatten)]
    pub at: Option<Place>,
}

impl FieldFault {
    /// The fault of a top-level field.
    #[must_use]
    pub fn new(field: &str, fault: Fault) -> Self {
        Self { pointer: format!("/{field}"), code: fault.code, detail: fault.detail, at: fault.at }
    }
}

/// A refusal, on its way to the client. Its body is written by [`super::finished`], which knows the request's id.
#[derive(Clone, Debug)]
pub struct Problem(Box<Document>);

#[derive(Clone, Debug)]
struct Document {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    cause: Option<String>,
}

impl Problem {
    /// A problem of type `/problems/<slug>`.
    #[must_use]
    pub fn new(status: StatusCode, slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let (detail, members, headers) = (detail.into(), Map::new(), Vec::new());
        Self(Box::new(Document { status, slug, title, detail, members, headers, cause: None }))
    }

    /// 409: the request does not fit what is there.
    #[must_use]
    pub fn conflict(slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, slug, title, detail)
    }

    /// 403 with a reason of its own.
    #[must_use]
    pub fn refused(slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, slug, title, detail)
    }

    /// 403: the caller may see it and may not do this.
    #[must_use]
    pub fn forbidden(why: Why) -> Self {
        Self::refused("forbidden", "Not allowed", why.sentence())
    }

    /// 404: nothing is there, or nothing that the caller may see.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", "There is nothing at this address.")
    }

    /// 401: no token, or one that does not count.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "This needs the access token of a session that has not ended.";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Log in first", detail);
        problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))
    }

    /// 401: wrong password, unknown address, or one that is not confirmed: one answer for all.
    #[must_use]
    pub fn invalid_credentials() -> Self {
        let detail = "The e-mail address or the password is wrong.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid-credentials", "Wrong e-mail address or password", detail)
    }

    /// 403: sign-in is switched off, and the person is no API Owner.
    #[must_use]
    pub fn portal_closed() -> Self {
        Self::refused("portal-closed", "This portal is disabled", "This portal is disabled")
    }

    /// 422: every fault at once, up to a number that no honest mistake reaches.
    #[must_use]
    pub fn validation(faults: &[FieldFault]) -> Self {
        let detail = "Some fields cannot be accepted; each fault is named.";
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation-failed", "Validation failed", detail);
        // One more than is named: it is how `naming` knows that there are more.
        let named = faults.get(..=MAX_FAULTS).unwrap_or(faults);
        problem.member("errors", json!(named)).naming(MAX_FAULTS)
    }

    /// Names `most` faults and says that there are more, where there are.
    fn naming(mut self, most: usize) -> Self {
        if let Some(Value::Array(faults)) = self.0.members.get_mut("errors")
            && faults.len() > most
        {
            faults.truncate(most);
            self.0.detail =
                format!("Some fields cannot be accepted; the first {most} faults are named, there are more.");
        }
        self
    }

    /// 422 for a password, under the pointer of the field that held it.
    #[must_use]
    pub fn password(field: &str, faults: Vec<Fault>) -> Self {
        let faults: Vec<_> = faults.into_iter().map(|fault| FieldFault::new(field, fault)).collect();
        Self::validation(&faults)
    }

    /// 412: what is to be changed is of another version than the caller has seen.
    #[must_use]
    pub fn version_mismatch() -> Self {
        let detail = "It was changed since you read it. Read it again before you change it.";
        Self::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", "Changed meanwhile", detail)
    }

    /// 429: too much from one source; something is let through again after `seconds`.
    #[must_use]
    pub fn rate_limited(seconds: u32) -> Self {
        let detail = "Too many attempts from your address. Wait before you try again.";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many attempts", detail);
        problem.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 410: one answer for every link that does not work.
    #[must_use]
    pub fn link_not_usable() -> Self {
        let detail = "This link was used, replaced, has expired, or never existed.";
        Self::new(StatusCode::GONE, "link-not-usable", "This link no longer works", detail)
    }

    /// 409: something needs mail, and no sender is set.
    #[must_use]
    pub fn mail_not_configured() -> Self {
        let detail = "An API Owner has to set a sender address before this works.";
        Self::conflict("mail-not-configured", "E-mail is not set up", detail)
    }

    /// 503: try the same again in `seconds`.
    #[must_use]
    pub fn try_again(seconds: u32) -> Self {
        let detail = "The portal is busy with this right now. Send the same request again.";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "try-again", "Try again", detail);
        problem.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 503: another request is just using the same link, challenge or session.
    #[must_use]
    pub fn held() -> Self {
        Self::try_again(2)
    }

    /// 409: the address has an account, and the caller may know.
    #[must_use]
    pub fn email_taken() -> Self {
        Self::conflict("email-taken", "Address taken", "There already is an account with this address.")
    }

    /// 422: the organisation that the request names is not there.
    #[must_use]
    pub fn unknown_organisation() -> Self {
        let fault = Fault::new("unknown_organisation", "There is no such organisation.");
        Self::validation(&[FieldFault::new("organisation_id", fault)])
    }

    /// 422: a team that the request names is not one of the organisation's.
    #[must_use]
    pub fn unknown_team() -> Self {
        Self::validation(&[FieldFault::new("team_ids", Fault::no_such_team())])
    }

    /// 409: the person is in a state from which this does not go.
    #[must_use]
    pub fn wrong_status(status: Status) -> Self {
        let detail = format!("This person is {}, which does not allow it.", status.as_str());
        Self::conflict("wrong-status", "Not in this state", detail).member("user_status", json!(status))
    }

    /// 409: nobody would run the portal any more.
    #[must_use]
    pub fn last_api_owner() -> Self {
        let detail = "The portal needs at least one active API Owner.";
        Self::conflict("last-api-owner", "This is the last API Owner", detail)
    }

    /// 500: the cause goes to the log, never to the client.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "Something went wrong on our side. The request id helps to find it.";
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail);
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// Whether the request is at fault, or what stands in its way: not a failure or contention on our side.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.0.status.is_client_error()
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn member(mut self, name: &str, value: Value) -> Self {
        self.0.members.insert(name.to_owned(), value);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The document as a part of an answer that holds several; of many faults it names fewer than a document of its own
    /// would. What failed on our side is logged, as it would be were it the answer.
    #[must_use]
    pub fn part(self, request: &RequestId) -> Value {
        if self.0.cause.is_some() {
            self.log(&request.0);
        }
        self.naming(MAX_FAULTS_OF_PART).document(&request.0)
    }

    /// Whether it says that the body's media type is not understood.
    pub(super) fn is_of_media_type(&self) -> bool {
        self.0.status == StatusCode::UNSUPPORTED_MEDIA_TYPE
    }

    /// The document, with the id of the request.
    pub(super) fn document(&self, request_id: &str) -> Value {
        let mut document = self.0.members.clone();
        let fixed = [
            ("type", json!(format!("/problems/{}", self.0.slug))),
            ("title", json!(self.0.title)),
            ("status", json!(self.0.status.as_u16())),
            ("detail", json!(self.0.detail)),
            ("request_id", json!(request_id)),
        ];
        document.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(document)
    }

    /// Writes the log's line about this problem: what failed on our side as an error, what was refused as information.
    pub(super) fn log(&self, request_id: &str) {
        let (status, problem) = (self.0.status.as_u16(), self.0.slug);
        if let Some(cause) = &self.0.cause {
            tracing::error!(request_id, status, problem, cause, "request failed");
        } else {
            tracing::info!(request_id, status, problem, "request refused");
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.headers_mut().extend(self.0.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::try_again(1),
            StoreError::Corrupt { .. } | StoreError::Missing(_) | StoreError::Aws { .. } => Self::internal(error),
        }
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Busy => Self::try_again(1),
            IdentityError::Aws { .. } | IdentityError::NoTokens(_) => Self::internal(error),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forbidden(why) => Self::forbidden(why),
            Refusal::Unseen => Self::not_found(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(number: usize) -> Problem {
        let fault = |at: usize| FieldFault::new(&format!("f{at}"), Fault::new("unknown_field", "No such field."));
        Problem::validation(&(0..number).map(fault).collect::<Vec<_>>())
    }

    fn named(document: &Value) -> (usize, bool) {
        let more = document["detail"].as_str().unwrap().ends_with("there are more.");
        (document["errors"].as_array().unwrap().len(), more)
    }

    #[test]
    fn a_hundred_faults_are_named_and_of_more_it_is_said_that_there_are() {
        for (found, expected) in [(1, (1, false)), (100, (100, false)), (101, (100, true)), (10_000, (100, true))] {
            let document = faults(found).document("r");

            assert_eq!(named(&document), expected, "{found}");
            assert_eq!(document["errors"][0]["pointer"], "/f0");
        }
    }

    #[test]
    fn a_part_of_an_answer_names_twenty() {
        let request = RequestId("r".to_owned());
        for (found, expected) in [(20, (20, false)), (21, (20, true)), (10_000, (20, true))] {
            assert_eq!(named(&faults(found).part(&request)), expected, "{found}");
        }
    }
}
