//! `ebbtide up`: everything on this machine, from documents to replicas, until told to stop.

mod keda;
mod limits;
mod services;
mod sources;
mod watch;

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ebbtide_core::name::RevisionName;
use ebbtide_ingress::{Ingress, IngressOptions, WaitingRoom};
use ebbtide_runtime::{LogStore, Runtime, RuntimeOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch::channel as watch_channel;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use self::services::{Addresses, Listeners};
use self::sources::{Meters, ReplicaLogs};
use super::arguments::{UpArguments, settings};
use super::failure::warn_of_unmentioned;
use crate::api::{ApiOptions, Sources};
use crate::clock::SystemClock;
use crate::control::{Command, Control, ControlError, ControlOptions, ControlTask, Inbox, Origin};
use crate::documents::{self, Documents, EXAMPLE_NAME, Texts};
use crate::keda::{ExternalScaler, ScaledObjects};

/// Revisions whose activation may wait to be taken in; more are seen at the next tick.
const ACTIVATIONS: usize = 1024;

/// Replica events that may wait to be taken in.
const REPLICA_EVENTS: usize = 1024;

/// Lines kept of each replica.
const LOG_LINES: usize = 2000;

/// Time for requests in flight when Ebbtide is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// Documents that are not valid, an address in use, or whatever else keeps it from starting.
pub(super) fn run(arguments: UpArguments) -> anyhow::Result<()> {
    crate::log::init(arguments.log_format)?;
    limits::raise_open_files();
    let set = settings(&arguments.set);
    let texts = match arguments.files.as_slice() {
        [] => documents::example(),
        files => documents::read(files)?,
    };
    warn_of_unmentioned(&texts, &set);
    let documents = documents::parse(&texts, &set)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(arguments, Followed { set, texts }, documents))
}

/// The documents as they were read first.
struct Followed {
    set: BTreeMap<String, String>,
    texts: Texts,
}

async fn serve(
    arguments: UpArguments,
    followed: Followed,
    documents: Documents,
) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let listeners = Listeners::bind(&arguments).await?;
    let addresses = listeners.addresses()?;
    let (ingress, activations, clock) = start_ingress(&arguments)?;
    let (control, task, logs) = start_control(
        &arguments,
        &ingress,
        activations,
        Arc::clone(&clock),
        addresses.status,
    )
    .await?;
    let (stop_control, control_stopped) = oneshot::channel();
    let (stop_services, services_stopped) = watch_channel(false);
    let mut control_task = JoinSet::new();
    control_task.spawn(task.run(control_stopped));
    let mut services = JoinSet::new();
    let sources = sources(control.clone(), logs, clock);
    let options = ApiOptions {
        allowed_hosts: arguments.allow_host.clone(),
    };
    listeners.serve(&mut services, sources, options, &services_stopped);
    let origin = Origin::Files;
    let apply = |reply| Command::Apply {
        documents,
        origin,
        reply,
    };
    let outcome = match control.ask(apply).await {
        Ok(results) => {
            watch::warn(&results);
            announce(&control, ingress.local_address(), addresses, &arguments);
            let Followed { set, texts } = followed;
            let files = arguments.files;
            services.spawn(watch::follow(files, set, texts, control, services_stopped));
            until_told(&mut signals, &mut control_task).await
        }
        Err(ControlError::InvalidDocument(invalid)) => Err(anyhow!(invalid)),
        Err(error) => Err(anyhow!(error)),
    };
    // Held requests are still served while the ingress drains, so the control task ends after it.
    let stopping = async {
        ingress.shutdown(DRAIN).await;
        // An error means that it has ended already.
        let _ = stop_control.send(());
        while control_task.join_next().await.is_some() {}
        stop_services.send_replace(true);
        while services.join_next().await.is_some() {}
    };
    tokio::select! {
        () = stopping => outcome,
        () = signals.recv() => {
            Err(anyhow!("told to stop twice: requests and replicas were cut off"))
        }
    }
}

