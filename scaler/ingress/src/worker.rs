//! A worker: one thread with a runtime, a listener, upstream connections and counters of its own.

pub(crate) mod accept;
pub(crate) mod balance;
pub(crate) mod deadlines;
mod drain;
mod ports;
pub(crate) mod run;
pub(crate) mod slots;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use ebbtide_core::name::RevisionName;
use ebbtide_core::time::Timestamp;
use tokio::sync::mpsc;

use crate::access_log::Access;
use crate::admission::{self, Admission};
use crate::connection::Activity;
use crate::limits::gate::Gate;
use crate::options::IngressOptions;
use crate::publish::Published;
use crate::replica::Replica;
use crate::scheme::Scheme;
use crate::table::Backend;
use crate::tls::SharedTls;
use crate::trace::Traces;
use crate::upstream::Pool;
use balance::Balance;
use deadlines::Deadlines;
use drain::Drain;
use slots::Slots;

pub(crate) use run::Phase;

/// What all workers are given.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) options: IngressOptions,
    /// Where the ingress listens, after a free port was taken.
    pub(crate) port: u16,
    /// HTTPS, if it is taken.
    pub(crate) tls: Option<SharedTls>,
    pub(crate) published: Arc<Published>,
    pub(crate) activations: mpsc::Sender<RevisionName>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) balance: Arc<Balance>,
}

/// How many ticks there are from one look through the connections to the next.
const TICKS_A_LOOK: u32 = 10;

impl Shared {
    /// The port for URLs with this scheme.
    pub(crate) fn port(&self, scheme: Scheme) -> u16 {
        let tls = self.tls.as_ref().filter(|_| scheme == Scheme::Https);
        tls.map_or(self.port, |tls| tls.port)
    }
}

/// What the requests of one worker share. It stays on its thread.
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) shared: Shared,
    pub(crate) deadlines: Deadlines,
    pub(crate) drain: Drain,
    pub(crate) traces: Traces,
    pub(crate) access: Access,
    /// The time of the last tick.
    coarse_now: Rc<Cell<Timestamp>>,
    ticks: Cell<u32>,
    connections: RefCell<Slots<Rc<Activity>>>,
    /// By [`Replica::id`].
    pools: RefCell<HashMap<u64, Rc<Pool>>>,
    /// What the choice between replicas begins with.
    rotation: Cell<u64>,
    /// Activations that found the channel full, to be raised again.
    lost_activations: RefCell<Vec<RevisionName>>,
    /// Whether a proxy's wrong connection was warned of since the last look through the connections.
    has_warned_of_proxy: Cell<bool>,
    /// Answers that are being compressed.
    pub(crate) compressing: Cell<u32>,
    /// Copies of requests that are under way.
    pub(crate) mirroring: Cell<u32>,
    /// Revisions that were woken since the last tick, without a request that waits for them.
    woken: RefCell<Vec<RevisionName>>,
}

impl Worker {
    pub(crate) fn new(number: usize, shared: Shared) -> Self {
        Self {
            number,
            deadlines: Deadlines::new(),
            drain: Drain::new(shared.options.linger),
            traces: Traces::new(shared.options.sampled_traces),
            access: Access::new(shared.options.clone()),
            coarse_now: Rc::new(Cell::new(shared.options.clock.now())),
            ticks: Cell::new(0),
            connections: RefCell::new(Slots::new()),
            shared,
            pools: RefCell::default(),
            rotation: Cell::default(),
            lost_activations: RefCell::default(),
            has_warned_of_proxy: Cell::new(false),
            compressing: Cell::new(0),
            mirroring: Cell::new(0),
            woken: RefCell::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.options.clock.now()
    }

    /// The time as of the last tick, which costs nothing to ask for.
    pub(crate) fn coarse_now(&self) -> Timestamp {
        self.coarse_now.get()
    }

    /// Watches over a connection until what is returned is dropped.
    pub(crate) fn watch(self: &Rc<Self>) -> Watched {
        let activity = Activity::new(&self.coarse_now);
        let number = self.connections.borrow_mut().insert(Rc::clone(&activity));
        Watched {
            activity,
            worker: Rc::clone(self),
            number,
        }
    }

    /// This worker's connections to `replica`.
    pub(crate) fn pool(&self, replica: &Arc<Replica>) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        let pool = pools.entry(replica.id());
        Rc::clone(pool.or_insert_with(|| Rc::new(Pool::new(Arc::clone(replica)))))
    }

    /// A place on a replica of `backend`, as [`admission::choose`] has it.
    pub(crate) fn choose(&self, backend: &Arc<Backend>, avoid: Option<u64>) -> Option<Admission> {
        let turn = self.rotation.get();
        self.rotation.set(turn.wrapping_add(1));
        admission::choose(backend, turn, avoid)
    }

    /// Tells the control loop that requests wait for `revision`.
    pub(crate) fn activate(&self, revision: &RevisionName) {
        if self.shared.activations.try_send(revision.clone()).is_err() {
            let mut lost = self.lost_activations.borrow_mut();
            if !lost.contains(revision) {
                lost.push(revision.clone());
            }
        }
    }

    /// Tells the control loop that there was a request for `revision` that does not wait, as often as it
    /// is worth telling.
    pub(crate) fn activate_once_a_tick(&self, revision: &RevisionName) {
        let mut woken = self.woken.borrow_mut();
        if !woken.contains(revision) {
            woken.push(revision.clone());
            self.activate(revision);
        }
    }

    /// Whether to warn of a proxy's connection that does not begin as it has to: once a second.
    pub(crate) fn warns_of_proxy(&self) -> bool {
        !self.has_warned_of_proxy.replace(true)
    }

    /// What is done at every tick.
    fn sweep(&self) {
        let now = self.now();
        self.coarse_now.set(now);
        self.ticks.set(self.ticks.get().wrapping_add(1));
        if self.ticks.get().is_multiple_of(TICKS_A_LOOK) {
            self.has_warned_of_proxy.set(false);
            for activity in self.connections.borrow_mut().iter_mut() {
                activity.look(now, &self.shared.options.limits);
            }
        }
        self.shared.published.recovery().tick(now);
        self.deadlines.sweep(now);
        self.pools.borrow_mut().retain(|_, pool| pool.tidy(now));
        self.woken.borrow_mut().clear();
        for revision in self.lost_activations.take() {
            self.activate(&revision);
        }
    }
}

/// A connection that is watched over.
pub(crate) struct Watched {
    pub(crate) activity: Rc<Activity>,
    worker: Rc<Worker>,
    number: usize,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.worker.connections.borrow_mut().remove(self.number);
    }
}
