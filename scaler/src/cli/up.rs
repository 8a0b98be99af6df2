//! `ebbtide up`: everything on this machine, from documents to replicas, until told to stop.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use ebbtide_core::name::RevisionName;
use ebbtide_ingress::Ingress;
use ebbtide_runtime::{LogStore, Runtime, RuntimeOptions};
use ebbtide_signals::SecretStore;
use tokio::sync::mpsc;

use super::arguments::UpArguments;
use super::serving::door::Door;
use super::serving::process::{Followed, Process};
use super::serving::secrets::SecretStores;
use super::serving::services::{Addresses, Listeners};
use super::serving::sources::{ReplicaLogs, sources};
use super::serving::{self, DRAIN, door, grpc};
use crate::clock::SystemClock;
use crate::control::{Control, ControlOptions, ControlTask, Inbox, Role, SignalOptions};
use crate::documents::{self, Documents, EXAMPLE_NAME};

/// Replica events that may wait to be taken in.
const REPLICA_EVENTS: usize = 1024;

/// Lines kept of each replica.
const LOG_LINES: usize = 2000;

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// Documents that are not valid, an address in use, or whatever else keeps it from starting.
pub(super) fn run(arguments: UpArguments) -> anyhow::Result<()> {
    let runtime = serving::prepare(&arguments.status)?;
    let documents = Followed::read(&arguments.documents, documents::example)?;
    runtime.block_on(serve(arguments, documents))
}

async fn serve(arguments: UpArguments, documents: (Followed, Documents)) -> anyhow::Result<()> {
    let mut listeners = Listeners::bind(&arguments.status).await?;
    listeners.keda = grpc::listen_for_keda(&arguments.keda, true).await?;
    let addresses = listeners.addresses()?;
    let clock = Arc::new(SystemClock::start());
    let Door {
        ingress,
        activations,
        observers,
        certificates,
        trust,
    } = door::start(&arguments.door, true, &clock)?;
    let reports = certificates.reports();
    let door = (&ingress, activations);
    let secrets = SecretStores::open(arguments.documents.secrets.as_deref())?;
    let stores = secrets.stores.clone();
    let (control, task, logs) =
        start_control(&arguments, door, Arc::clone(&clock), &addresses, stores).await?;
    let mut process = Process::start(task, control.clone())?;
    let stopped = process.stopped();
    secrets.follow(&mut process.services, stopped.clone());
    certificates.follow(ingress.publisher(), &mut process.services, stopped.clone());
    observers.spawn(&mut process.services, &stopped);
    let logs = ReplicaLogs {
        store: logs,
        clock: Arc::clone(&clock),
    };
    let options = arguments.status.api_options();
    let bounds = arguments.keda.bounds();
    let sources = sources(
        control,
        Some(ingress.limits()),
        Arc::new(logs),
        clock,
        bounds,
        reports,
    );
    listeners.serve(&mut process, sources, options);
    let is_example = arguments.documents.files.is_empty();
    let (listening, by_tls) = (ingress.local_address(), ingress.tls_address());
    let started = |control: &Control| {
        let https = by_tls.map(|address| trust.rows(address, control));
        let rows = https.unwrap_or_default();
        announce(control, listening, rows, &addresses, is_example);
    };
    process
        .run(documents, started, ingress.shutdown(DRAIN))
        .await
}

async fn start_control(
    arguments: &UpArguments,
    (ingress, activations): (&Ingress, mpsc::Receiver<RevisionName>),
    clock: Arc<SystemClock>,
    addresses: &Addresses,
    secrets: Vec<Arc<dyn SecretStore>>,
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
        workers: door::workers(&arguments.door),
        ingress_port: Some(ingress.local_address().port()),
        status_url: addresses.status_url(),
        program,
        // Differs from one process to the next: the standard library seeds its hashers so.
        seed: RandomState::new().hash_one(addresses.status),
        signals: SignalOptions {
            secrets,
            reach: Arc::new(arguments.keda.bounds().reach),
        },
    };
    let inbox = Inbox {
        activations,
        replicas,
        ..Inbox::default()
    };
    let role = Role::Machine {
        runtime,
        publisher: ingress.publisher(),
    };
    let (task, control) = ControlTask::new(options, role, inbox);
    Ok((control, task, logs))
}

/// Says where everything is.
fn announce(
    control: &Control,
    ingress: SocketAddr,
    https: Vec<(String, String)>,
    addresses: &Addresses,
    is_example: bool,
) {
    let mut rows = serving::urls(control);
    rows.extend(https);
    rows.extend(addresses.rows());
    if is_example {
        let what = format!("{EXAMPLE_NAME} (bundled)");
        rows.push(("example".to_owned(), what));
    }
    serving::announce(&rows, ingress);
}
