//! A replica as the ingress sees it: an address, and one word that says how many requests it has
//! and whether it takes more.

mod health;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ebbtide_core::name::ReplicaName;
use tokio::sync::Notify;

use health::Health;
pub(crate) use health::Recovery;

/// Set in a replica's word when it admits no more; the bits below count the requests in flight.
const CLOSED: u32 = 1 << 31;

/// Gives each replica an identity that is never used again, unlike its address.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The protocol between the ingress and a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 in clear text, by prior knowledge.
    Http2,
}

/// How little a replica is to be preferred: the least one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Load {
    is_ejected: bool,
    /// One more than it has in flight, and more yet while it warms up.
    requests: u64,
}

impl Load {
    /// Whether another one is to be looked for.
    pub(crate) fn is_ejected(&self) -> bool {
        self.is_ejected
    }
}

/// One replica. Whoever starts it makes it, puts it into the table while it is ready, and closes it
/// before it is stopped.
pub struct Replica {
    id: u64,
    name: ReplicaName,
    address: SocketAddr,
    /// Its ports in the place of additional target ports; none if it listens on these themselves.
    additional_ports: Option<BTreeMap<u16, u16>>,
    protocol: UpstreamProtocol,
    /// [`CLOSED`] and the requests in flight, in one word so that no request slips in between the
    /// closing and the look at the count.
    state: AtomicU32,
    drained: Notify,
    health: Health,
}

impl Replica {
    /// A replica that admits requests and has none.
    pub fn new(name: ReplicaName, address: SocketAddr, protocol: UpstreamProtocol) -> Arc<Self> {
        Arc::new(Self::alone(name, address, protocol))
    }

    /// The same, of one that has these ports in the place of its app's additional target ports.
    pub fn with_ports(
        name: ReplicaName,
        address: SocketAddr,
        protocol: UpstreamProtocol,
        additional_ports: BTreeMap<u16, u16>,
    ) -> Arc<Self> {
        Arc::new(Self {
            additional_ports: Some(additional_ports),
            ..Self::alone(name, address, protocol)
        })
    }

