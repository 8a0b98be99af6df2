//! A replica as the control task sees it: where it is in its life, and what it answers with.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;
use ebbtide_ingress::{Replica, UpstreamProtocol};
use ebbtide_runtime::endpoints::Endpoint;
use ebbtide_runtime::{ReplicaEventKind, ReplicaPorts};
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
    /// Those in the place of additional target ports.
    additional_ports: BTreeMap<u16, u16>,
    /// How often it was started again.
    pub(super) restarts: u32,
    /// Whether its last run ended before it was ready, rather than some time after.
    pub(super) failed_to_start: bool,
    /// Why it is not ready.
    pub(super) because: Option<String>,
    /// What its process tree uses.
    pub(super) usage: Option<Usage>,
    /// When that was measured.
    pub(super) measured: Timestamp,
    /// What the ingress forwards to; there from the first time it has a port.
    pub(super) endpoint: Option<Arc<Replica>>,
    /// Where it was found, if something else runs it.
    pub(super) discovered: Option<Endpoint>,
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
            additional_ports: BTreeMap::new(),
            restarts: 0,
            failed_to_start: false,
            because: None,
            usage: None,
            measured: now,
            endpoint: None,
            discovered: None,
        }
    }

    /// A replica that something else runs, and that is ready.
    pub(super) fn discovered(
        name: ReplicaName,
        endpoint: Endpoint,
        protocol: UpstreamProtocol,
        now: Timestamp,
    ) -> Self {
        Self {
            state: ReplicaState::Ready,
            port: Some(endpoint.address.port()),
            endpoint: Some(Replica::new(name.clone(), endpoint.address, protocol)),
            discovered: Some(endpoint),
            ..Self::starting(name, 0, protocol, now)
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
            ReplicaEventKind::Started { pid, ports } => {
                self.pid = Some(*pid);
                self.started_on(ports);
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
                let was_up = matches!(self.state, ReplicaState::Ready | ReplicaState::NotReady);
                self.failed_to_start = !was_up;
                self.state = ReplicaState::Backoff;
                self.because = Some(because.clone());
                self.restarts = *restarts;
                self.pid = None;
                // What the process used says nothing of the next one.
                self.usage = None;
            }
        }
    }

    /// A new process of the replica may listen on other ports; then requests go to a new endpoint.
    fn started_on(&mut self, ports: &ReplicaPorts) {
        if self.state == ReplicaState::Backoff {
            self.state = ReplicaState::Starting;
        }
        let is_same = self.port == ports.main && self.additional_ports == ports.additional;
        if is_same && self.endpoint.is_some() {
            return;
        }
        if let Some(old) = self.endpoint.take() {
            old.close();
        }
        self.port = ports.main;
        self.additional_ports.clone_from(&ports.additional);
        self.endpoint = self.port.filter(|_| self.is_live()).map(|port| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let additional = self.additional_ports.clone();
            Replica::with_ports(self.name.clone(), address, self.protocol, additional)
        });
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::name::RevisionName;

    use super::super::fixtures::{backoff, ready, started};
    use super::ReplicaState::{Backoff, Draining, NotReady, Ready, Starting, Stopping};
    use super::*;

    fn replica(state: ReplicaState) -> ReplicaControl {
        let revision = RevisionName::parse("hello--v1").unwrap();
        let name = ReplicaName::new(&revision, "a");
        let protocol = UpstreamProtocol::Http1;
        let mut replica = ReplicaControl::starting(name, 0, protocol, Timestamp::from_secs(1));
        replica.observe(&started(1000), Timestamp::from_secs(1));
        replica.state = state;
        replica
    }

    #[test]
    fn states_follow_what_the_runtime_says_until_it_is_told_to_go() {
        let not_ready = || ReplicaEventKind::NotReady {
            because: "probe".to_owned(),
        };
        for (before, kind, after) in [
            (Starting, ready(), Ready),
            (Starting, backoff("exit 1", 1), Backoff),
            (Ready, not_ready(), NotReady),
            (Ready, backoff("exit 1", 1), Backoff),
            (NotReady, ready(), Ready),
            (Backoff, started(1000), Starting),
            (Backoff, ready(), Ready),
            (Draining, ready(), Draining),
            (Draining, not_ready(), Draining),
            (Draining, backoff("exit 1", 1), Draining),
            (Draining, started(2000), Draining),
            (Stopping, ready(), Stopping),
        ] {
            let mut replica = replica(before);
            replica.observe(&kind, Timestamp::from_secs(2));
            assert_eq!(replica.state, after, "{before:?} after {kind:?}");
        }
    }

    #[test]
    fn requests_of_one_that_is_not_ready_finish() {
        let mut replica = replica(Ready);
        let endpoint = replica.endpoint.clone().unwrap();
        let because = "probe".to_owned();
        replica.observe(&ReplicaEventKind::NotReady { because }, Timestamp::ORIGIN);
        assert!(!replica.is_ready() && !endpoint.is_closed());
        assert_eq!(replica.because.as_deref(), Some("probe"));
    }

    #[test]
    fn a_crash_is_remembered_until_it_is_ready_again() {
        let mut replica = replica(Ready);
        replica.usage = Some(Usage {
            cpu_cores: 1.0,
            memory_bytes: 1,
        });
        for (kind, because, pid) in [
            (backoff("exit 1", 3), Some("exit 1"), None),
            (started(1000), Some("exit 1"), Some(1000)),
            (ready(), None, Some(1000)),
        ] {
            replica.observe(&kind, Timestamp::from_secs(2));
            assert_eq!((replica.because.as_deref(), replica.pid), (because, pid));
        }
        assert_eq!((replica.restarts, replica.usage.is_none()), (3, true));
    }

    #[test]
    fn one_that_comes_back_while_it_drains_gets_no_new_endpoint() {
        let mut replica = replica(Draining);
        let before = replica.endpoint.clone().unwrap();
        replica.observe(&started(2000), Timestamp::from_secs(2));
        assert!(before.is_closed() && replica.endpoint.is_none());
    }
    #[test]
    fn one_that_comes_back_on_another_additional_port_gets_a_new_endpoint() {
        let mut replica = replica(Starting);
        let mut on = |additional: u16| {
            let ports = ReplicaPorts {
                main: Some(1000),
                additional: [(90, additional)].into(),
            };
            replica.observe(
                &ReplicaEventKind::Started { pid: 1, ports },
                Timestamp::ORIGIN,
            );
            replica.endpoint.clone().unwrap()
        };
        let (first, second, third) = (on(2000), on(2000), on(2001));
        assert!(Arc::ptr_eq(&first, &second) && first.is_closed() && !third.is_closed());
        let port = |one: &Replica, target| one.additional_address(target).map(|at| at.port());
        assert_eq!(
            (port(&first, 90), port(&third, 90)),
            (Some(2000), Some(2001))
        );
        assert_eq!(port(&third, 91), None);
    }
}
