//! The parts that every function is put together from: rules, store, identity, mail, HTTP.
//!
//! A function's own code never names an AWS SDK and never decides a rule that another function needs. Nothing here
//! depends on a function.

pub mod address_change;
mod aws_error;
pub mod clock;
pub mod config;
pub mod deletion;
pub mod dissolution;
pub mod domain;
pub mod enrolment;
pub mod http;
pub mod identity;
pub mod mail;
pub mod password_change;
pub mod random;
pub mod store;
pub mod telemetry;
