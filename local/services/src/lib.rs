//! The AWS services of the portal on one machine: `DynamoDB` (embedded), Cognito and SES (stand-ins for exactly the
//! operations that the portal uses), spoken to through the real AWS SDK over loopback.
//!
//! Time comes from the caller's clock alone. In memory everything is gone when [`Services`] is dropped; in a data folder
//! all of it survives, also a killed process. Nothing here is ever part of what is deployed.

mod calls;
mod clients;
mod cognito;
mod dynamodb;
mod kept;
mod random;
mod ses;
mod tap;
pub mod template;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod wire;

pub use calls::{Call, Calls, Fault};
pub use cognito::{PoolError, VerifyError};
pub use dynamodb::TablesError;
pub use kept::KeptError;
pub use ses::{Fate, Mail, Mailbox, feedback};
pub use template::{Template, TemplateError};

use cognito::Cognito;
use dynamodb::Tables;
use kept::Kept;
use serde_json::{Map, Value};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The one clock of everything that runs here.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// How to run the services.
#[derive(Clone)]
pub struct Options {
    /// The folder that keeps everything, made if it is missing; memory without one.
    pub data: Option<PathBuf>,
    /// The clock.
    pub now: Now,
    /// The ports to listen on.
    pub ports: Ports,
    /// Whether [`Services::calls`] notes the calls that are made.
    pub recording: bool,
}

/// Ports on loopback. 0 is any: in a data folder those of the last start if they are free, so that addresses, and with
/// them the issuer of tokens, stay the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// `DynamoDB` and its streams.
    pub dynamodb: u16,
    /// Cognito and SES.
    pub identity_and_mail: u16,
}

/// Where the services listen, as URLs without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// `DynamoDB` and its streams.
    pub dynamodb: String,
    /// Cognito.
    pub cognito: String,
    /// SES.
    pub ses: String,
}

/// Why the services did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template does not declare what is needed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The tables cannot be offered.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// What was kept cannot be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The user pool cannot be offered.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The folder or a port cannot be used.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// The services, running until this is dropped.
pub struct Services {
    endpoints: Endpoints,
    clients: clients::Clients,
    calls: Arc<Calls>,
    tables: Tables,
    cognito: Arc<Cognito>,
    mailbox: Mailbox,
    _running: watch::Sender<()>,
}

impl Services {
    /// Starts the services and creates the template's tables where they are missing.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let template = Template::deployed()?;
        if let Some(folder) = &options.data {
            let failed =
                |source| StartError::Io { what: format!("cannot make the folder {}", folder.display()), source };
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = |name: &str| options.data.as_deref().map(|folder: &Path| folder.join(name));
        let kept = Arc::new(Kept::open(file("services.sqlite").as_deref())?);
        let tables = Tables::open(file("dynamodb.sqlite").as_deref(), &options.now, template, &kept)?;

        let (running, stopped) = watch::channel(());
        let (listener, dynamodb) = listen("dynamodb", options.ports.dynamodb, &kept).await?;
        let served = dynoxide::server::serve_with_shutdown(listener, tables.database(), ended(stopped.clone()));
        tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "the embedded DynamoDB stopped");
            }
        });
        let (listener, address) = listen("identity-and-mail", options.ports.identity_and_mail, &kept).await?;
        let cognito =
            Arc::new(Cognito::open(template, kept.clone(), options.now.clone(), &address, options.data.is_some())?);
        let mailbox = Mailbox::new(kept, options.now);
        let router = wire::router(cognito.clone(), mailbox.clone());
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended(stopped)).await {
                tracing::error!(%error, "the Cognito and SES stand-ins stopped");
            }
        });

        let endpoints = Endpoints { dynamodb, cognito: address.clone(), ses: address };
        let calls = Arc::new(Calls::new(options.recording));
        let clients = clients::Clients::new(&endpoints, &calls);
        Ok(Self { endpoints, clients, calls, tables, cognito, mailbox, _running: running })
    }

    /// Starts a fresh set in memory that notes the calls made: what a test uses.
    pub async fn in_memory(now: Now) -> Result<Self, StartError> {
        Self::start(Options { data: None, now, ports: Ports::default(), recording: true }).await
    }

    /// The SDK's client of `DynamoDB`.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.clients.dynamodb.clone()
    }

    /// The SDK's client of the tables' streams.
    pub fn dynamodb_streams(&self) -> aws_sdk_dynamodbstreams::Client {
        self.clients.streams.clone()
    }

    /// The SDK's client of Cognito.
    pub fn cognito(&self) -> aws_sdk_cognitoidentityprovider::Client {
        self.clients.cognito.clone()
    }

    /// The SDK's client of SES.
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        self.clients.ses.clone()
    }

    /// The name of the table of the state.
    pub fn portal_table(&self) -> &str {
        dynamodb::PORTAL_TABLE
    }

    /// The name of the table of the mail.
    pub fn mail_table(&self) -> &str {
        dynamodb::MAIL_TABLE
    }

    /// The id of the user pool.
    pub fn user_pool_id(&self) -> &str {
        cognito::POOL_ID
    }

    /// The id of the user pool's client.
    pub fn client_id(&self) -> &str {
        cognito::CLIENT_ID
    }

    /// The region that the services pretend to be in.
    pub fn region(&self) -> &str {
        clients::REGION
    }

    /// Where the services listen.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// What stands in the tokens' `iss`.
    pub fn issuer(&self) -> &str {
        self.cognito.issuer()
    }

    /// Where the keys are that tokens are verified with.
    pub fn jwks_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.issuer())
    }

    /// Checks a token as API Gateway's JWT authorizer does (signature, issuer, audience or client, times) and returns
    /// its claims. As there, an ID token is as good as an access token, and a revoked one as good as any.
    pub fn verify(&self, token: &str) -> Result<Map<String, Value>, VerifyError> {
        self.cognito.verify(token)
    }

    /// The mail that was sent.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// What was asked of the services through the clients handed out here, and what is to go wrong.
    pub fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// Removes the items whose time to live is over at `now`, and says how many they were.
    pub fn sweep_ttl(&self) -> Result<usize, TablesError> {
        self.tables.sweep()
    }
}

async fn ended(mut stopped: watch::Receiver<()>) {
    // An error is the sender's end, which is what is waited for.
    while stopped.changed().await.is_ok() {}
}

/// Listens on `port`, or on the one of the last start if that is free, or on any.
async fn listen(name: &'static str, port: u16, kept: &Kept) -> Result<(TcpListener, String), StartError> {
    let failed = |source| StartError::Io { what: format!("cannot listen on port {port} of loopback"), source };
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let change = kept.change()?;
    let last = change.get::<u16>("port", name)?.filter(|_| port == 0);
    drop(change);
    let listener = match last {
        Some(last) => match bind(last).await {
            Ok(listener) => listener,
            Err(_) => bind(0).await.map_err(failed)?,
        },
        None => bind(port).await.map_err(failed)?,
    };
    let address = listener.local_addr().map_err(failed)?;
    let change = kept.change()?;
    change.put("port", name, &address.port())?;
    change.commit()?;
    Ok((listener, format!("http://{address}")))
}
