//! The portal as a whole, spoken to over HTTP; each test has one of its own.

mod gateway;
mod journeys;
mod mail;
mod starts;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{Options, Portal, Standing};

/// A portal in memory with a client for it.
struct Site {
    portal: Portal,
    client: Client,
}

impl Site {
    async fn start(options: Options) -> Self {
        Self { portal: Portal::start(options).await.unwrap(), client: Client::new() }
    }

    async fn new() -> Self {
        Self::start(Options::in_memory()).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.portal.address()))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap()
    }

    async fn register(&self, email: &str) {
        let person = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace"});
        assert_eq!(self.post("/v1/registrations", &person).await.status(), 202);
    }

    /// The mail to an address, newest first.
    async fn mail(&self, to: &str) -> Vec<Value> {
        let answer: Value = self.get(&format!("/_local/mail?to={to}")).await.json().await.unwrap();
        answer["items"].as_array().unwrap().clone()
    }

    /// The token of the link in the newest mail to an address.
    async fn token(&self, to: &str) -> String {
        let mails = self.mail(to).await;
        let text = mails[0]["text"].as_str().unwrap();
        text.split_once("#token=").unwrap().1.split_whitespace().next().unwrap().to_owned()
    }

    async fn log_in(&self, email: &str, password: &str) -> Response {
        self.post("/v1/auth/login", &json!({"email": email, "password": password})).await
    }

    async fn access_token(&self, email: &str, password: &str) -> String {
        let answer: Value = self.log_in(email, password).await.json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn owner_token(&self) -> String {
        let owner = self.portal.owner().unwrap();
        let Standing::Created { password } = &owner.standing else { panic!("{owner:?}") };
        self.access_token(&owner.email, password).await
    }

    async fn advance(&self, seconds: u64) -> Value {
        let moved = self.post("/_local/clock", &json!({"advance_seconds": seconds})).await;
        assert_eq!(moved.status(), 200);
        moved.json().await.unwrap()
    }
}

/// Waits until something that happens by itself has happened.
async fn until(happened: impl AsyncFn() -> bool) {
    let looking = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("it did not happen");
}
