//! The whole portal in one process: services, functions, gateway, stream, schedules.

mod error;
mod options;

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use local_services::{Mailbox, Ports, Services, StartError as ServicesError, Template};
use shared::clock::Clock;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    folder::Folder,
    functions::Functions,
    gateway::{Gateway, Setting},
    pages,
    parts::Parts,
    schedule::Schedule,
    seed::{self, Owner},
    stream::{Mapping, Pump, Source},
    time::Time,
    topic::Topic,
};
pub use error::StartError;
pub use options::{OWNER_EMAIL, Options, OwnerOptions};

/// How long those who look at the mail wait for what is on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(3);
/// How long an end waits for what is under way.
const ENDING: Duration = Duration::from_secs(10);
/// How many mails that an earlier process left unsent a start sends.
const LEFT_UNSENT: u16 = 500;

/// A portal that runs. Everything that it holds is its own: several run beside each other in one process.
pub struct Portal {
    address: SocketAddr,
    owner: Option<Owner>,
    folder: Option<Arc<Folder>>,
    services: Arc<Services>,
    time: Arc<Time>,
    mail: SentMail,
    /// Ends what takes work on, and then what deals with what is left.
    stop: [watch::Sender<bool>; 2],
    tasks: [Vec<JoinHandle<()>>; 2],
    idle: mpsc::Receiver<Infallible>,
}

/// The mail that was sent, once what is on its way has arrived.
#[derive(Clone)]
pub struct SentMail {
    mailbox: Mailbox,
    pump: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

impl SentMail {
    /// Waits until the mail of everything done so far is in the mailbox, or sending it takes too long.
    pub async fn arrived(&self) -> &Mailbox {
        let (told, tells) = oneshot::channel();
        if self.pump.send(told).is_ok() {
            let _ = timeout(ON_ITS_WAY, tells).await;
        }
        &self.mailbox
    }
}

impl Portal {
    /// Starts a portal. It answers requests when this is done.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { port, data, owner, clock, recording } = options;
        let listener = listen(port).await?;
        let address = listener.local_addr().map_err(|error| refused(port, &error))?;
        let folder = data.as_deref().map(Folder::open).transpose()?.map(Arc::new);
        let time = Arc::new(Time::resumed(clock.clone(), folder.clone())?);
        let data = folder.as_ref().map(|folder| folder.path().to_owned());
        let services = Arc::new(services(data, &clock, Ports::default(), recording).await?);

        let template = Template::deployed()?;
        let parts = Parts::new(&services, &format!("http://{address}"), &clock);
        let functions = Functions::new(&parts);
        let mapping = mapping(template, &services)?;
        let schedules = Schedule::declared(template, &functions)?;
        let (stop, stop_last) = (watch::Sender::new(false), watch::Sender::new(false));
        let (written, (busy, idle)) = (Arc::new(Notify::new()), mpsc::channel(1));
        let gateway = Arc::new(Gateway::open(
            template,
            Setting {
                functions: functions.routers.clone(),
                services: services.clone(),
                clock: clock.clone(),
                random: parts.random.clone(),
                domain: address.to_string(),
                written: written.clone(),
                busy,
            },
        )?);

        // From here on, so that the mail of what follows is sent like any other.
        let source = Source::latest(services.dynamodb_streams(), services.mail_table(), services.region()).await?;
        seed::lay_foundation(&functions).await?;
        let owner = match owner {
            Some(OwnerOptions { email, password }) => {
                Some(seed::ensure_owner(&parts, folder.as_deref(), &email, password.as_deref()).await?)
            }
            None => None,
        };
        send_what_was_left(&parts).await;
        for schedule in &schedules {
            schedule.start(&services).await;
        }

