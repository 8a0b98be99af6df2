//! Opens connections and owns the tasks that drive them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::outcome::{Failure, FailureKind};

/// Opens connections to the one address of the run. Dropping it ends them all.
pub(super) struct Dialer {
    address: SocketAddr,
    opened: AtomicU64,
    drivers: Mutex<JoinSet<()>>,
}

impl Dialer {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            opened: AtomicU64::new(0),
            drivers: Mutex::default(),
        }
    }

    pub(super) async fn connect(&self) -> Result<TokioIo<TcpStream>, Failure> {
        let connected = TcpStream::connect(self.address)
            .await
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = connected.map_err(|error| Failure::new(FailureKind::Connect, &error))?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(TokioIo::new(stream))
    }

    /// Drives a connection until it closes. What goes wrong with it is told to its requests.
    pub(super) fn drive(
        &self,
        connection: impl Future<Output = Result<(), hyper::Error>> + Send + 'static,
    ) {
        let mut drivers = self.drivers.lock().unwrap_or_else(PoisonError::into_inner);
        while drivers.try_join_next().is_some() {}
        drivers.spawn(async {
            let _ = connection.await;
        });
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}
