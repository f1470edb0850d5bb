//! The functions with a route, by the name of their folder.

use axum::Router;
use harness::{Bench, Reply, Sample};

#[path = "../routes/mod.rs"]
pub mod routes;

/// Sends a sample to the function that the template has for its route.
pub async fn send(bench: &Bench, sample: Sample) -> Reply {
    let route = routes::routes().into_iter().find(|route| Some(route.key().as_str()) == sample.route()).unwrap();
    sample.send(router(bench, &route.function)).await
}

/// The router of the function in `functions/<name>`.
pub fn router(bench: &Bench, name: &str) -> Router {
    let (store, identity, clock) = (bench.store.clone(), bench.identity.clone(), bench.clock.clone());
    match name {
        "approve" => approve::router(approve::App { store, identity, clock }),
        "invite" => invite::router(invite::App { store, identity, clock }),
        "login" => login::router(login::App { store, identity, clock, random: bench.random.clone() }),
        "organisations" => organisations::router(organisations::App { store, clock }),
        "me" => me::router(me::App { store, identity, clock }),
        "invite-codes" => invite_codes::router(invite_codes::App { store, clock, random: bench.random.clone() }),
        "redeem-code" => redeem_code::router(redeem_code::App { store, identity, clock }),
        "register" => register::router(register::App { store, identity, clock }),
        "settings" => settings::router(settings::App { store, clock }),
        "users" => users::router(users::App { store, identity, clock }),
        other => panic!("no function with routes is called {other}"),
    }
}
