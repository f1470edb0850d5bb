//! A portal as its visitors know it: an address, and the mail that comes from it.
//!
//! It runs in this process, or is deployed: then [`DEPLOYED`] has its address, and journeys go one after the other. The
//! few that look into this process have a portal of their own here all the same.

use std::env;

use harness::contract::{self, Exchange};
use local::{Options, OwnerOptions, Portal};
use local_services::Services;
use reqwest::{
    Body, Client, Method, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName},
};
use serde_json::{Value, json};

/// The password of everybody in these journeys.
pub const PASSWORD: &str = "violet tractor 42!";
/// The API Owner whom the portal starts with.
pub const OWNER: &str = "owner@example.com";

/// The variable that has the address of a deployed portal, as `tests/deployed/run` sets it.
const DEPLOYED: &str = "PORTICO_SITE";

/// A portal that runs.
pub struct Site {
    pub base: String,
    http: Client,
    /// Kept alive as long as the site is visited; none where it is deployed.
    portal: Option<Portal>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The problem's slug.
    pub fn problem(&self) -> &str {
        let slug = self.body["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/"));
        slug.unwrap_or_else(|| panic!("no problem: {self:?}"))
    }

    /// The body, if the status is as expected.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }

    /// Status and problem.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status, self.problem())
    }
}

impl Site {
    /// A portal that nobody was in yet, with an API Owner.
    pub async fn open() -> Self {
        match env::var(DEPLOYED) {
            Ok(base) => Self::begin_anew(base).await,
            Err(_) => Self::open_locally().await,
        }
    }

    /// The same in memory, for what only the local portal can do.
    pub async fn open_locally() -> Self {
        let portal = Portal::start(Options { owner: Some(owner()), ..Options::in_memory() }).await.unwrap();
        Self { base: portal.address(), http: Client::new(), portal: Some(portal) }
    }

    /// The deployed portal as it was when it was deployed. Its first owner accepts the invitation that the stack sent.
    async fn begin_anew(base: String) -> Self {
        let site = Self { base, http: Client::new(), portal: None };
        site.send(Method::POST, "/_local/reset", None, None).await.ok(200);
        let token = site.token(OWNER).await;
        site.post("/v1/invitations/accept", json!({"token": token, "password": PASSWORD})).await.ok(200);
        site
    }

    /// Whether it runs here.
    pub fn is_local(&self) -> bool {
        self.portal.is_some()
    }

    /// What the local portal stands on.
    pub fn services(&self) -> &Services {
        self.portal.as_ref().unwrap().services()
    }

