//! An example of every answer: what a portal in memory answers to the samples of `events/`, sent in such an order that each
//! of them works. Its ids are drawn from a seed and its clock moves from request to request alone, so that it always
//! answers the same.

use std::collections::BTreeMap;

use harness::{Bench, Sample, SignedIn};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use shared::domain::{ids::UserId, user::Role};

use super::functions;

/// The person of most samples, and who is invited.
const ADA: &str = "ada@example.com";
/// See [`ADA`].
const GRACE: &str = "grace@example.com";
/// The password that the samples set first.
const PASSWORD: &str = "correct horse battery staple";
/// Tokens are signed anew each time and too long to read; in examples they are this.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJ1c2UiOiJleGFtcGxlIn0.c2lnbmF0dXJl";
/// How long passes between two requests.
const STEP: SignedDuration = SignedDuration::from_mins(2);

/// What an operation answers, by media type; where there are several, each with its name.
pub type Answers = BTreeMap<String, Vec<(String, Value)>>;

/// The answers by operation.
pub async fn examples() -> BTreeMap<String, Answers> {
    let mut walk = Walk::begin().await;
    walk.settings().await;
    walk.upload().await;
    walk.created_by_an_owner().await;
    walk.registration().await;
    walk.codes().await;
    walk.invitations().await;
    walk.first_login().await;
    walk.organisations().await;
    walk.attributes().await;
    walk.examples
}

struct Walk {
    bench: Bench,
    owner: SignedIn,
    examples: BTreeMap<String, Answers>,
}

impl Walk {
    async fn begin() -> Self {
        let bench = Bench::seeded(1).await;
        bench.set(|settings| settings.organisation_requests = true).await;
        let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
        let mut walk = Self { bench, owner, examples: BTreeMap::new() };
        walk.done("me-change", |it| it.body(&json!({"first_name": "Mary", "last_name": "Somerville"}))).await;
        walk
    }

    /// Sends a sample, as the owner unless it is changed, and returns its answer. It has to work.
    async fn done(&mut self, name: &str, change: impl FnOnce(Sample) -> Sample) -> Value {
        self.sent(name, change).await.1
    }

    /// The same, and the answer is the example of its operation.
    async fn shown(&mut self, name: &str, change: impl FnOnce(Sample) -> Sample) -> Value {
        self.shown_as("", name, change).await
    }

    /// The same, and the answer is one of several examples.
    async fn shown_as(&mut self, label: &str, name: &str, change: impl FnOnce(Sample) -> Sample) -> Value {
        let (media_type, mut body) = self.sent(name, change).await;
        let answer = body.clone();
        shorten_tokens(&mut body);
        self.examples.entry(name.to_owned()).or_default().entry(media_type).or_default().push((label.to_owned(), body));
        answer
    }

    async fn sent(&mut self, name: &str, change: impl FnOnce(Sample) -> Sample) -> (String, Value) {
        self.bench.advance(STEP);
        let mut sample = Sample::of(name);
        if sample.event()["requestContext"]["authorizer"].is_object() {
            sample = sample.by(&self.owner);
        }
        let reply = functions::send(&self.bench, change(sample).unheld()).await;
        assert!((200..300).contains(&reply.status), "{name}: {reply:?}");
        let media_type = reply.headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
        (media_type.to_owned(), reply.body)
    }

    async fn session(&self, id: &UserId) -> SignedIn {
        self.bench.sign_in_with(&self.bench.read(id).await, PASSWORD).await
    }

    /// The body of a sample with a token in it that counts.
    async fn with_token(&self, name: &str, address: &str) -> Value {
        let mut body = Sample::of(name).json().unwrap();
        body["token"] = json!(self.bench.token(address).await);
        body
    }

    async fn settings(&mut self) {
        for name in ["settings-change", "settings-read", "settings-public"] {
            self.shown(name, as_it_is).await;
        }
        for task in ["list-templates", "read-template", "change-template", "preview-template"] {
            self.shown(&format!("settings-{task}"), as_it_is).await;
        }
    }

    /// One row, as the document asks with.
    async fn upload(&mut self) {
        let rows = json!({"rows": [{"email": ADA, "first_name": "Ada", "last_name": "Lovelace"}]});
        let upload = self.shown("invite-bulk", |it| it.query("").body(&rows)).await;
        self.done("invite-revoke", |it| it.id(text(&upload["results"][0]["invitation_id"]))).await;
    }

    async fn created_by_an_owner(&mut self) {
        let ada = id(&self.shown("users-create", as_it_is).await);
        self.shown("users-read", |it| it.id(&ada)).await;
        self.shown("users-access", |it| it.id(&ada)).await;
        let tokens = self.shown_as("session", "login-login", as_it_is).await;
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        self.shown("login-refresh", |it| it.body(&refresh)).await;
        let session = self.session(&ada).await;
        for name in ["me-read", "me-change", "me-export", "me-password"] {
            self.shown(name, |it| it.by(&session)).await;
        }
        self.shown("login-forgot-password", as_it_is).await;
        let reset = self.with_token("login-reset-password", ADA).await;
        self.shown("login-reset-password", |it| it.body(&reset)).await;
        self.shown("users-change", |it| it.id(&ada)).await;
        self.done("users-delete", |it| it.id(&ada)).await;
    }

