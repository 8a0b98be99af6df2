//! What all connections share: the namespace, and who waits for its messages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::fault::Faults;
use crate::broker::{Failure, Name, Namespace, Receive, Received, Source};
use crate::clock::Clock;
use crate::sas::Policy;

/// What all connections share.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
    pub(super) policies: Vec<Policy>,
    /// Whether an entity that is not there is answered with 404, not with an empty feed.
    pub(super) missing_is_404: bool,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    state: Mutex<State>,
}

struct State {
    namespace: Namespace,
    /// Those who wait, by the entity's name. An entry is there from the first who waits until the
    /// entity is deleted.
    waiting: BTreeMap<String, Arc<Notify>>,
}

/// What came in so far.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) unauthorized: AtomicU64,
    pub(super) descriptions: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

/// The counters, as the stand-in tells them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted {
    connections: u64,
    requests: u64,
    unauthorized: u64,
    descriptions: u64,
    sent: u64,
    received: u64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn read(&self) -> Counted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counted {
            connections: read(&self.connections),
            requests: read(&self.requests),
            unauthorized: read(&self.unauthorized),
            descriptions: read(&self.descriptions),
            sent: read(&self.sent),
            received: read(&self.received),
        }
    }
}

/// A message, or what to wait for.
pub(super) enum Attempt {
    Received(Received),
    /// Nothing is there. Something may be after the notice, and at the time if there is one.
    Wait(OwnedNotified, Option<Timestamp>),
}

/// What a [`Shared`] is made of.
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
    pub(super) policies: Vec<Policy>,
    pub(super) missing_is_404: bool,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) namespace: Namespace,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            name: parts.name,
            hosts: parts.hosts,
            policies: parts.policies,
            missing_is_404: parts.missing_is_404,
            clock: parts.clock,
            faults: parts.faults,
            counters: Counters::default(),
            state: Mutex::new(State {
                namespace: parts.namespace,
                waiting: BTreeMap::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `work` read the namespace as of now.
    pub(super) fn read<T>(&self, work: impl FnOnce(&mut Namespace, Timestamp) -> T) -> T {
        work(&mut self.lock().namespace, self.clock.now())
    }

    /// Lets `work` change an entity of the namespace, and then has those look who wait for it.
    pub(super) fn change<T>(
        &self,
        entity: &Name,
        work: impl FnOnce(&mut Namespace, Timestamp) -> T,
    ) -> T {
        let mut state = self.lock();
        let now = self.clock.now();
        let result = work(&mut state.namespace, now);
        if let Some(waiting) = state.waiting.get(entity.key()) {
            waiting.notify_waiters();
        }
        if state.namespace.find(entity, now).is_none() {
            state.waiting.remove(entity.key());
        }
        result
    }

    /// Receives a message, or tells what to wait for.
    pub(super) fn receive(&self, source: &Source, how: Receive) -> Result<Attempt, Failure> {
        let mut state = self.lock();
        let received = state.namespace.receive(source, how, self.clock.now())?;
        if let Some(received) = received {
            return Ok(Attempt::Received(received));
        }
        let due = state.namespace.next_due(source);
        let waiting = state
            .waiting
            .entry(source.entity.key().to_owned())
            .or_default();
        // Made under the lock, it misses no change from here on.
        Ok(Attempt::Wait(Arc::clone(waiting).notified_owned(), due))
    }
}
