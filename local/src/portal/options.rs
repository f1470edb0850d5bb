//! How to run a portal.

use std::path::PathBuf;

use shared::clock::Clock;

/// The address of the API Owner whom a portal starts with, if it is told no other.
pub const OWNER_EMAIL: &str = "owner@example.com";

/// How to run a portal.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 is any.
    pub port: u16,
    /// The folder that keeps everything; memory without one.
    pub data: Option<PathBuf>,
    /// The API Owner to start with; nobody without one.
    pub owner: Option<OwnerOptions>,
    /// The clock that everything reads.
    pub clock: Clock,
    /// Whether the calls to the services are noted.
    pub recording: bool,
}

/// The API Owner whom a portal starts with.
#[derive(Clone)]
pub struct OwnerOptions {
    /// Their address.
    pub email: String,
    /// Their password; made without one.
    pub password: Option<String>,
}

impl Default for OwnerOptions {
    fn default() -> Self {
        Self { email: OWNER_EMAIL.to_owned(), password: None }
    }
}

impl std::fmt::Debug for OwnerOptions {
    /// Without the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OwnerOptions").field("email", &self.email).finish_non_exhaustive()
    }
}

impl Options {
    /// A portal of its own on any port, in memory, that notes the calls to the services: what a test uses.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { port: 0, data: None, owner: Some(OwnerOptions::default()), clock: Clock::system(), recording: true }
    }
}
