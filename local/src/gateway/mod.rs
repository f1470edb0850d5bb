//! API Gateway: routes and authorizer as the template has them, each request as the event that a Lambda gets, through
//! the very code that reads it there.

mod answer;
mod authorizer;
mod event;
mod routes;

use std::{collections::BTreeMap, convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lambda_http::{Adapter, Context, LambdaEvent, Service, request::LambdaRequest};
use local_services::{Services, Template};
use serde_json::Value;
use shared::{clock::Clock, random::Random};
use tokio::sync::{Notify, mpsc};

use answer::Refusal;
use event::{ACCOUNT, Arrival, event, is_host};
pub use routes::{RouteError, Routes};

/// The largest body that API Gateway takes.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// After which API Gateway gives up on a function.
const PATIENCE: Duration = Duration::from_secs(30);
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The gateway.
pub struct Gateway {
    routes: Routes,
    functions: BTreeMap<&'static str, Router>,
    services: Arc<Services>,
    clock: Clock,
    random: Random,
    domain: String,
    written: Arc<Notify>,
    busy: mpsc::Sender<Infallible>,
}

/// Why the gateway cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A route cannot be offered.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The template has a route to a function that is not put together here.
    #[error("the template has a route to the function {0}, which the local portal does not know")]
    UnknownFunction(String),
}

/// What a gateway works with.
pub struct Setting {
    /// The functions that have routes.
    pub functions: BTreeMap<&'static str, Router>,
    /// Where tokens are verified.
    pub services: Arc<Services>,
    /// Time.
    pub clock: Clock,
    /// Ids of requests.
    pub random: Random,
    /// Host and port that the gateway listens on.
    pub domain: String,
    /// Told when a request may have written something.
    pub written: Arc<Notify>,
    /// Held by every function that runs.
    pub busy: mpsc::Sender<Infallible>,
}

impl Gateway {
    /// Opens the gateway with the template's routes.
    pub fn open(template: &Template, setting: Setting) -> Result<Self, GatewayError> {
        let routes = Routes::declared(template)?;
        let Setting { functions, services, clock, random, domain, written, busy } = setting;
        let unknown = routes.functions().find(|function| !functions.contains_key(function)).map(str::to_owned);
        match unknown {
            Some(unknown) => Err(GatewayError::UnknownFunction(unknown)),
            None => Ok(Self { routes, functions, services, clock, random, domain, written, busy }),
        }
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request, source: IpAddr) -> Response {
        let began = self.clock.now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let request_id = self.request_id();
        let answered = self.forward(request, source, &request_id).await;
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let took = self.clock.now().duration_since(began).as_millis();
        tracing::info!("{method} {path} {} {took} ms", response.status().as_u16());
        response
    }

    async fn forward(&self, request: Request, source: IpAddr, request_id: &str) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        let host = parts.headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        if host.is_some_and(|host| !is_host(host)) {
            return Err(Refusal::Forbidden);
        }
        let path = routes::decoded(parts.uri.path()).ok_or(Refusal::BadRequest)?;
        let fit = self.routes.find(parts.method.as_str(), &path).ok_or(Refusal::NotFound)?;
        let authorize = || authorizer::authorize(&self.services, &parts.headers);
        let claims = fit.route.authorized.then(authorize).transpose()?;
        let body = received(body).await?;
        let now = self.clock.now();
        let trace = format!("Root=1-{:08x}-{:024x}", now.as_second(), self.random.number() >> 32);
        let (trace, path, domain) = (trace.as_str(), path.as_str(), self.domain.as_str());
        let arrival = Arrival { fit: &fit, path, claims, source, request_id, trace, now, domain };
        let answer = self.invoke(&fit.route.function, &parts.method, event(&parts, &body, arrival)).await?;
        answer::response(answer).ok_or(Refusal::Internal)
    }

    /// Starts the function on a task of its own: as in a Lambda, it goes on when the caller has left.
    async fn invoke(&self, function: &str, method: &Method, event: Value) -> Result<Value, Refusal> {
        let router = self.functions.get(function).ok_or(Refusal::Internal)?.clone();
        let context = self.context(function);
        let (busy, written, writes) = (self.busy.clone(), self.written.clone(), *method != Method::GET);
        let running = tokio::spawn(async move {
            let answer = run(router, event, context).await;
            if writes {
                written.notify_one();
            }
            drop(busy);
            answer
        });
        match tokio::time::timeout(PATIENCE, running).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(failed(function, &error)),
            Ok(Err(panic)) => Err(failed(function, &panic)),
            Err(_) => Err(Refusal::Unavailable),
        }
    }

    fn context(&self, function: &str) -> Context {
        let region = self.services.region();
        let deadline = self.clock.now().as_millisecond().saturating_add(30_000);
        let mut context = Context::default();
        context.request_id = uuid(self.random.number());
        context.deadline = u64::try_from(deadline).unwrap_or_default();
        context.invoked_function_arn = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{function}");
        context
    }

    fn request_id(&self) -> String {
        let [id @ .., _, _, _, _, _] = self.random.number().to_be_bytes();
        STANDARD.encode(id)
    }
}

/// What a Lambda's runtime does: reads the event, calls the function, writes its answer.
async fn run(router: Router, event: Value, context: Context) -> Result<Value, serde_json::Error> {
    let request: LambdaRequest = serde_json::from_str(&event.to_string())?;
    let answering = Adapter::from(router).call(LambdaEvent::new(request, context));
    let Ok(answer): Result<_, Infallible> = answering.await;
    serde_json::to_value(answer)
}

fn failed(function: &str, error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(function, %error, "the function failed");
    Refusal::Internal
}

async fn received(body: Body) -> Result<axum::body::Bytes, Refusal> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::BadRequest),
    }
}

fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
