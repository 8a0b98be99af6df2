//! How a routing table reaches the workers.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::table::{RoutingTable, Snapshot};

/// Publishes routing tables to the workers of an ingress.
#[derive(Clone)]
pub struct Publisher {
    shared: Arc<Published>,
}

/// What the publisher writes and the workers read.
pub(crate) struct Published {
    snapshot: ArcSwap<Snapshot>,
    /// One for each worker, so that the workers do not meet at one lock.
    changes: Box<[Notify]>,
    /// Lets one publication be made after the other.
    publishing: Mutex<()>,
}

impl Publisher {
    pub(crate) fn new(shared: Arc<Published>) -> Self {
        Self { shared }
    }

    /// Makes `table` the one that requests are routed by, and lets every waiting request look at
    /// it.
    ///
    /// An app whose revisions and weights have not changed keeps its [`Split`](crate::Split) of the
    /// table before, whichever one it has in `table`.
    pub fn publish(&self, table: RoutingTable) {
        self.shared.publish(table);
    }
}

impl Published {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            snapshot: ArcSwap::default(),
            changes: (0..workers).map(|_| Notify::new()).collect(),
            publishing: Mutex::new(()),
        }
    }

    fn publish(&self, mut table: RoutingTable) {
        let publishing = self
            .publishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        table.keep_splits(&self.snapshot.load());
        let snapshot = Arc::new(Snapshot::new(table));
        self.snapshot.store(Arc::clone(&snapshot));
        drop(publishing);
        for backend in snapshot.table().apps.iter().flat_map(|app| &app.backends) {
            backend.meter.line().serve(backend);
        }
        self.changes.iter().for_each(Notify::notify_waiters);
    }

    /// The present table.
    pub(crate) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Tells `worker` of publications. What is made from it before a look at the table is woken by
    /// every publication after that look.
    pub(crate) fn changes(&self, worker: usize) -> &Notify {
        &self.changes[worker]
    }
}
