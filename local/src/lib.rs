//! The whole portal on one machine: API Gateway, the functions, `DynamoDB`, Cognito and mail in one process.
//!
//! Routes, authorizers, streams and schedules are read from `template.yaml`; functions get the events that they get when
//! they are deployed. Nothing here is ever part of what is deployed.

mod folder;
mod functions;
mod gateway;
pub mod options;
mod pages;
mod parts;
mod portal;
pub mod run;
mod schedule;
mod seed;
mod stream;
#[cfg(test)]
mod tests;
mod time;
mod topic;
mod welcome;

pub use portal::{Options, OwnerOptions, Portal, SentMail, StartError};
pub use seed::{Owner, Standing};
pub use time::Time;
