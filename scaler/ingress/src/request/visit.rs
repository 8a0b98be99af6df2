//! The counting of one request.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::RouteTimeouts;
use ebbtide_core::policy::Timeouts;
use ebbtide_core::time::Timestamp;
use http::{HeaderValue, StatusCode};

use super::told::Told;
use super::wish::Session;
use crate::access_log::Telling;
use crate::admission::Admission;
use crate::body::Upload;
use crate::limits::reason::Reason;
use crate::meter::CLIENT_CLOSED_REQUEST;
use crate::replica::Replica;
use crate::table::Backend;
use crate::worker::Worker;

/// A request that counts for a revision, from its arrival until this is dropped, which is when its
/// answer's body, or its tunnel, has ended.
pub(crate) struct Visit {
    worker: Rc<Worker>,
    backend: Arc<Backend>,
    arrived: Timestamp,
    /// The time when it was looked at last, which whoever needs it now need not ask for again.
    now: Timestamp,
    /// What it was answered with.
    code: u16,
    /// Its place on a replica, once it has one.
    admission: Option<Admission>,
    /// How long it waited for that place, if it had to.
    waits: Waits,
    finished: bool,
    /// What is told of it, if anything is.
    told: Option<Box<Told>>,
    /// Its session, if its app has those.
    session: Option<Session>,
    /// How long its answer may take, if the route that led here says that. Few do, so it is elsewhere.
    by_route: Option<Box<RouteTimeouts>>,
}

/// A wait for a replica that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waited {
    pub(crate) waited: Duration,
    /// Whether there was no replica when it began.
    pub(crate) is_cold: bool,
}

/// How long a request waited.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waits {
    /// Where there was no replica.
    pub(crate) cold: Option<Duration>,
    /// Where all replicas had as many requests as they take.
    pub(crate) busy: Option<Duration>,
}

impl Waits {
    /// The time in all, if there was any.
    fn sum(&self) -> Option<Duration> {
        self.cold
            .into_iter()
            .chain(self.busy)
            .reduce(|one, other| one + other)
    }
}

impl Visit {
    /// Begins to count a request for `backend`.
    pub(crate) fn begin(worker: Rc<Worker>, backend: Arc<Backend>, arrived: Timestamp) -> Self {
        backend.meter.start(worker.number, arrived);
        Self {
            worker,
            backend,
            arrived,
            now: arrived,
            code: CLIENT_CLOSED_REQUEST,
            admission: None,
            waits: Waits::default(),
            finished: false,
            told: None,
            session: None,
            by_route: None,
        }
    }

    /// Has it told of, with the length of its body.
    pub(crate) fn is_told(&mut self, telling: Option<Box<Telling>>, upload: Option<Rc<Upload>>) {
        self.told = telling.map(|telling| Box::new(Told::new(telling, upload)));
    }

    /// It belongs to a session.
    pub(super) fn belongs_to(&mut self, session: Option<Session>) {
        self.session = session;
    }

    /// The times of a route hold for it instead of its app's.
    pub(super) fn keeps_to(&mut self, timeouts: RouteTimeouts) {
        self.by_route = (timeouts != RouteTimeouts::default()).then(|| Box::new(timeouts));
    }

    /// How long its answer may take.
    pub(crate) fn timeouts(&self) -> Timeouts {
        let own = self.backend.policy.timeouts;
        self.by_route
            .as_ref()
            .map_or(own, |by_route| own.by_route(**by_route))
    }

    /// The replica that its session is on.
    pub(super) fn wants(&self) -> Option<u64> {
        Some(self.session?.replica?.get())
    }

    /// `Set-Cookie` for its session, if that has come to another replica.
    pub(super) fn session_cookie(&self) -> Option<HeaderValue> {
        let session = self.session?;
        let replica = self.admission.as_ref()?.replica();
        if self.wants() == Some(replica.id()) {
            return None;
        }
        let key = self.worker.shared.options.affinity.as_ref()?;
        key.cookie(replica, session.is_secure)
    }

    /// The revision it counts for, as it was when last looked at.
    pub(crate) fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    /// Goes on with `backend`. If that is another revision, the request counts for it from now on.
    pub(crate) fn move_to(&mut self, backend: &Arc<Backend>) {
        if Arc::ptr_eq(&self.backend, backend) {
            return;
        }
        if !Arc::ptr_eq(&self.backend.meter, &backend.meter) {
            let now = self.look();
            self.backend.meter.leave(self.worker.number, now);
            backend.meter.start(self.worker.number, now);
        }
        self.backend = Arc::clone(backend);
    }

    /// Looks at the clock.
    pub(crate) fn look(&mut self) -> Timestamp {
        self.now = self.worker.now();
        self.now
    }