fn sources(control: Control, logs: Arc<LogStore>, clock: Arc<SystemClock>) -> Sources {
    let scaled_objects = ScaledObjects::new(Arc::clone(&clock));
    Sources {
        logs: Arc::new(ReplicaLogs { store: logs, clock }),
        meters: Arc::new(Meters(control.clone())),
        scaler: ExternalScaler::new(control.clone(), scaled_objects),
        control,
    }
}

/// Waits for a signal.
///
/// # Errors
/// When the control task ends before: without it nothing starts, stops or recovers any more.
async fn until_told(signals: &mut Signals, control_task: &mut JoinSet<()>) -> anyhow::Result<()> {
    tokio::select! {
        () = signals.recv() => {
            tracing::info!("stopping; requests in flight have {} s", DRAIN.as_secs());
            Ok(())
        }
        Some(_) = control_task.join_next() => {
            Err(anyhow!("the control task has failed; see the log above"))
        }
    }
}

type Activations = mpsc::Receiver<RevisionName>;

fn start_ingress(
    arguments: &UpArguments,
) -> anyhow::Result<(Ingress, Activations, Arc<SystemClock>)> {
    let clock = Arc::new(SystemClock::start());
    let (activated, activations) = mpsc::channel(ACTIVATIONS);
    let mut options = IngressOptions::new(arguments.listen, Arc::clone(&clock) as _);
    options.workers = workers(arguments);
    options.waiting_room = WaitingRoom {
        requests: arguments.waiting_requests.get(),
        timeout: arguments.waiting_timeout,
    };
    let ingress = Ingress::start(options, activated)
        .map_err(|error| anyhow!("{error}; choose another address with --listen"))?;
    Ok((ingress, activations, clock))
}

fn workers(arguments: &UpArguments) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().ok();
    arguments
        .workers
        .or_else(cores)
        .unwrap_or(NonZeroUsize::MIN)
}

async fn start_control(
    arguments: &UpArguments,
    ingress: &Ingress,
    activations: Activations,
    clock: Arc<SystemClock>,
    status: SocketAddr,
) -> anyhow::Result<(Control, ControlTask, Arc<LogStore>)> {
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    let (replica_events, replicas) = mpsc::channel(REPLICA_EVENTS);
    let options = RuntimeOptions {
        program: program.clone(),
        log_lines_per_replica: LOG_LINES,
        clock: Arc::clone(&clock) as _,
    };
    let runtime = Runtime::start(options, replica_events).await?;
    let logs = runtime.logs();
    let options = ControlOptions {
        clock,
        workers: workers(arguments),
        ingress_port: ingress.local_address().port(),
        status_url: format!("http://{status}/"),
        program,
        // Differs from one process to the next: the standard library seeds its hashers so.
        seed: RandomState::new().hash_one(status),
    };
    let inbox = Inbox {
        activations,
        replicas,
    };
    let (task, control) = ControlTask::new(options, runtime, ingress.publisher(), inbox);
    Ok((control, task, logs))
}

/// Says where everything is. A closed standard output is not an error.
fn announce(control: &Control, ingress: SocketAddr, addresses: Addresses, arguments: &UpArguments) {
    let mut rows = Vec::new();
    for app in &control.published().apps {
        rows.push((
            app.name.clone(),
            app.url.clone().unwrap_or_else(|| "no ingress".to_owned()),
        ));
    }
    let Addresses { status, keda } = addresses;
    rows.push(("live page".to_owned(), format!("http://{status}/")));
    rows.extend(keda.map(|address| ("KEDA".to_owned(), format!("{address} (external scaler)"))));
    if arguments.files.is_empty() {
        rows.push(("example".to_owned(), format!("{EXAMPLE_NAME} (bundled)")));
    }
    let rows = rows
        .iter()
        .map(|(name, what)| format!("  {name:<12}{what}"));
    let rows = rows.collect::<Vec<_>>().join("\n");
    let version = env!("CARGO_PKG_VERSION");
    let mut stdout = std::io::stdout().lock();
    let text = format!(
        "Ebbtide {version}\n\n{rows}\n\nListening on {ingress}. Ctrl-C drains and stops.\n"
    );
    drop(stdout.write_all(text.as_bytes()));
    drop(stdout.flush());
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            interrupt,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for either.
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
