//! What `template.yaml` allows each function is what the function does: nothing is missing, and nothing is allowed that no
//! path of it needs.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::BTreeSet;

use harness::{Bench, SignedIn};
use local_services::Template;
use shared::domain::user::Role;

mod functions;
mod permissions {
    pub mod background;
    pub mod management;
    pub mod way_in;
}
mod roles;
mod watched;

async fn portal() -> (Bench, SignedIn) {
    let bench = Bench::new().await;
    let owner = bench.signed_in("owner@example.com", Role::ApiOwner).await;
    (bench, owner)
}

#[test]
fn every_function_is_watched() {
    let template = Template::deployed().unwrap();
    let functions: BTreeSet<_> =
        template.of_kind("AWS::Serverless::Function").map(|function| function.logical_id).collect();

    let watched = [
        "Approve",
        "Bootstrap",
        "DeliverMail",
        "Expire",
        "Invite",
        "InviteCodes",
        "Login",
        "MailFeedback",
        "Me",
        "Organisations",
        "RedeemCode",
        "Register",
        "Settings",
        "Users",
    ];
    assert_eq!(functions, watched.map(|name| format!("{name}Function")).iter().map(String::as_str).collect());
}