    /// Sends a request, with a token and a body where they are given.
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answer(request).await
    }

    /// Posts a table of comma-separated values as somebody.
    pub async fn upload(&self, token: &str, path: &str, table: &str) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(token);
        let request = request.header("content-type", "text/csv").body(table.to_owned());
        self.answer(request).await
    }

    /// Sends a request; what the portal answers is what its contract says.
    async fn answer(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let asked: Option<Value> =
            request.body().and_then(Body::as_bytes).and_then(|body| serde_json::from_slice(body).ok());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text.clone()))
        };
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {text}");
        if let Some(route) = contract::route(method.as_str(), &path) {
            let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            // Who passes on what has no content may name a type all the same.
            let of_content = headers.get(CONTENT_TYPE).filter(|_| !text.is_empty());
            let media_type = of_content.map(|it| it.to_str().unwrap().split(';').next().unwrap());
            contract::hold(&Exchange {
                route: &route,
                asked: asked.as_ref(),
                status: status.as_u16(),
                headers: &names,
                media_type,
                answered: &body,
            });
        } else {
            assert!(!path.starts_with("/v1/") || status == StatusCode::NOT_FOUND, "{method} {path}: {status}");
        }
        Answer { status: status.as_u16(), headers, body }
    }

    /// Posts as somebody, as often as it takes: under `key` it is one request.
    pub async fn create_once(&self, token: &str, path: &str, body: &Value, key: &str) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(token).header("idempotency-key", key);
        self.answer(request.json(body)).await
    }

    /// Changes as somebody what stands at a path, from the version that `tag` names.
    pub async fn change(&self, token: &str, path: &str, tag: &str, body: &Value) -> Answer {
        let request = self.http.patch(format!("{}{path}", self.base)).bearer_auth(token).header("if-match", tag);
        self.answer(request.json(body)).await
    }

    /// Posts as a visitor.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, Some(&body)).await
    }

    /// Posts as somebody, without a body.
    pub async fn act(&self, token: &str, path: &str) -> Answer {
        self.send(Method::POST, path, Some(token), None).await
    }

    /// Reads as somebody.
    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    /// Reads a list as lines of JSON.
    pub async fn lines(&self, token: &str, path: &str) -> Vec<Value> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(token);
        let response = request.header("accept", "application/x-ndjson").send().await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["content-type"]),
            (StatusCode::OK, &"application/x-ndjson".parse().unwrap())
        );
        response.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Creates an organisation with a team beside its default one; returns the ids of both.
    pub async fn organisation(&self, name: &str, team: &str) -> (Value, Value) {
        let owner = self.access(OWNER).await;
        let create = async |path: &str, name: &str| {
            self.send(Method::POST, path, Some(&owner), Some(&json!({"name": name}))).await.ok(201)["id"].clone()
        };
        let organisation = create("/v1/organisations", name).await;
        let team = create(&format!("/v1/organisations/{}/teams", organisation.as_str().unwrap()), team).await;
        (organisation, team)
    }

    /// Registers somebody.
    pub async fn register(&self, email: &str) -> Answer {
        self.post("/v1/registrations", json!({"email": email, "first_name": "Ada", "last_name": "Lovelace"})).await
    }

    /// Confirms a registration by the newest link in the mailbox.
    pub async fn confirm(&self, email: &str) -> Answer {
        let token = self.token(email).await;
        self.post("/v1/registrations/confirm", json!({"token": token, "password": PASSWORD})).await
    }

    /// Logs in.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/auth/login", json!({"email": email, "password": password})).await
    }

    /// The access token of a login that has to work.
    pub async fn access(&self, email: &str) -> String {
        let tokens = self.login(email, PASSWORD).await.ok(200);
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// The id of the one person with this address.
    pub async fn id(&self, owner: &str, email: &str) -> String {
        let people = self.get(owner, "/v1/users?limit=100").await.ok(200);
        let mut people = people["items"].as_array().unwrap().iter();
        people.find(|person| person["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Registers, confirms and approves somebody; returns their id.
    pub async fn member(&self, email: &str) -> String {
        self.register(email).await.ok(202);
        self.confirm(email).await.ok(200);
        let owner = self.access(OWNER).await;
        let id = self.id(&owner, email).await;
        self.act(&owner, &format!("/v1/users/{id}/approve")).await.ok(200);
        id
    }

    /// The mails to an address, the newest first.
    pub async fn mails(&self, to: &str) -> Vec<Value> {
        let mails = self.send(Method::GET, &format!("/_local/mail?to={to}"), None, None).await.ok(200);
        mails["items"].as_array().unwrap().clone()
    }

    /// The events of the mails to an address, the oldest first.
    pub async fn mail_events(&self, to: &str) -> Vec<String> {
        let mails = self.mails(to).await;
        mails.iter().rev().map(|mail| mail["event"].as_str().unwrap().to_owned()).collect()
    }

    /// The token of the link in the newest mail to an address.
    pub async fn token(&self, to: &str) -> String {
        let mails = self.mails(to).await;
        let text = mails.first().unwrap_or_else(|| panic!("no mail to {to}"))["text"].as_str().unwrap();
        text.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// Lets the newest mail to an address bounce, or meet what else `kind` says.
    pub async fn bounce(&self, to: &str, kind: &str) {
        let id = self.mails(to).await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/_local/mail/{id}/bounce?kind={kind}");
        self.send(Method::POST, &path, None, None).await.ok(200);
    }

    /// Moves the portal's clock.
    pub async fn advance(&self, seconds: i64) {
        self.post("/_local/clock", json!({"advance_seconds": seconds})).await.ok(200);
    }

    /// Runs the sweep.
    pub async fn sweep(&self) {
        self.send(Method::POST, "/_local/run/expire", None, None).await.ok(200);
    }
}

fn owner() -> OwnerOptions {
    OwnerOptions { email: OWNER.to_owned(), password: Some(PASSWORD.to_owned()) }
}
