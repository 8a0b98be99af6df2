//! How a routing table reaches the workers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::ports::Ports;
use crate::replica::Recovery;
use crate::table::{AppRoute, RoutingTable, Snapshot};

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
    /// The replicas that time makes better.
    recovery: Recovery,
    /// The ports of TCP apps.
    pub(crate) ports: Ports,
    /// Whether there is a table yet.
    has_table: AtomicBool,
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

    /// The hosts that lead to apps or routes beside those of this machine, in lowercase, in order, each
    /// once. `*.example.com` stands for all below `example.com`.
    pub fn custom_domains(&self) -> Vec<String> {
        let snapshot = self.shared.snapshot();
        let table = snapshot.table();
        let of_apps = table.apps.iter().flat_map(|app| &app.hosts);
        let routes = table.routes.iter();
        let of_routes = routes.flat_map(|routes| &routes.config().custom_domains);
        let all: BTreeSet<_> = of_apps.chain(of_routes).collect();
        all.into_iter().cloned().collect()
    }

    /// Tries again to open ports of TCP apps that could not be opened.
    pub fn retry_ports(&self) {
        if self.shared.ports.retry() {
            self.shared.notify();
        }
    }

    /// The ports of TCP apps that cannot be opened, and why.
    pub fn port_failures(&self) -> BTreeMap<u16, String> {
        self.shared.ports.failures()
    }
}

impl Published {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            snapshot: ArcSwap::default(),
            changes: (0..workers).map(|_| Notify::new()).collect(),
            recovery: Recovery::default(),
            ports: Ports::default(),
            has_table: AtomicBool::new(false),
            publishing: Mutex::new(()),
        }
    }

    fn publish(&self, mut table: RoutingTable) {
        let publishing = self
            .publishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let earlier = self.snapshot.load();
        table.keep_splits(&earlier);
        let new = table.new_since(&earlier);
        self.warm_up(&new, &earlier);
        let snapshot = Arc::new(Snapshot::after(&earlier, table));
        self.snapshot.store(Arc::clone(&snapshot));
        self.has_table.store(true, Ordering::Release);
        let ports = snapshot.table().ports.iter();
        self.ports
            .follow(ports.map(|(port, to)| (*port, to.on_loopback)));
        drop(publishing);
        for backend in new.iter().flat_map(|app| &app.backends) {
            backend.meter.line().serve(backend);
        }
        self.notify();
    }

    /// Has all workers look again.
    pub(crate) fn notify(&self) {
        self.changes.iter().for_each(Notify::notify_waiters);
    }

    /// Lets replicas of `apps` warm up that are in no table before, where there are others that are warm.
    fn warm_up(&self, apps: &[Arc<AppRoute>], earlier: &Snapshot) {
        for app in apps {
            let Some(long) = app.policy.preference.slow_start else {
                continue;
            };
            for backend in &app.backends {
                let before = earlier.replicas_of(app, backend);
                let new = backend.state.replicas().iter();
                let new = new.filter(|replica| !before.iter().any(|one| one.id() == replica.id()));
                for replica in new.filter(|_| !before.is_empty()) {
                    self.recovery.warm_up(replica, long);
                }
            }
        }
    }

    /// The replicas that time makes better.
    pub(crate) fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The present table.
    pub(crate) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Returns once there is a table. `worker` is who waits.
    pub(crate) async fn first_table(&self, worker: usize) {
        loop {
            let changed = self.changes(worker).notified();
            if self.has_table.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }

    /// Tells `worker` of publications. What is made from it before a look at the table is woken by
    /// every publication after that look.
    pub(crate) fn changes(&self, worker: usize) -> &Notify {
        &self.changes[worker]
    }
}
