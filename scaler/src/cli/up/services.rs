//! The services beside the ingress: the status API, and KEDA's.

use std::io;
use std::net::SocketAddr;

use anyhow::anyhow;
use tokio::net::TcpListener;
use tokio::sync::watch::Receiver as Flag;
use tokio::task::JoinSet;

use super::super::arguments::UpArguments;
use super::keda;
use crate::api::{self, ApiOptions, Sources};

/// Where the services take connections.
pub(super) struct Listeners {
    status: TcpListener,
    keda: Option<keda::Listening>,
}

/// The addresses of the services.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    /// The status API.
    pub(super) status: SocketAddr,
    /// The KEDA service, if it is on.
    pub(super) keda: Option<SocketAddr>,
}

/// A listener for the status API.
///
/// # Errors
/// When the address is not one of loopback, or cannot be listened on.
async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "--status-listen {address} can be reached from elsewhere, and whoever reaches the status API \
         can start processes, since it has no authentication yet; give an address of loopback, such \
         as 127.0.0.1:8081 (ssh -L forwards it)"
    );
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => anyhow!(
                "{address} is in use, so the status API cannot listen there; stop what uses it, or \
             choose another address with --status-listen"
            ),
            _ => {
                anyhow!("cannot listen on {address} for the status API (--status-listen): {error}")
            }
        })
}

impl Listeners {
    /// Listens where the arguments say.
    ///
    /// # Errors
    /// The address that cannot be listened on, and the argument for another one.
    pub(super) async fn bind(arguments: &UpArguments) -> anyhow::Result<Self> {
        Ok(Self {
            status: listen(arguments.status_listen).await?,
            keda: keda::listen(&arguments.keda).await?,
        })
    }

    /// Where they listen.
    ///
    /// # Errors
    /// When the system does not say.
    pub(super) fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            status: self.status.local_addr()?,
            keda: self.keda.as_ref().map(|keda| keda.address),
        })
    }

    /// Serves until `stopped`.
    pub(super) fn serve(
        self,
        services: &mut JoinSet<()>,
        sources: Sources,
        options: ApiOptions,
        stopped: &Flag<bool>,
    ) {
        let (until, scaler) = (until_true(stopped.clone()), sources.scaler.clone());
        services.spawn(async move {
            if let Err(error) = api::serve(self.status, sources, options, until).await {
                tracing::error!("the status API has ended: {error}");
            }
        });
        let Some(keda) = self.keda else {
            return;
        };
        let until = until_true(stopped.clone());
        services.spawn(async move {
            if let Err(error) = scaler.serve(keda.acceptor, until).await {
                tracing::error!("the KEDA service has ended: {error:#}");
            }
        });
    }
}

async fn until_true(mut flag: Flag<bool>) {
    // The sender lives until everything has stopped; without it there is nothing to wait for.
    drop(flag.wait_for(|stopped| *stopped).await);
}
