//! The functions, put together from the local parts. Each gets exactly what it gets when it is deployed.

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use local_services::Template;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::parts::Parts;

/// Every function.
#[derive(Debug)]
pub struct Functions {
    /// The router of each function that has routes, by its folder.
    pub routers: BTreeMap<&'static str, Router>,
    /// Each function that a schedule may start, by its folder.
    pub scheduled: BTreeMap<&'static str, Scheduled>,
    /// The function that the stream of the mail table starts.
    pub deliver_mail: deliver_mail::App,
    /// The function that the topic of what becomes of mails starts.
    pub mail_feedback: mail_feedback::App,
    /// The function that the deployment starts.
    pub bootstrap: bootstrap::App,
}

impl Functions {
    /// Puts the functions together.
    pub fn new(parts: &Parts) -> Self {
        let Parts { store, identity, mailer, clock, random } = parts;
        let (store, identity, mailer) = (|| store.clone(), || identity.clone(), || mailer.clone());
        let (clock, random) = (|| clock.clone(), || random.clone());
        let routers = BTreeMap::from([
            ("register", register::router(register::App { store: store(), identity: identity(), clock: clock() })),
            ("approve", approve::router(approve::App { store: store(), identity: identity(), clock: clock() })),
            ("invite", invite::router(invite::App { store: store(), identity: identity(), clock: clock() })),
            (
                "login",
                login::router(login::App { store: store(), identity: identity(), clock: clock(), random: random() }),
            ),
            ("organisations", organisations::router(organisations::App { store: store(), clock: clock() })),
            ("me", me::router(me::App { store: store(), identity: identity(), clock: clock() })),
            ("users", users::router(users::App { store: store(), identity: identity(), clock: clock() })),
            (
                "invite-codes",
                invite_codes::router(invite_codes::App { store: store(), clock: clock(), random: random() }),
            ),
            (
                "redeem-code",
                redeem_code::router(redeem_code::App { store: store(), identity: identity(), clock: clock() }),
            ),
            ("settings", settings::router(settings::App { store: store(), clock: clock() })),
        ]);
        let expire =
            expire::App { store: store(), identity: identity(), mailer: mailer(), owns_pool: true, clock: clock() };
        Self {
            routers,
            scheduled: BTreeMap::from([("expire", Scheduled::new(Work::Expire(expire)))]),
            deliver_mail: deliver_mail::App { mailer: mailer(), clock: clock() },
            mail_feedback: mail_feedback::App { store: store(), clock: clock() },
            bootstrap: bootstrap::App { store: store(), clock: clock() },
        }
    }
}

/// A function that a schedule starts; never twice at once, so that who has run it finds its work done.
#[derive(Clone, Debug)]
pub struct Scheduled(Arc<Mutex<Work>>);

#[derive(Debug)]
enum Work {
    Expire(expire::App),
}

impl Scheduled {
    fn new(work: Work) -> Self {
        Self(Arc::new(Mutex::new(work)))
    }

    /// Runs it once; the report says what it did.
    pub async fn run(&self) -> Result<Value, lambda_http::Error> {
        match &*self.0.lock().await {
            Work::Expire(app) => Ok(serde_json::to_value(expire::handle(app, None).await?)?),
        }
    }
}

/// The folder, below `functions`, of the function with that logical id.
pub fn folder<'t>(template: &'t Template, logical_id: &str) -> Option<&'t str> {
    let function = template.of_kind("AWS::Serverless::Function").find(|function| function.logical_id == logical_id)?;
    function.properties.get("CodeUri")?.as_str()?.trim_end_matches('/').rsplit('/').next()
}
