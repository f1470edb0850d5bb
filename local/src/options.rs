//! The command line.

use std::path::PathBuf;

use clap::{Parser, builder::FalseyValueParser};

use crate::{OwnerOptions, portal::OWNER_EMAIL};

/// Runs the whole portal on this machine, offline: API, functions, database, user pool, mailbox.
#[derive(Clone, Parser)]
#[command(name = "portico", bin_name = "cargo run --", version, next_line_help = true)]
#[command(after_help = "Stop it with Ctrl-C. Delete the data folder to start afresh.")]
pub struct CommandLine {
    /// Port on 127.0.0.1 that the portal answers on; 0 is any free one
    #[arg(long, env = "PORTICO_PORT", value_name = "PORT", default_value_t = 3000)]
    pub port: u16,

    /// Keep nothing, whatever --data says: everything is gone when the portal stops
    #[arg(long, env = "PORTICO_MEMORY", value_parser = FalseyValueParser::new())]
    pub memory: bool,

    /// Folder that keeps everything
    #[arg(long, env = "PORTICO_DATA", value_name = "DIR", default_value = ".portico")]
    pub data: PathBuf,

    /// E-mail address of the API Owner to start with
    #[arg(long, env = "PORTICO_OWNER_EMAIL", value_name = "EMAIL", default_value = OWNER_EMAIL)]
    pub owner_email: String,

    /// Their password, when they are created; without it one is made, kept in the data folder and shown
    #[arg(long, env = "PORTICO_OWNER_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub owner_password: Option<String>,

    /// Start without an API Owner, whatever the options above say
    #[arg(long, env = "PORTICO_NO_SEED", value_parser = FalseyValueParser::new())]
    pub no_seed: bool,

    /// Start only the database, user pool and mail, on the two ports after PORT, for functions that run elsewhere
    #[arg(long, env = "PORTICO_SERVICES_ONLY", value_parser = FalseyValueParser::new())]
    pub services_only: bool,

    /// What is logged to standard error, in the words of tracing's filters
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "warn,dynoxide=error,local=info",
        hide_env_values = true
    )]
    pub log: String,
}

impl CommandLine {
    /// The data folder; memory without one.
    pub fn folder(&self) -> Option<PathBuf> {
        (!self.memory).then(|| self.data.clone())
    }

    /// The API Owner to start with.
    pub fn owner(&self) -> Option<OwnerOptions> {
        let Self { owner_email, owner_password, no_seed, .. } = self;
        (!no_seed).then(|| OwnerOptions { email: owner_email.clone(), password: owner_password.clone() })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn each_option_is_a_variable_too() {
        let command = CommandLine::command();
        let variables: Vec<_> = command.get_arguments().filter_map(|it| it.get_env()?.to_str()).collect();

        for option in ["PORT", "MEMORY", "DATA", "OWNER_EMAIL", "OWNER_PASSWORD", "NO_SEED", "SERVICES_ONLY"] {
            assert!(variables.contains(&format!("PORTICO_{option}").as_str()), "{option}");
        }
    }

    #[test]
    fn everything_is_kept_in_a_folder_unless_nothing_is() {
        let folder = |arguments: &[&str]| CommandLine::try_parse_from(arguments).unwrap().folder();

        assert_eq!(folder(&["portico"]), Some(PathBuf::from(".portico")));
        assert_eq!(folder(&["portico", "--data", "/d"]), Some(PathBuf::from("/d")));
        assert_eq!(folder(&["portico", "--memory"]), None);
    }
}
