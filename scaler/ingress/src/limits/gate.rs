//! How many connections there are, and how often each limit was reached. Looked at once a connection
//! and once a refusal, never on the way of a request that is within its limits.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use super::listeners::{ListenerReading, Listeners};
use super::reason::{Reason, Reasons};
use crate::records::RecordReading;
use crate::scheme::Scheme;
use crate::worker::balance::Seat;

/// Parts that the clients are spread over, so that workers seldom meet at one lock.
const PARTS: usize = 64;

/// What can be too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Connections,
    ConnectionsPerClient,
    Header,
    Target,
    Body,
    HeadTime,
    BodyTime,
    IdleTime,
    WriteTime,
    Frames,
    Compressions,
    /// Not a number, but that a proxy's connection does not begin as it has to.
    ProxyProtocol,
    /// Not a number, but what a parser or [`check`](crate::request) has refused.
    Malformed,
}

impl Limit {
    /// All of them, each at its place in the counters, with its name as a metric has it.
    const ALL: [(Self, &'static str); 13] = [
        (Self::Connections, "connections"),
        (Self::ConnectionsPerClient, "connections-per-client"),
        (Self::Header, "header"),
        (Self::Target, "target"),
        (Self::Body, "body"),
        (Self::HeadTime, "head-time"),
        (Self::BodyTime, "body-time"),
        (Self::IdleTime, "idle-time"),
        (Self::WriteTime, "write-time"),
        (Self::Frames, "frames"),
        (Self::Compressions, "compressions"),
        (Self::ProxyProtocol, "proxy-protocol"),
        (Self::Malformed, "malformed"),
    ];
}

/// Shared by all workers.
pub(crate) struct Gate {
    connections: AtomicU32,
    most: u32,
    most_per_client: u32,
    clients: Box<[Mutex<HashMap<IpAddr, u32>>]>,
    hasher: RandomState,
    reached: [AtomicU64; Limit::ALL.len()],
    listeners: Listeners,
    reasons: Reasons,
}

/// How full an ingress is, and how often it refused what was too much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitReading {
    /// Connections that are open.
    pub connections: u32,
    /// Connections that may be open.
    pub most_connections: u32,
    /// How often each limit was reached, by its name.
    pub reached: Vec<(&'static str, u64)>,
    /// The connections of each worker.
    pub workers: Vec<u32>,
    /// The connections of each listener.
    pub listeners: Vec<ListenerReading>,
    /// How many requests the ingress answered itself, by why it did.
    pub own_answers: Vec<(&'static str, u64)>,
    /// The lines of the access log, if there is one.
    pub access_log: Option<RecordReading>,
    /// The spans, if they are exported.
    pub spans: Option<RecordReading>,
}

/// The place of one connection; given back when it is dropped.
pub(crate) struct Place {
    gate: Arc<Gate>,
    /// None if it is not one client's.
    client: Option<IpAddr>,
    scheme: Scheme,
    _seat: Seat,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections: AtomicU32::new(0),
            most: limits.connections,
            most_per_client: limits.connections_per_client,
            clients: (0..PARTS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            reached: [const { AtomicU64::new(0) }; Limit::ALL.len()],
            listeners: Listeners::default(),
            reasons: Reasons::new(),
        })
    }

    /// A place for a connection from `client`, if it is one client's, that has a `seat` with a worker; none if
    /// there are too many, which is counted.
    pub(crate) fn enter(
        self: &Arc<Self>,
        client: Option<IpAddr>,
        scheme: Scheme,
        seat: Seat,
    ) -> Option<Place> {
        let client = client.map(client_of);
        if let Err(limit) = self.take_place(client) {
            self.reached(limit);
            self.listeners.refused(scheme);
            return None;
        }
        self.listeners.accepted(scheme);
        Some(Place {
            gate: Arc::clone(self),
            client,
            scheme,
            _seat: seat,
        })
    }

    fn take_place(&self, client: Option<IpAddr>) -> Result<(), Limit> {
        let add = |count: u32| (count < self.most).then_some(count + 1);
        let added = self
            .connections
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        added.map_err(|_| Limit::Connections)?;
        if client.is_some_and(|client| !self.enter_as(client)) {
            self.connections.fetch_sub(1, Ordering::AcqRel);
            return Err(Limit::ConnectionsPerClient);
        }
        Ok(())
    }

    fn enter_as(&self, client: IpAddr) -> bool {
        let mut part = self.part(client);
        let count = part.entry(client).or_default();
        let is_free = *count < self.most_per_client;
        *count += u32::from(is_free);
        is_free
    }

    fn leave_as(&self, client: IpAddr) {
        let mut part = self.part(client);
        if let Some(count) = part.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                part.remove(&client);
            }
        }
    }

    /// Counts that a limit was reached.
    pub(crate) fn reached(&self, limit: Limit) {
        let place = Limit::ALL.iter().position(|(one, _)| *one == limit);
        if let Some(counter) = place.and_then(|place| self.reached.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a request that the ingress answers itself.
    pub(crate) fn answers(&self, reason: Reason) {
        self.reasons.count(reason);
    }

    pub(crate) fn read(&self) -> LimitReading {
        let counters = Limit::ALL.iter().zip(&self.reached);
        LimitReading {
            connections: self.connections.load(Ordering::Acquire),
            most_connections: self.most,
            reached: counters
                .map(|((_, name), counter)| (*name, counter.load(Ordering::Relaxed)))
                .collect(),
            workers: Vec::new(),
            listeners: self.listeners.read(),
            own_answers: self.reasons.read(),
            access_log: None,
            spans: None,
        }
    }

    fn part(&self, client: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        let number = usize::try_from(self.hasher.hash_one(client) % PARTS as u64).unwrap_or(0);
        self.clients[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Makes it the place of a client that was not known when the connection came. Says whether that client
    /// has one more, which is counted if not.
    pub(crate) fn is_for(&mut self, client: IpAddr) -> bool {
        let client = client_of(client);
        let has_room = self.gate.enter_as(client);
        if has_room {
            self.client = Some(client);
        } else {
            self.gate.reached(Limit::ConnectionsPerClient);
        }
        has_room
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            self.gate.leave_as(client);
        }
        self.gate.connections.fetch_sub(1, Ordering::AcqRel);
        self.gate.listeners.closed(self.scheme);
    }
}

/// Who has an address: of IPv6 a client is given 64 bits to choose addresses from.
fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}
