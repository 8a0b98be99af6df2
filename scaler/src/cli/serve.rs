//! `ebbtide serve`: decides for KEDA, by what ingresses report, until told to stop.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "kubernetes")]
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::arguments::{PodArguments, PodUsageFrom, ServeArguments};
#[cfg(feature = "kubernetes")]
use super::serving::pods;
use super::serving::process::{Followed, Process};
use super::serving::secrets::SecretStores;
use super::serving::services::{Addresses, Listeners};
use super::serving::sources::{NoLogs, sources};
use super::serving::{self, grpc};
use crate::certificates::no_reports;
use crate::clock::SystemClock;
use crate::control::{ControlOptions, ControlTask, Inbox, PodLink, Role, SignalOptions};
use crate::documents::{Documents, Texts};

/// Reports that may wait to be taken in; ingresses wait when there are more.
const REPORTS: usize = 64;

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// Documents that are not valid, an address in use, or whatever else keeps it from starting.
pub(super) fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    let runtime = serving::prepare(&arguments.status)?;
    let documents = Followed::read(&arguments.documents, Texts::new)?;
    runtime.block_on(serve(arguments, documents))
}

async fn serve(arguments: ServeArguments, documents: (Followed, Documents)) -> anyhow::Result<()> {
    let mut listeners = Listeners::bind(&arguments.status).await?;
    listeners.keda = grpc::listen_for_keda(&arguments.keda, false).await?;
    let (reports_in, reports) = mpsc::channel(REPORTS);
    let telemetry = grpc::listen_for_ingresses(&arguments.telemetry).await?;
    listeners.telemetry = Some((telemetry, reports_in));
    let addresses = listeners.addresses()?;
    let clock = Arc::new(SystemClock::start());
    let secrets = SecretStores::open(arguments.documents.secrets.as_deref())?;
    let options = ControlOptions {
        clock: Arc::clone(&clock),
        workers: NonZeroUsize::MIN,
        ingress_port: None,
        status_url: addresses.status_url(),
        program: PathBuf::new(),
        seed: 0,
        signals: SignalOptions {
            secrets: secrets.stores.clone(),
            reach: Arc::new(arguments.keda.bounds().reach),
        },
    };
    let (pods, reading) = read_pods(&arguments.pods, &clock).await?;
    let inbox = Inbox {
        reports,
        pods,
        ..Inbox::default()
    };
    let (task, control) = ControlTask::new(options, Role::Scaler, inbox);
    let mut process = Process::start(task, control.clone())?;
    let stopped = process.stopped();
    secrets.follow(&mut process.services, stopped);
    if let Some(reading) = reading {
        process.services.spawn(reading);
    }
    let options = arguments.status.api_options();
    let bounds = arguments.keda.bounds();
    let sources = sources(control, None, Arc::new(NoLogs), clock, bounds, no_reports());
    listeners.serve(&mut process, sources, options);
    let started = |_: &_| announce(&addresses);
    process.run(documents, started, async {}).await
}

/// What reads the use of pods, and the way to it.
type PodReading = (Option<PodLink>, Option<BoxFuture<'static, ()>>);

/// Has it read what pods use, if that is asked for.
///
/// # Errors
/// When no cluster is configured.
#[cfg(feature = "kubernetes")]
async fn read_pods(
    arguments: &PodArguments,
    clock: &Arc<SystemClock>,
) -> anyhow::Result<PodReading> {
    use ebbtide_signals::{PodUsageReader, UsageSource};

    let source = match arguments.pod_usage {
        PodUsageFrom::Off => return Ok((None, None)),
        PodUsageFrom::MetricsServer => UsageSource::MetricsServer,
        PodUsageFrom::Kubelet => UsageSource::Kubelet,
    };
    let reader = PodUsageReader::connect(source).await?;
    let namespace = arguments.namespace.clone();
    let namespace = namespace.unwrap_or_else(|| reader.namespace().to_owned());
    let (link, reading) = pods::link(reader, namespace, Arc::clone(clock));
    Ok((Some(link), Some(reading.boxed())))
}

#[cfg(not(feature = "kubernetes"))]
fn read_pods(
    arguments: &PodArguments,
    _clock: &Arc<SystemClock>,
) -> impl Future<Output = anyhow::Result<PodReading>> {
    let off = arguments.pod_usage == PodUsageFrom::Off;
    std::future::ready(if off {
        Ok((None, None))
    } else {
        Err(anyhow::anyhow!(
            "this ebbtide was built without kubernetes; leave out --pod-usage"
        ))
    })
}

/// Says where everything is.
fn announce(addresses: &Addresses) {
    let listening = addresses.keda.or(addresses.telemetry);
    serving::announce(&addresses.rows(), listening.unwrap_or(addresses.status));
}
