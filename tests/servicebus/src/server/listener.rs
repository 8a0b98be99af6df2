//! The socket, TLS and the connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::exchange::exchange;
use super::fault::{Faults, Faulty};
use super::shared::{Counters, Parts, Shared};
use crate::broker::Namespace;
use crate::clock::Clock;
use crate::sas::Policy;
use crate::tls::{Certificates, Show, Unmade};

/// The connections at one time; others wait to be accepted.
const CONNECTIONS: usize = 2048;
/// How long a client may take for a handshake, and for the head of a request.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before accepting again, where that failed for want of files.
const BREATH: Duration = Duration::from_millis(50);

/// What a stand-in is told.
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The name of the namespace, the first part of its host name.
    pub name: String,
    /// Who may do what.
    pub policies: Vec<Policy>,
    /// What there is at the start.
    pub namespace: Namespace,
    /// Whether an entity that is not there is answered with 404. The service itself answers with
    /// 200 and a feed of nothing.
    pub missing_is_404: bool,
    /// A fault from the start on.
    pub fault: Option<Faulty>,
    /// The certificate to show from the start on.
    pub certificate: Show,
    /// The time.
    pub clock: Clock,
}

/// Why a stand-in does not start.
#[derive(Debug, thiserror::Error)]
pub enum NoStart {
    /// The address cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// There are no certificates.
    #[error(transparent)]
    Certificates(#[from] Unmade),
}

/// A stand-in that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    certificates: Certificates,
    shared: Arc<Shared>,
}

impl Server {
    /// Makes the certificates and takes the address.
    pub async fn bind(options: Options) -> Result<Self, NoStart> {
        let no_start = |error| NoStart::Listen(options.listen, error);
        let listener = TcpListener::bind(options.listen).await.map_err(no_start)?;
        let address = listener.local_addr().map_err(no_start)?;
        let hosts = vec![
            format!("{}.servicebus.windows.net", options.name),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
        ];
        Ok(Self {
            listener,
            address,
            certificates: Certificates::new(&hosts)?,
            shared: Arc::new(Shared::new(Parts {
                name: options.name,
                hosts,
                policies: options.policies,
                missing_is_404: options.missing_is_404,
                clock: options.clock,
                faults: Faults::new(options.fault, options.certificate),
                namespace: options.namespace,
            })),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate for clients to trust, in PEM.
    pub fn authority(&self) -> &str {
        self.certificates.authority()
    }

    /// Serves until it is dropped.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = self.listener.accept().await else {
                sleep(BREATH).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            Counters::add(&self.shared.counters.connections);
            let config = self.certificates.config(self.shared.faults.shown());
            let shared = Arc::clone(&self.shared);
            connections.spawn(async move {
                serve(stream, TlsAcceptor::from(config), shared).await;
                drop(place);
            });
        }
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // A delay is worse than a packet more.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await else {
        return;
    };
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(exchange(&shared, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // A connection that breaks is the client's affair, or the fault that a test asked for.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}
