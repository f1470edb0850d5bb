//! The program: starts, tells where everything is, and ends cleanly when it is told to.

use std::{io::Write, process::ExitCode};

use local_services::{Ports, Services};
use shared::clock::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{
    Options, Owner, OwnerOptions, Portal, StartError, folder::Folder, functions::Functions, options::CommandLine,
    parts::Parts, portal, seed, time::Time, welcome,
};

/// What a shell expects of a program that a second Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Runs the program. One clear line on standard error and code 1 when it does not start.
pub async fn run(command_line: CommandLine) -> ExitCode {
    if let Err(reason) = log(&command_line.log) {
        return failed(&reason);
    }
    let started = if command_line.services_only {
        Running::services(&command_line).await
    } else {
        Running::portal(&command_line).await
    };
    let (running, welcome) = match started {
        Ok(started) => started,
        Err(error) => return failed(&error),
    };
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return failed(&"signals cannot be received");
    };
    // Nobody may be reading.
    let _ = std::io::stdout().write_all(welcome.as_bytes());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::select! {
        () = running.end() => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::from(INTERRUPTED),
    }
}

fn failed(reason: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "portico: {reason}");
    ExitCode::FAILURE
}

fn log(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| format!("the log filter: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .try_init()
        .map_err(|error| error.to_string())
}

enum Running {
    Portal(Box<Portal>),
    /// Held until the end.
    Services {
        _held: Box<(Services, Option<Folder>)>,
    },
}

impl Running {
    async fn portal(command_line: &CommandLine) -> Result<(Self, String), StartError> {
        let portal = Portal::start(Options {
            port: command_line.port,
            data: command_line.folder(),
            owner: command_line.owner(),
            clock: Clock::system(),
            recording: false,
        });
        let portal = portal.await?;
        let welcome = welcome::portal(&portal).await;
        Ok((Self::Portal(Box::new(portal)), welcome))
    }

    async fn services(command_line: &CommandLine) -> Result<(Self, String), StartError> {
        let folder = command_line.folder().as_deref().map(Folder::open).transpose()?;
        let time = Time::resumed(Clock::system(), None)?;
        let after = |ports| command_line.port.checked_add(ports).filter(|_| command_line.port != 0).unwrap_or(0);
        let listen = Ports { dynamodb: after(1), identity_and_mail: after(2) };
        let data = folder.as_ref().map(|folder| folder.path().to_owned());
        let services = portal::services(data, time.clock(), listen, false).await?;
        let portal_url = format!("http://127.0.0.1:{}", command_line.port);
        let parts = Parts::new(&services, &portal_url, time.clock());
        seed::lay_foundation(&Functions::new(&parts)).await?;
        let owner: Option<Owner> = match command_line.owner() {
            Some(OwnerOptions { email, password }) => {
                Some(seed::ensure_owner(&parts, folder.as_ref(), &email, password.as_deref()).await?)
            }
            None => None,
        };
        let welcome = welcome::services(&services, &portal_url, owner.as_ref());
        Ok((Self::Services { _held: Box::new((services, folder)) }, welcome))
    }

    async fn end(self) {
        match self {
            Self::Portal(portal) => portal.shutdown().await,
            Self::Services { .. } => {}
        }
    }
}
