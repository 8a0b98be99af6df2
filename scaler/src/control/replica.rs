//! A replica as the control task sees it: where it is in its life, and what it answers with.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;
use ebbtide_ingress::{Replica, UpstreamProtocol};
use ebbtide_runtime::ReplicaEventKind;
use ebbtide_signals::Usage;

/// Where a replica is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplicaState {
    /// Started, not ready yet.
    Starting,
    /// May get requests.
    Ready,
    /// Was ready; its readiness probe fails.
    NotReady,
    /// Its process ended; it is started again after a while.
    Backoff,
    /// Gets no new requests and finishes those it has.
    Draining,
    /// Told to stop.
    Stopping,
}

impl ReplicaState {
    /// The state's name in the status API.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::NotReady => "notReady",
            Self::Backoff => "backoff",
            Self::Draining | Self::Stopping => "draining",
        }
    }
}

/// A replica and what is known of it.
pub(super) struct ReplicaControl {
    /// Its name.
    pub(super) name: ReplicaName,
    /// Where it is in its life.
    pub(super) state: ReplicaState,
    /// The generation of its revision when it was started.
    pub(super) generation: u64,
    /// How the ingress speaks to it.
    protocol: UpstreamProtocol,
    /// When it was started.
    pub(super) started: Timestamp,
    /// When it first became ready.
    pub(super) first_ready: Option<Timestamp>,
    /// The process of its first container.
    pub(super) pid: Option<u32>,
    /// Its port on 127.0.0.1.
    pub(super) port: Option<u16>,
    /// How often it was started again.
    pub(super) restarts: u32,
    /// Why it is not ready.
    pub(super) because: Option<String>,
    /// What its process tree uses.
    pub(super) usage: Option<Usage>,
    /// What the ingress forwards to; there from the first time it has a port.
    pub(super) endpoint: Option<Arc<Replica>>,
}

impl ReplicaControl {
    /// A replica that was just started.
    pub(super) fn starting(
        name: ReplicaName,
        generation: u64,
        protocol: UpstreamProtocol,
        now: Timestamp,
    ) -> Self {
        Self {
            name,
            state: ReplicaState::Starting,
            generation,
            protocol,
            started: now,
            first_ready: None,
            pid: None,
            port: None,
            restarts: 0,
            because: None,
            usage: None,
            endpoint: None,
        }
    }

    /// Whether it counts as one of the replicas decided: it has not been told to go.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.state, ReplicaState::Draining | ReplicaState::Stopping)
    }

    /// Whether it may get requests.
    pub(super) fn is_ready(&self) -> bool {
        self.state == ReplicaState::Ready
    }

    /// Takes in what the runtime says of it. Once it is going, only its end matters.
    pub(super) fn observe(&mut self, kind: &ReplicaEventKind, at: Timestamp) {
        let going = !self.is_live();
        match kind {
            ReplicaEventKind::Started { pid, port } => {
                self.pid = Some(*pid);
                self.started_on(*port);
            }
            ReplicaEventKind::Stopped => self.pid = None,
            _ if going => {}
            ReplicaEventKind::Ready => {
                self.state = ReplicaState::Ready;
                self.because = None;
                self.first_ready.get_or_insert(at);
            }
            ReplicaEventKind::NotReady { because } => {
                self.state = ReplicaState::NotReady;
                self.because = Some(because.clone());
            }
            ReplicaEventKind::Backoff {
                because, restarts, ..
            } => {
                self.state = ReplicaState::Backoff;
                self.because = Some(because.clone());
                self.restarts = *restarts;
                self.pid = None;
                // What the process used says nothing of the next one.
                self.usage = None;
            }
        }
    }

    /// A new process of the replica may listen on another port; then requests go to a new endpoint.
    fn started_on(&mut self, port: Option<u16>) {
        if self.state == ReplicaState::Backoff {
            self.state = ReplicaState::Starting;
        }
        if self.port == port && self.endpoint.is_some() {
            return;
        }
        if let Some(old) = self.endpoint.take() {
            old.close();
        }
        self.port = port;
        self.endpoint = port.filter(|_| self.is_live()).map(|port| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            Replica::new(self.name.clone(), address, self.protocol)
        });
    }
}
