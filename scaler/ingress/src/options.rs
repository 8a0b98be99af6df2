//! What an ingress is started with, and why it may not start.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::network::Network;
use ebbtide_core::time::Clock;
use thiserror::Error;

use crate::access_log::AccessLog;
use crate::affinity::AffinityKey;
use crate::challenges::Challenges;
use crate::limits::Limits;
use crate::share::Share;
use crate::spans::Spans;
use crate::tls::TlsOptions;

/// What an [`Ingress`](crate::Ingress) is started with.
#[derive(Clone)]
pub struct IngressOptions {
    /// Where to listen. Port 0 takes a free one;
    /// [`Ingress::local_address`](crate::Ingress::local_address) says which.
    pub listen: SocketAddr,
    /// Where HTTPS is taken too, if it is.
    pub tls: Option<TlsOptions>,
    /// Whether to listen where another process of this user's does, to take its place: connections come to
    /// either then, and here only once there is a table.
    pub takes_over: bool,
    /// How many workers, each a thread. The meters in the table must have been made for as many.
    pub workers: NonZeroUsize,
    /// How requests are held while a revision has no replica.
    pub waiting_room: WaitingRoom,
    /// Proxies in front: what they say of who is behind them goes on to the apps, and the limit of
    /// connections of one client is not for them.
    pub trusted_proxies: Vec<Network>,
    /// Proxies whose connections begin with the PROXY protocol: who it names is the client. Others' may not.
    pub proxy_protocol: Vec<Network>,
    /// What one client may ask.
    pub limits: Limits,
    /// What the cookies of sessions are signed with. Without it there are no sessions.
    pub affinity: Option<AffinityKey>,
    /// How long connections without a request are kept once the ingress drains: a request may be on
    /// its way on them. It is answered, with `Connection: close`.
    pub linger: Duration,
    /// Of the traces that begin here, how many are said to be sampled.
    pub sampled_traces: Share,
    /// Where each request is told of once it has ended.
    pub access_log: Option<AccessLog>,
    /// Where the spans of requests go whose trace is sampled.
    pub spans: Option<Spans>,
    /// Proofs for whoever issues certificates for hosts of the table, if they are asked for.
    pub challenges: Option<Arc<Challenges>>,
    /// The clock that requests are timed with.
    pub clock: Arc<dyn Clock>,
}

impl IngressOptions {
    /// Whether `address` is a proxy's that is trusted.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        has(&self.trusted_proxies, address)
    }

    /// Whether connections from `address` begin with the PROXY protocol.
    pub(crate) fn expects_proxy_protocol(&self, address: IpAddr) -> bool {
        has(&self.proxy_protocol, address)
    }

    /// Options with the documented defaults: one worker per core, a waiting room of 10,000 requests,
    /// 32 MiB and 240 s, 30 s for the head of a request, 200 ms of lingering,
    /// a key of its own for sessions, and no TLS.
    pub fn new(listen: SocketAddr, clock: Arc<dyn Clock>) -> Self {
        Self {
            listen,
            tls: None,
            takes_over: false,
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            waiting_room: WaitingRoom::default(),
            trusted_proxies: Vec::new(),
            proxy_protocol: Vec::new(),
            limits: Limits::default(),
            affinity: AffinityKey::random(),
            linger: Duration::from_millis(200),
            sampled_traces: Share::ALL,
            access_log: None,
            spans: None,
            challenges: None,
            clock,
        }
    }
}

fn has(networks: &[Network], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(address))
}

/// Bounds of the waiting room; each revision has one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRoom {
    /// How many requests may wait for one revision. Further ones are answered 503.
    pub requests: u32,
    /// How many bytes the heads of those requests may take; bodies are not read meanwhile. Further
    /// ones are answered 503.
    pub bytes: usize,
    /// How long a request may wait before it is answered 503.
    pub timeout: Duration,
}

impl Default for WaitingRoom {
    fn default() -> Self {
        Self {
            requests: 10_000,
            bytes: 32 << 20,
            timeout: Duration::from_secs(240),
        }
    }
}

/// Why an ingress did not start. Nothing of it is left behind.
#[derive(Debug, Error)]
pub enum StartError {
    /// Another process, or another ingress, listens there.
    #[error("{address} is in use")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("cannot set TLS up: {0}")]
    Tls(#[source] tokio_rustls::rustls::Error),
    /// A worker could not be started.
    #[error("cannot start an ingress worker: {0}")]
    Worker(#[source] io::Error),
}
