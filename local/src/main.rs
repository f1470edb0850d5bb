//! `cargo run`: the whole portal on this machine.

use std::process::ExitCode;

use clap::Parser;
use local::{options::CommandLine, run::run};

#[tokio::main]
async fn main() -> ExitCode {
    run(CommandLine::parse()).await
}
