//! Why a portal does not start: each a sentence for the one who starts it.

use local_services::{StartError as ServicesError, TemplateError};

use crate::{
    folder::FolderError,
    gateway::GatewayError,
    schedule::ScheduleError,
    seed::SeedError,
    stream::{MappingError, SourceError},
};

/// Why a portal does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be listened on.
    #[error("port {port} of 127.0.0.1 cannot be used: {reason}; choose another one with --port")]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        reason: String,
    },
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The services.
    #[error(transparent)]
    Services(#[from] ServicesError),
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// An event source mapping.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The template has a mapping that is none of the mail table to the function that sends.
    #[error("the template maps the stream of {table} to {function}, which the local portal does not know")]
    UnknownMapping {
        /// The table.
        table: String,
        /// The function.
        function: String,
    },
    /// The stream of the mail table.
    #[error(transparent)]
    Stream(#[from] SourceError),
    /// What a portal starts with.
    #[error(transparent)]
    Seed(#[from] SeedError),
}