    async fn registration(&mut self) {
        self.shown("register-register", as_it_is).await;
        self.shown("register-resend", as_it_is).await;
        let confirm = self.with_token("register-confirm", ADA).await;
        self.shown("register-confirm", |it| it.body(&confirm)).await;
        let waiting = self.shown_as("to_owners_and_admins", "users-list", as_it_is).await;
        let ada = id(&waiting["items"][0]);
        for task in ["reject", "reopen", "approve", "deactivate", "activate"] {
            self.shown(&format!("approve-{task}"), |it| it.id(&ada)).await;
        }
        self.shown("settings-audit", as_it_is).await;
        self.shown("settings-audit", |it| it.header("accept", "application/x-ndjson")).await;
        let session = self.session(&ada).await;
        self.shown_as("to_team_members", "users-list", |it| it.by(&session).query("")).await;
        let request = self.shown("organisations-request", |it| it.by(&session)).await;
        self.shown("organisations-list-requests", as_it_is).await;
        self.shown("organisations-reject-request", |it| it.id(text(&request["id"]))).await;
        let request = self.done("organisations-request", |it| it.by(&session)).await;
        self.shown("organisations-approve-request", |it| it.id(text(&request["id"]))).await;
        self.shown("me-organisation", |it| it.by(&session)).await;
        self.done("users-delete", |it| it.id(&ada)).await;
    }

    async fn codes(&mut self) {
        let made = self.shown("invite-codes-create", as_it_is).await;
        let code = text(&made["code"]);
        let mut redeem = Sample::of("redeem-code-redeem").json().unwrap();
        redeem["code"] = json!(code);
        self.shown("redeem-code-redeem", |it| it.body(&redeem)).await;
        let confirm = self.with_token("register-confirm", ADA).await;
        self.done("register-confirm", |it| it.body(&confirm)).await;
        for task in ["read", "change", "redemptions"] {
            self.shown(&format!("invite-codes-{task}"), |it| it.code(code)).await;
        }
        let redeemed = self.shown("invite-codes-list", |it| it.query("")).await;
        assert_eq!(redeemed["items"][0]["used"], 1);
    }

    async fn invitations(&mut self) {
        let invitation = self.shown("invite-create", as_it_is).await;
        self.shown("invite-list", as_it_is).await;
        self.shown("invite-read", |it| it.id(text(&invitation["id"]))).await;
        self.shown("invite-resend", |it| it.id(text(&invitation["id"]))).await;
        let preview = self.with_token("invite-preview", GRACE).await;
        self.shown("invite-preview", |it| it.body(&preview)).await;
        let accept = self.with_token("invite-accept", GRACE).await;
        self.shown("invite-accept", |it| it.body(&accept)).await;
        let joan = json!({"email": "joan@example.com", "first_name": "Joan", "last_name": "Clarke"});
        let joan = self.done("users-create", |it| it.body(&joan)).await;
        self.shown("invite-send", |it| it.id(id(&joan))).await;
    }

    /// With a password that an owner has set and that has to be changed.
    async fn first_login(&mut self) {
        let katherine = "katherine@example.com";
        let body = json!({
            "email": katherine, "first_name": "Katherine", "last_name": "Johnson", "password": PASSWORD,
            "active": true, "must_change_password": true,
        });
        self.done("users-create", |it| it.body(&body)).await;
        let login = json!({"email": katherine, "password": PASSWORD});
        let challenge = self.shown_as("challenge", "login-login", |it| it.body(&login)).await;
        let answer = json!({"email": katherine, "session": challenge["session"], "new_password": "violet tractor 42!"});
        self.shown("login-challenge", |it| it.body(&answer)).await;
    }

    async fn organisations(&mut self) {
        let acme = self.shown("organisations-create", as_it_is).await;
        let acme = text(&acme["id"]);
        let mobile = self.shown("organisations-create-team", |it| it.id(acme)).await;
        self.shown("organisations-list", as_it_is).await;
        for task in ["read", "list-teams", "change"] {
            self.shown(&format!("organisations-{task}"), |it| it.id(acme)).await;
        }
        self.shown("organisations-change-team", |it| it.id(acme).team(text(&mobile["id"]))).await;
    }

    async fn attributes(&mut self) {
        for task in ["create", "list", "read", "change"] {
            self.shown(&format!("settings-attributes-{task}"), as_it_is).await;
        }
    }
}

fn as_it_is(sample: Sample) -> Sample {
    sample
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn id(person: &Value) -> UserId {
    serde_json::from_value(person["id"].clone()).unwrap()
}

fn shorten_tokens(answer: &mut Value) {
    for (name, value) in answer.as_object_mut().into_iter().flat_map(Map::iter_mut) {
        if matches!(name.as_str(), "access_token" | "id_token" | "refresh_token") {
            *value = json!(TOKEN);
        }
    }
}