    fn alone(name: ReplicaName, address: SocketAddr, protocol: UpstreamProtocol) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name,
            address,
            additional_ports: None,
            protocol,
            state: AtomicU32::new(0),
            drained: Notify::new(),
            health: Health::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &ReplicaName {
        &self.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens in the place of an additional target port of its app, if it does.
    pub fn additional_address(&self, target: u16) -> Option<SocketAddr> {
        let port = match &self.additional_ports {
            Some(ports) => *ports.get(&target)?,
            None => target,
        };
        Some(SocketAddr::new(self.address.ip(), port))
    }

    /// The ports that it has in the place of additional target ports; none if it listens on these.
    pub fn additional_ports(&self) -> Option<&BTreeMap<u16, u16>> {
        self.additional_ports.as_ref()
    }

    /// What it speaks.
    pub fn protocol(&self) -> UpstreamProtocol {
        self.protocol
    }

    /// Requests in flight on it. A request counts from its admission to the end of its answer's
    /// body, or of its tunnel.
    pub fn in_flight(&self) -> u32 {
        self.state.load(Ordering::Acquire) & !CLOSED
    }

    /// Whether it has failed so many requests in a row that others are better.
    pub fn is_ejected(&self) -> bool {
        self.health.is_ejected()
    }

    /// Admits no more requests. Once this has returned and [`in_flight`](Self::in_flight) is 0, no
    /// request is on the replica or will be.
    pub fn close(&self) {
        if self.state.fetch_or(CLOSED, Ordering::AcqRel) & !CLOSED == 0 {
            self.drained.notify_waiters();
        }
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Returns when the replica is closed and has no request in flight.
    pub async fn drained(&self) {
        loop {
            // Made before the look, so that a change after the look is not missed.
            let changed = self.drained.notified();
            if self.state.load(Ordering::Acquire) == CLOSED {
                return;
            }
            changed.await;
        }
    }

    /// Tells replicas apart, also those that had the same address one after the other.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// How little it is to be preferred, if it admits another request: it is not closed, and has fewer
    /// than `limit`.
    pub(crate) fn load(&self, limit: Option<NonZeroU32>) -> Option<Load> {
        let state = self.state.load(Ordering::SeqCst);
        (state < most(limit)).then(|| Load {
            is_ejected: self.is_ejected(),
            requests: self.health.weigh(state),
        })
    }

    /// Counts a request that it has answered as it should.
    pub(crate) fn succeeded(&self) {
        self.health.succeeded();
    }

    /// Counts a request that it has failed, and says how many there were in a row.
    pub(crate) fn failed(&self) -> u32 {
        self.health.failed()
    }

    /// Puts one more request on it, unless it is closed or has as many as `limit` says. Who puts it
    /// there has it [`leave`](Self::leave).
    pub(crate) fn admit(&self, limit: Option<NonZeroU32>) -> bool {
        let most = most(limit);
        let add = |state: u32| (state < most).then_some(state + 1);
        self.state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, add)
            .is_ok()
    }

    /// Takes a request off it.
    pub(crate) fn leave(&self) {
        // Ordered with the counts of those who wait, as `Line::waiting` says.
        if self.state.fetch_sub(1, Ordering::SeqCst) == CLOSED | 1 {
            self.drained.notify_waiters();
        }
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("name", &self.name)
            .field("address", &self.address)
            .field("in_flight", &self.in_flight())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// How many requests a replica may have; closed, it has more than that in its word.
fn most(limit: Option<NonZeroU32>) -> u32 {
    limit.map_or(CLOSED - 1, |limit| limit.get().min(CLOSED - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebbtide_core::name::RevisionName;

    fn replica() -> Arc<Replica> {
        let revision = RevisionName::parse("hello--v1").unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        Replica::new(
            ReplicaName::new(&revision, "1"),
            address,
            UpstreamProtocol::Http1,
        )
    }

    #[test]
    fn a_request_counts_until_it_leaves() {
        let replica = replica();
        assert!(replica.admit(None) && replica.admit(None));
        assert_eq!(replica.in_flight(), 2);
        replica.leave();
        replica.close();
        assert_eq!((replica.in_flight(), replica.load(None)), (1, None));
        assert!(!replica.admit(None));
        replica.leave();
        assert_eq!(replica.in_flight(), 0);
    }

    #[test]
    fn a_limit_is_kept() {
        let (replica, limit) = (replica(), NonZeroU32::new(1));
        assert!(replica.admit(limit));
        assert_eq!((replica.load(limit), replica.admit(limit)), (None, false));
        replica.leave();
        assert_eq!(
            (replica.load(limit).is_some(), replica.admit(limit)),
            (true, true)
        );
        // One that is raised holds for those that run already.
        assert!(replica.admit(NonZeroU32::new(2)));
    }

    #[tokio::test]
    async fn drained_waits_for_the_closing_and_the_last_request() {
        let replica = replica();
        assert!(replica.admit(None));
        let drained = replica.drained();
        tokio::pin!(drained);
        let pending = |drained: std::pin::Pin<&mut _>| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            std::future::Future::poll(drained, &mut context).is_pending()
        };
        assert!(pending(drained.as_mut()));
        replica.close();
        assert!(pending(drained.as_mut()));
        replica.leave();
        drained.await;
        replica.drained().await;
    }

    #[test]
    fn after_the_closing_a_count_of_zero_is_final() {
        for _ in 0..200 {
            let replica = replica();
            std::thread::scope(|scope| {
                let worker = scope.spawn(|| {
                    let mut admitted = 0;
                    while replica.admit(None) {
                        admitted += 1;
                        replica.leave();
                    }
                    admitted
                });
                replica.close();
                while replica.in_flight() > 0 {
                    std::hint::spin_loop();
                }
                assert!(!replica.admit(None));
                worker.join().unwrap();
                assert_eq!(replica.in_flight(), 0);
            });
        }
    }
}
