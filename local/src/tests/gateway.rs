//! What API Gateway answers by itself, and what it does for functions.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, routing::get};
use http_body_util::BodyExt;
use local_services::{Services, Template};
use reqwest::Method;
use serde_json::{Value, json};
use shared::{clock::Clock, random::Random};
use tokio::sync::{Notify, mpsc};

use super::Site;
use crate::gateway::{Gateway, GatewayError, Setting};

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn an_unknown_route_or_method_is_not_found() {
    let site = Site::new().await;

    for (method, path) in [
        (Method::GET, "/v1/nothing"),
        (Method::PUT, "/v1/me"),
        (Method::HEAD, "/v1/me"),
        (Method::OPTIONS, "/v1/me"),
        (Method::GET, "/v1/me/"),
        (Method::GET, "/"),
    ] {
        let answer = site.request(method.clone(), path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.headers().contains_key("apigw-requestid"));
        let body = answer.text().await.unwrap();
        assert!(method == Method::HEAD || body == r#"{"message":"Not Found"}"#, "{body}");
    }
}

#[tokio::test]
async fn without_a_valid_token_nobody_gets_to_a_function() {
    let site = Site::new().await;
    let me = |token: &str| site.request(Method::GET, "/v1/me").header("authorization", token.to_owned()).send();

    let none = site.get("/v1/me").await;
    let broken = me("Bearer broken").await.unwrap();

    assert_eq!((none.status().as_u16(), &none.headers()["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    assert_eq!(none.json::<Value>().await.unwrap(), json!({"message": "Unauthorized"}));
    let reason = broken.headers()["www-authenticate"].to_str().unwrap();
    assert!(reason.starts_with(r#"Bearer scope="" error="invalid_token" error_description=""#), "{reason}");
    // As there: with or without its scheme.
    let token = site.owner_token().await;
    assert_eq!(me(&token).await.unwrap().status(), 200);
    assert_eq!(me(&format!("bearer {token}")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_id_token_gets_past_the_gateway_and_is_refused_by_the_function() {
    let site = Site::new().await;
    let owner = site.portal.owner().unwrap();
    let crate::Standing::Created { password } = &owner.standing else { panic!() };
    let tokens: Value = site.log_in(&owner.email, password).await.json().await.unwrap();

    let refused = site.request(Method::GET, "/v1/me").bearer_auth(tokens["id_token"].as_str().unwrap()).send();

    let refused = refused.await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_body_of_more_than_ten_megabytes_is_too_large_for_the_gateway() {
    let site = Site::new().await;
    let post = |bytes: usize| {
        let request = site.request(Method::POST, "/v1/registrations").header("content-type", "application/json");
        request.body("x".repeat(bytes)).send()
    };

    let gateway = post(10 * 1024 * 1024 + 1).await.unwrap();
    let function = post(10 * 1024 * 1024).await.unwrap();

    assert_eq!(gateway.status(), 413);
    assert_eq!(gateway.json::<Value>().await.unwrap(), json!({"message": "Request Entity Too Large"}));
    assert_eq!(function.status(), 413);
    assert_eq!(function.headers()["content-type"], "application/problem+json");
}

/// A gateway of the deployed routes whose functions are all `router`.
async fn gateway(router: &Router) -> Gateway {
    let folders = [
        "register",
        "approve",
        "invite",
        "invite-codes",
        "redeem-code",
        "login",
        "me",
        "users",
        "organisations",
        "settings",
    ];
    open(folders.into_iter().map(|folder| (folder, router.clone())).collect()).await.unwrap()
}

async fn open(functions: BTreeMap<&'static str, Router>) -> Result<Gateway, GatewayError> {
    let clock = Clock::system();
    let now = clock.clone();
    let services = Arc::new(Services::in_memory(Arc::new(move || now.now())).await.unwrap());
    let (written, domain) = (Arc::new(Notify::new()), "127.0.0.1:3000".to_owned());
    let (busy, _): (mpsc::Sender<Infallible>, _) = mpsc::channel(1);
    let setting = Setting { functions, services, clock, random: Random::system(), domain, written, busy };
    Gateway::open(Template::deployed().unwrap(), setting)
}

fn request(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_route_to_a_function_that_is_not_there_stops_the_start() {
    let refused = open(BTreeMap::new()).await.err().unwrap();

    assert!(matches!(refused, GatewayError::UnknownFunction(_)), "{refused}");
}

#[tokio::test]
async fn a_function_that_panics_is_an_internal_error() {
    async fn broken() -> &'static str {
        panic!("as intended by the test")
    }
    let gateway = gateway(&Router::new().route("/v1/settings/public", get(broken))).await;

    let answer = gateway.answer(request("/v1/settings/public"), SOURCE).await;

    assert_eq!(answer.status(), 500);
    assert!(answer.headers().contains_key("apigw-requestid"));
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"message":"Internal Server Error"}"#);
}

#[tokio::test]
async fn a_function_goes_on_when_its_caller_has_left() {
    let (begun, go_on, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let notes = (begun.clone(), go_on.clone(), done.clone());
    let slow = async move || {
        let (begun, go_on, done) = &notes;
        begun.notify_one();
        go_on.notified().await;
        done.notify_one();
    };
    let gateway = gateway(&Router::new().route("/v1/settings/public", get(slow))).await;

    tokio::select! {
        answer = gateway.answer(request("/v1/settings/public"), SOURCE) => panic!("{answer:?}"),
        () = begun.notified() => {}
    }
    go_on.notify_one();

    let went_on = tokio::time::timeout(Duration::from_secs(20), done.notified()).await;
    assert!(went_on.is_ok());
}

#[tokio::test]
async fn hosts_and_paths_that_are_none_never_reach_a_function() {
    let gateway = gateway(&Router::new()).await;
    let answer = async |request: Request| gateway.answer(request, SOURCE).await.status().as_u16();
    let hosted = |host: &str| Request::get("/v1/settings/public").header("host", host).body(Body::empty()).unwrap();

    assert_eq!(answer(hosted("a b")).await, 403);
    assert_eq!(answer(hosted("[::1")).await, 403);
    assert_eq!(answer(request("/v1/users/%ff")).await, 400);
    assert_eq!(answer(request("/v1/users/a%2Fb")).await, 404);
}

#[tokio::test]
async fn what_a_function_gets_is_what_was_sent() {
    let echo = async |request: Request| {
        let uri = request.uri().to_string();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        format!("{uri} {}", body.len())
    };
    let gateway = gateway(&Router::new().fallback(echo)).await;
    let request = Request::post("/v1/registrations?a=b%20c&a=%C3%BC")
        .header("host", "localhost:3000")
        .header("content-type", "application/octet-stream")
        .body(Body::from(vec![0, 159, 146, 150]))
        .unwrap();

    let answer = gateway.answer(request, SOURCE).await;

    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "http://localhost:3000/v1/registrations?a=b%20c&a=%C3%BC 4");
}
