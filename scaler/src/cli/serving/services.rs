//! The services beside the ingress: the status API, health, KEDA's, and that of ingresses.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use anyhow::anyhow;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::super::arguments::StatusArguments;
use super::grpc::Listening;
use super::process::Process;
use crate::api::{self, ApiOptions, Sources};
use crate::stopping::told;
use crate::telemetry::{Receiver, Report};

/// Where the services take connections.
pub(in crate::cli) struct Listeners {
    status: TcpListener,
    health: Option<TcpListener>,
    /// KEDA's, if it is on.
    pub(in crate::cli) keda: Option<Listening>,
    /// That of ingresses, and where what they report goes.
    pub(in crate::cli) telemetry: Option<(Listening, mpsc::Sender<Report>)>,
}

/// The addresses of the services.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Addresses {
    /// The status API.
    pub(in crate::cli) status: SocketAddr,
    /// Health, if it has an address of its own.
    pub(in crate::cli) health: Option<SocketAddr>,
    /// The KEDA service, if it is on.
    pub(in crate::cli) keda: Option<SocketAddr>,
    /// The service of ingresses, if it is on.
    pub(in crate::cli) telemetry: Option<SocketAddr>,
}

impl Addresses {
    /// The status API's URL.
    pub(in crate::cli) fn status_url(&self) -> String {
        format!("http://{}/", self.status)
    }

    /// The addresses in words, for the announcement.
    pub(in crate::cli) fn rows(&self) -> Vec<(String, String)> {
        let row = |name: &str, what: String| (name.to_owned(), what);
        let mut rows = vec![row("live page", self.status_url())];
        let health = |address| row("health", format!("http://{address}/readyz"));
        rows.extend(self.health.map(health));
        let keda = |address| row("KEDA", format!("{address} (external scaler)"));
        rows.extend(self.keda.map(keda));
        let telemetry = |address| row("telemetry", format!("{address} (from ingresses)"));
        rows.extend(self.telemetry.map(telemetry));
        rows
    }
}

/// A listener for the status API.
///
/// # Errors
/// When the address is not one of loopback, or cannot be listened on.
async fn listen_for_status(address: SocketAddr) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "--status-listen {address} can be reached from elsewhere, and whoever reaches the status API \
         can start processes, since it has no authentication yet; give an address of loopback, such \
         as 127.0.0.1:8081 (ssh -L forwards it)"
    );
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "{address} is in use, so the status API cannot listen there; stop what uses it, or \
             choose another address with --status-listen"
        ),
        _ => {
            anyhow!("cannot listen on {address} for the status API (--status-listen): {error}")
        }
    })
}

async fn listen_for_health(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| {
        anyhow!("cannot listen on {address} for probes (--health-listen): {error}")
    })
}

impl Listeners {
    /// Listens where the arguments say; for KEDA and ingresses nowhere yet.
    ///
    /// # Errors
    /// The address that cannot be listened on, and the argument for another one.
    pub(in crate::cli) async fn bind(arguments: &StatusArguments) -> anyhow::Result<Self> {
        Ok(Self {
            status: listen_for_status(arguments.status_listen).await?,
            health: match arguments.health_listen {
                Some(address) => Some(listen_for_health(address).await?),
                None => None,
            },
            keda: None,
            telemetry: None,
        })
    }

    /// Where they listen.
    ///
    /// # Errors
    /// When the system does not say.
    pub(in crate::cli) fn addresses(&self) -> io::Result<Addresses> {
        let health = self.health.as_ref().map(TcpListener::local_addr);
        Ok(Addresses {
            status: self.status.local_addr()?,
            health: health.transpose()?,
            keda: self.keda.as_ref().map(|keda| keda.address),
            telemetry: self.telemetry.as_ref().map(|(one, _)| one.address),
        })
    }

    /// Serves until the process stops.
    pub(in crate::cli) fn serve(
        self,
        process: &mut Process,
        sources: Sources,
        options: ApiOptions,
    ) {
        if let Some(keda) = self.keda {
            let (scaler, until) = (sources.scaler.clone(), told(process.stopped()));
            process.services.spawn(async move {
                if let Err(error) = scaler.serve(keda.acceptor, until).await {
                    tracing::error!("the KEDA service has ended: {error:#}");
                }
            });
        }
        if let Some((telemetry, reports)) = self.telemetry {
            let (receiver, until) = (Receiver::new(reports), told(process.stopped()));
            process.services.spawn(async move {
                if let Err(error) = receiver.serve(telemetry.acceptor, until).await {
                    tracing::error!("the telemetry service has ended: {error:#}");
                }
            });
        }
        if let Some(health) = self.health {
            let (sources, until) = (sources.clone(), told(process.stopped()));
            process.services.spawn(async move {
                if let Err(error) = api::serve_health(health, sources, until).await {
                    tracing::error!("the service for probes has ended: {error}");
                }
            });
        }
        let until = told(process.stopped());
        process.services.spawn(async move {
            if let Err(error) = api::serve(self.status, sources, options, until).await {
                tracing::error!("the status API has ended: {error}");
            }
        });
    }
}