        let (pump, waiting) = mpsc::unbounded_channel();
        let mail = SentMail { mailbox: services.mailbox().clone(), pump };
        let local = pages::Local {
            mail: mail.clone(),
            topic: Topic { function: functions.mail_feedback.clone(), clock: clock.clone() },
            scheduled: functions.scheduled.clone(),
            time: time.clone(),
        };
        let router = pages::router(local, gateway);
        let function = functions.deliver_mail;
        let pump = Pump { mapping, source, function, written, waiting, stop: stop_last.subscribe() };
        let mut tasks = vec![tokio::spawn(serve(listener, router, stop.subscribe()))];
        for schedule in schedules {
            let kept = schedule.keep(services.clone(), clock.clone(), time.moved(), stop.subscribe());
            tasks.push(tokio::spawn(kept));
        }
        let (stop, tasks) = ([stop, stop_last], [tasks, vec![tokio::spawn(pump.run())]]);
        Ok(Self { address, owner, folder, services, time, mail, stop, tasks, idle })
    }

    /// Its address, `http://127.0.0.1:…`, without a slash at its end.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The API Owner whom it started with.
    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// The folder that keeps everything; memory without one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref().map(Folder::path)
    }

    /// The services that it runs on.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The mail that was sent.
    pub fn mail(&self) -> &SentMail {
        &self.mail
    }

    /// The clock, and the way to move it.
    pub fn time(&self) -> &Time {
        &self.time
    }

    /// Ends it: takes no more requests, finishes those that it has, sends the mail of what they did.
    pub async fn shutdown(mut self) {
        let [first, last] = std::mem::take(&mut self.tasks);
        let [stop_first, stop_last] = &self.stop;
        let ended = timeout(ENDING, async {
            stop_first.send_replace(true);
            join(first).await;
            // Nobody sends: what is waited for is the end of the last function that runs.
            let _ = self.idle.recv().await;
            stop_last.send_replace(true);
            join(last).await;
        });
        if ended.await.is_err() {
            tracing::warn!("something was still under way and was cut off");
        }
    }
}

async fn join(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        // A task that panicked has ended, too.
        let _ = task.await;
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        for task in self.tasks.iter().flatten() {
            task.abort();
        }
    }
}

/// Starts the services, in the folder or in memory.
pub(crate) async fn services(
    data: Option<PathBuf>,
    clock: &Clock,
    ports: Ports,
    recording: bool,
) -> Result<Services, ServicesError> {
    let clock = clock.clone();
    let now = Arc::new(move || clock.now());
    Services::start(local_services::Options { data, now, ports, recording }).await
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| refused(port, &error))
}

fn refused(port: u16, error: &std::io::Error) -> StartError {
    let reason = match error.kind() {
        std::io::ErrorKind::AddrInUse => "something else is listening there".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it takes more rights than you have".to_owned(),
        _ => error.to_string(),
    };
    StartError::Port { port, reason }
}

/// The one mapping that the template has: of the mail table to the function that sends.
fn mapping(template: &Template, services: &Services) -> Result<Mapping, StartError> {
    let mut mappings = Mapping::declared(template)?;
    let foreign = mappings.iter().find(|it| it.table != services.mail_table() || it.function != "deliver-mail");
    match foreign.cloned().or_else(|| mappings.get(1).cloned()) {
        Some(Mapping { table, function, .. }) => Err(StartError::UnknownMapping { table, function }),
        None => mappings.pop().ok_or_else(|| {
            let (table, function) = (services.mail_table().to_owned(), "nothing".to_owned());
            StartError::UnknownMapping { table, function }
        }),
    }
}

/// Sends what a process before this one queued and did not send: the stream is read from its end on.
async fn send_what_was_left(parts: &Parts) {
    let now = parts.clock.now();
    match parts.mailer.deliver_unsent(now, LEFT_UNSENT, now).await {
        Ok((_, failures)) => {
            for error in failures {
                tracing::error!(%error, "a mail could not be sent");
            }
        }
        Err(error) => tracing::error!(%error, "unsent mail cannot be listed"),
    }
}

async fn serve(listener: TcpListener, router: axum::Router, mut stop: watch::Receiver<bool>) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the portal stopped answering");
    }
}