    /// The time when it was looked at last.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// It has been admitted to the replica that is returned, after waiting if it `waited`. An earlier
    /// place is given up.
    pub(crate) fn admitted(
        &mut self,
        admission: Admission,
        waited: Option<Waited>,
    ) -> Arc<Replica> {
        let replica = Arc::clone(admission.replica());
        self.admission = Some(admission);
        if let Some(Waited { waited, is_cold }) = waited {
            self.count_wait(waited, is_cold);
        }
        replica
    }

    fn count_wait(&mut self, waited: Duration, is_cold: bool) {
        let sum = if is_cold {
            self.backend.meter.cold_start(self.worker.number, waited);
            &mut self.waits.cold
        } else {
            &mut self.waits.busy
        };
        *sum = Some(sum.unwrap_or_default() + waited);
    }

    /// Counts how the replica fared with it. One that fails too many in a row is ejected.
    pub(crate) fn count_outcome(&self, replica: &Arc<Replica>, is_good: bool) {
        if is_good {
            return replica.succeeded();
        }
        let failures = replica.failed();
        let limit = self.backend.policy.preference.eject_after;
        if limit.is_none_or(|limit| failures < limit.get()) {
            return;
        }
        let worker = &self.worker;
        let recovery = worker.shared.published.recovery();
        let all = self.backend.state.replicas();
        if let Some(long) = recovery.eject(replica, all, worker.now()) {
            self.backend.meter.ejected(worker.number);
            let seconds = long.as_secs();
            tracing::warn!(replica = %replica.name(), failures, seconds, "a replica is ejected");
        }
    }

    /// Whether another replica gets it after `replica` has failed it: there is one, and the budget has
    /// a retry.
    pub(crate) fn retries_elsewhere(&self, replica: &Replica) -> bool {
        let mut others = self.backend.state.replicas().iter();
        let has_other = others.any(|other| other.id() != replica.id() && !other.is_closed());
        has_other
            && self
                .backend
                .meter
                .retry(self.worker.number, self.worker.now())
    }

    /// Gives the place up.
    pub(crate) fn withdraw(&mut self) {
        self.admission = None;
    }

    /// How long it waited for a replica, if it had to.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Until when a replica that gets it now may take for the head of an answer, and how long
    /// that is for whichever of its times comes first.
    pub(crate) fn head_due(&self, is_grpc: bool) -> (Timestamp, Duration) {
        let now = self.now;
        let timeouts = self.timeouts();
        let first_byte = timeouts.first_byte.map(|timeout| (now + timeout, timeout));
        let whole = timeouts
            .request
            .map(|timeout| (self.arrived + timeout, timeout));
        let first = first_byte.into_iter().chain(whole).min();
        first
            .filter(|_| !is_grpc)
            .unwrap_or((now + Duration::MAX, Duration::MAX))
    }

    /// Until when its answer has to have ended.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let timeout = self.timeouts().request?;
        Some(self.arrived + timeout)
    }

    /// The worker that it is on.
    pub(crate) fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    /// The head of a replica's answer has come.
    pub(crate) fn first_byte(&mut self) {
        let took = self.look().since(self.arrived);
        self.backend.meter.first_byte(self.worker.number, took);
        if let Some(told) = &mut self.told {
            told.first_byte(took);
        }
    }

    /// Some of what a client sends has come through its tunnel.
    pub(crate) fn received(&self, bytes: usize) {
        self.backend.meter.received(self.worker.number, bytes);
        if let Some(told) = &self.told {
            told.received(bytes);
        }
    }

    /// Some of what a replica sends is passed on.
    pub(crate) fn sent(&self, bytes: usize) {
        self.backend.meter.sent(self.worker.number, bytes);
        if let Some(told) = &self.told {
            told.sent(bytes);
        }
    }

    /// The head of its answer is on its way.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.code = status.as_u16();
    }

    /// The ingress answers it itself, with so many bytes.
    pub(crate) fn refused(&mut self, status: StatusCode, reason: Reason, bytes: u64) {
        self.answered(status);
        if let Some(told) = &mut self.told {
            told.refused(status, reason, bytes);
        }
    }

    /// Its answer is not complete.
    pub(crate) fn is_cut_off(&mut self, reason: Reason) {
        if let Some(told) = &mut self.told {
            told.is_cut_off(reason);
        }
    }

    /// Ends the counting and says when that was.
    pub(crate) fn finish(&mut self) -> Timestamp {
        let now = self.worker.now();
        if !self.finished {
            self.finished = true;
            let took = now.since(self.arrived);
            self.backend
                .meter
                .end(self.worker.number, now, self.code, took);
            if let Some(told) = self.told.take() {
                self.tell(told.into_telling(), took);
            }
            self.admission = None;
        }
        now
    }

    fn tell(&self, mut telling: Telling, took: Duration) {
        let record = &mut telling.record;
        let replica = self.admission.as_ref().map(Admission::replica);
        record.revision = Some(self.backend.revision.clone());
        record.replica = replica.map(|replica| replica.name().clone());
        record.status = self.code;
        record.duration = took;
        record.held = self.waits.sum();
        self.worker.access.end(telling);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.finished {
            self.finish();
        }
    }
}
