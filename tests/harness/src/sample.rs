//! Requests: the sample events of `events/`, changed where a test needs it, sent through the code that the deployed
//! function runs.

use std::path::PathBuf;

use axum::Router;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use lambda_http::{Adapter, Context, lambda_runtime::LambdaEvent, request::LambdaRequest};
use serde_json::{Value, json};
use tower::Service;

use crate::{
    Reply, SignedIn,
    contract::{self, Exchange},
};

/// A sample event of `events/`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Sample {
    event: Value,
    context: Context,
    is_held: bool,
}

impl Sample {
    /// The event in `events/<name>.json`.
    pub fn of(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/{name}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::new(serde_json::from_str(&text).unwrap())
    }

    /// The event in `events/` of this route, named as API Gateway names it.
    pub fn for_route(key: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut events = files.map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
        let event = events.find(|event: &Value| event["routeKey"] == key);
        Self::new(event.unwrap_or_else(|| panic!("no sample for {key}")))
    }

    fn new(event: Value) -> Self {
        Self { event, context: Context::default(), is_held: true }
    }

    /// The event itself.
    pub fn event(&self) -> Value {
        self.event.clone()
    }

    /// Its route, as API Gateway names it, where it comes from there.
    pub fn route(&self) -> Option<&str> {
        self.event["routeKey"].as_str()
    }

    /// Its body, where that is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(self.event["body"].as_str()?).ok()
    }

    /// Puts `id` where the sample's path has one.
    pub fn id(self, id: impl std::fmt::Display) -> Self {
        self.parameter("id", &id.to_string())
    }

    /// Puts `id` where the sample's path has a team's.
    pub fn team(self, id: impl std::fmt::Display) -> Self {
        self.parameter("team_id", &id.to_string())
    }

    /// Puts `code` where the sample's path has one.
    pub fn code(self, code: &str) -> Self {
        self.parameter("code", code)
    }

    /// Sends this header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = json!(value);
        self
    }

    /// Puts `value` where the sample's path has the parameter `name`.
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        let old = self.event["pathParameters"][name].as_str().unwrap().to_owned();
        let path = self.event["rawPath"].as_str().unwrap().replace(&old, value);
        self.event["pathParameters"][name] = json!(value);
        self.event["requestContext"]["http"]["path"] = json!(path);
        self.event["rawPath"] = json!(path);
        self
    }

    /// Asks with this query string.
    pub fn query(mut self, query: &str) -> Self {
        self.event["rawQueryString"] = json!(query);
        self
    }

    /// Sends it as this person, as the authorizer passes them on.
    pub fn by(mut self, caller: &SignedIn) -> Self {
        let claims = &mut self.event["requestContext"]["authorizer"]["jwt"]["claims"];
        claims["username"] = json!(caller.user.id);
        claims["origin_jti"] = json!(caller.session);
        self
    }

    /// Changes a claim.
    pub fn claim(mut self, name: &str, value: &str) -> Self {
        self.event["requestContext"]["authorizer"]["jwt"]["claims"][name] = json!(value);
        self
    }

    /// Sends it from this source address.
    pub fn from_source(mut self, address: &str) -> Self {
        self.event["requestContext"]["http"]["sourceIp"] = json!(address);
        self
    }

    /// Sends it without a token.
    pub fn without_token(mut self) -> Self {
        self.event["requestContext"].as_object_mut().unwrap().remove("authorizer");
        self
    }

    /// Sends this body.
    pub fn body(self, body: &Value) -> Self {
        self.raw_body(&body.to_string(), "application/json")
    }

    /// Sends this text as the body.
    pub fn raw_body(mut self, body: &str, media_type: &str) -> Self {
        self.event["body"] = json!(body);
        self.event["isBase64Encoded"] = json!(false);
        self.event["headers"]["content-type"] = json!(media_type);
        self
    }

    /// Sends these bytes as the body, which need not be text.
    pub fn bytes(mut self, body: &[u8], media_type: &str) -> Self {
        self = self.raw_body(&STANDARD.encode(body), media_type);
        self.event["isBase64Encoded"] = json!(true);
        self
    }

    /// Sends it to a function that is cut off at `deadline`.
    pub fn until(mut self, deadline: Timestamp) -> Self {
        self.context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
        self
    }

    /// Sends it whatever the contract says, for what the contract itself is made of.
    pub fn unheld(mut self) -> Self {
        self.is_held = false;
        self
    }

    /// Sends it to a function's router, through the adapter that `lambda_http::run` puts around it. What is asked and
    /// answered has to be as the contract says.
    pub async fn send(self, router: Router) -> Reply {
        let (route, asked) = (self.route().unwrap().to_owned(), self.json());
        let request: LambdaRequest = serde_json::from_value(self.event).unwrap();
        let event = LambdaEvent::new(request, self.context);
        let answer = Adapter::from(router).call(event);
        let response = answer.await.unwrap_or_else(|never| match never {});
        let reply = read(&serde_json::to_value(response).unwrap());
        let headers: Vec<_> = reply.headers.keys().map(String::as_str).collect();
        if self.is_held {
            contract::hold(&Exchange {
                route: &route,
                asked: asked.as_ref(),
                status: reply.status,
                headers: &headers,
                media_type: reply.headers.get("content-type").and_then(Value::as_str),
                answered: &reply.body,
            });
        }
        reply
    }
}

/// An answer as API Gateway reads it.
fn read(response: &Value) -> Reply {
    let mut text = response["body"].as_str().unwrap_or_default().to_owned();
    if response["isBase64Encoded"] == true {
        text = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    }
    let mut headers = response["headers"].as_object().cloned().unwrap_or_default();
    for (name, values) in response["multiValueHeaders"].as_object().into_iter().flatten() {
        headers.insert(name.clone(), values[0].clone());
    }
    Reply {
        status: u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap(),
        body: body(&text, headers.get("content-type")),
        headers,
    }
}

/// A body as JSON, or as the text that it is.
fn body(text: &str, content_type: Option<&Value>) -> Value {
    let content_type = content_type.and_then(Value::as_str).unwrap_or_default();
    match text {
        "" if content_type.is_empty() => Value::Null,
        json if content_type == "application/json" || content_type.ends_with("+json") => {
            serde_json::from_str(json).unwrap()
        }
        text => json!(text),
    }
}
