//! People's ways through the portal, over HTTP, against the local portal as `cargo run` starts it.
#![expect(clippy::disallowed_methods, reason = "where the portal is deployed is told where the tests are started")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod account;
mod approval;
mod attributes;
mod audit;
mod bounces;
mod bulk;
mod invitations;
mod invite_codes;
mod leaving;
mod links;
mod live_portal;
mod mail_templates;
mod organisation_requests;
mod organisations;
mod passwords;
mod people;
mod refusals;
mod registration;
mod repeats;
mod restore;
mod roles;
mod secrets;
mod sessions;
mod settings;
mod site;
