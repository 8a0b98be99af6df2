//! `ebbtide ingress`: the front door of apps that something else runs, until told to stop.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ebbtide_runtime::endpoints::{Endpoints, follow_file, read_file};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::arguments::{EndpointSource, IngressArguments};
use super::serving::door::Door;
use super::serving::process::{Followed, Process};
use super::serving::services::{Addresses, Listeners};
use super::serving::sources::{NoLogs, sources};
use super::serving::{self, DRAIN, door};
use crate::clock::SystemClock;
use crate::control::{Control, ControlOptions, ControlTask, Inbox, Role, SignalOptions};
use crate::documents::{Documents, Texts};
use crate::keda::SourceBounds;
use crate::telemetry::{Reporter, ScalerAddress, ScalerTls};

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// Documents that are not valid, an address in use, or whatever else keeps it from starting.
pub(super) fn run(arguments: IngressArguments) -> anyhow::Result<()> {
    let runtime = serving::prepare(&arguments.status)?;
    anyhow::ensure!(
        !arguments.documents.files.is_empty(),
        "name the documents of the apps whose front door this is to be: ebbtide ingress FILE …"
    );
    let documents = Followed::read(&arguments.documents, Texts::new)?;
    runtime.block_on(serve(arguments, documents))
}

async fn serve(
    arguments: IngressArguments,
    documents: (Followed, Documents),
) -> anyhow::Result<()> {
    let listeners = Listeners::bind(&arguments.status).await?;
    let addresses = listeners.addresses()?;
    let (found, endpoints) = watch::channel(None);
    let mut discovery = discover(&arguments, found).await?;
    let clock = Arc::new(SystemClock::start());
    let Door {
        ingress,
        activations,
        observers,
        certificates,
        trust,
    } = door::start(&arguments.door, false, &clock)?;
    let reported = certificates.reports();
    let (listening, by_tls) = (ingress.local_address(), ingress.tls_address());
    let options = ControlOptions {
        clock: Arc::clone(&clock),
        workers: door::workers(&arguments.door),
        ingress_port: Some(listening.port()),
        status_url: addresses.status_url(),
        program: PathBuf::new(),
        seed: 0,
        signals: SignalOptions::default(),
    };
    let inbox = Inbox {
        activations,
        endpoints,
        ..Inbox::default()
    };
    let role = Role::Ingress {
        publisher: ingress.publisher(),
    };
    let (task, control) = ControlTask::new(options, role, inbox);
    let mut process = Process::start(task, control.clone())?;
    let stopped = process.stopped();
    certificates.follow(ingress.publisher(), &mut process.services, stopped.clone());
    observers.spawn(&mut process.services, &stopped);
    let (stop_reports, reports_stopped) = watch::channel(false);
    let mut reports = JoinSet::new();
    for reporter in reporters(&arguments, &control, &clock, listening) {
        reports.spawn(reporter.run(reports_stopped.clone()));
    }
    let options = arguments.status.api_options();
    let sources = sources(
        control,
        Some(ingress.limits()),
        Arc::new(NoLogs),
        clock,
        SourceBounds::default(),
        reported,
    );
    listeners.serve(&mut process, sources, options);
    let started = |control: &Control| {
        let https = by_tls.map(|address| trust.rows(address, control));
        let rows = https.unwrap_or_default();
        announce(control, listening, rows, &addresses, &arguments);
    };
    // The scaler hears of requests to the last one, and where replicas are matters as long.
    let drain = async {
        ingress.shutdown(DRAIN).await;
        stop_reports.send_replace(true);
        while reports.join_next().await.is_some() {}
        discovery.shutdown().await;
    };
    process.run(documents, started, drain).await
}

/// Follows where replicas are.
///
/// # Errors
/// When that cannot be found out.
async fn discover(
    arguments: &IngressArguments,
    found: watch::Sender<Option<Endpoints>>,
) -> anyhow::Result<JoinSet<()>> {
    let mut discovery = JoinSet::new();
    match &arguments.endpoints {
        EndpointSource::File(path) => {
            read_file(path).await?;
            discovery.spawn(follow_file(path.clone(), found));
        }
        EndpointSource::Kubernetes => follow_cluster(arguments, found, &mut discovery).await?,
    }
    Ok(discovery)
}

#[cfg(feature = "kubernetes")]
async fn follow_cluster(
    arguments: &IngressArguments,
    found: watch::Sender<Option<Endpoints>>,
    discovery: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let cluster = ebbtide_runtime::endpoints::Watch::new(arguments.namespace.clone()).await?;
    tracing::info!(
        "watching the EndpointSlices of namespace {}",
        cluster.namespace()
    );
    discovery.spawn(cluster.follow(found));
    Ok(())
}

#[cfg(not(feature = "kubernetes"))]
async fn follow_cluster(
    _arguments: &IngressArguments,
    _found: watch::Sender<Option<Endpoints>>,
    _discovery: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    anyhow::bail!("this ebbtide was built without kubernetes; name a file with --endpoints")
}

/// What reports to each of the scalers named.
fn reporters(
    arguments: &IngressArguments,
    control: &Control,
    clock: &Arc<SystemClock>,
    listening: SocketAddr,
) -> Vec<Reporter> {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    let name = arguments.name.clone();
    let tls = arguments.scaler_tls_ca.clone().map(|ca| ScalerTls {
        ca,
        identity: arguments
            .scaler_tls_certificate
            .clone()
            .zip(arguments.scaler_tls_key.clone()),
    });
    let ingress = name.unwrap_or_else(|| format!("{host}:{}", listening.port()));
    let (ingress, sequence) = (Arc::from(ingress), Arc::default());
    // Differs from one process to the next: the standard library seeds its hashers so.
    let run = RandomState::new().hash_one(listening);
    let to = |scaler: &ScalerAddress| Reporter {
        control: control.clone(),
        clock: Arc::clone(clock),
        ingress: Arc::clone(&ingress),
        run,
        scaler: scaler.clone(),
        tls: tls.clone(),
        sequence: Arc::clone(&sequence),
    };
    arguments.scaler.iter().map(to).collect()
}

/// Says where everything is.
fn announce(
    control: &Control,
    listening: SocketAddr,
    https: Vec<(String, String)>,
    addresses: &Addresses,
    arguments: &IngressArguments,
) {
    let mut rows = serving::urls(control);
    rows.extend(https);
    rows.extend(addresses.rows());
    let scalers = arguments.scaler.iter();
    rows.extend(scalers.map(|scaler| ("scaler".to_owned(), scaler.to_string())));
    serving::announce(&rows, listening);
}
