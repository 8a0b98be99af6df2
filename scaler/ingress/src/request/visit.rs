//! The counting of one request.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::time::Timestamp;
use http::StatusCode;

use crate::access::AccessRecord;
use crate::body::Upload;
use crate::limits::reason::Reason;
use crate::meter::CLIENT_CLOSED_REQUEST;
use crate::replica::Admission;
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
    waited: Option<Duration>,
    finished: bool,
    /// What is told of it, if anything is.
    record: Option<Box<AccessRecord>>,
    upload: Option<Rc<Upload>>,
    received: Cell<u64>,
    sent: Cell<u64>,
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
            waited: None,
            finished: false,
            record: None,
            upload: None,
            received: Cell::new(0),
            sent: Cell::new(0),
        }
    }

    /// Has it told of in the access log, with the length of its body.
    pub(crate) fn is_told(
        &mut self,
        record: Option<Box<AccessRecord>>,
        upload: Option<Rc<Upload>>,
    ) {
        self.upload = upload.filter(|_| record.is_some());
        self.record = record;
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

    /// It has been admitted to a replica, after waiting if it `waited`. An earlier place is given
    /// up.
    pub(crate) fn admitted(&mut self, admission: Admission, waited: Option<Duration>) {
        self.admission = Some(admission);
        if let Some(waited) = waited {
            self.backend.meter.cold_start(self.worker.number, waited);
            self.waited = Some(self.waited.unwrap_or_default() + waited);
        }
    }

    /// Its place on a replica.
    pub(crate) fn admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    /// Gives the place up.
    pub(crate) fn withdraw(&mut self) {
        self.admission = None;
    }

    /// How long it waited for a replica, if it had to.
    pub(crate) fn waited(&self) -> Option<Duration> {
        self.waited
    }

    /// The head of a replica's answer has come.
    pub(crate) fn first_byte(&mut self) {
        let took = self.look().since(self.arrived);
        self.backend.meter.first_byte(self.worker.number, took);
        if let Some(record) = &mut self.record {
            record.first_byte = Some(took);
        }
    }

    /// Some of what a client sends has come through its tunnel.
    pub(crate) fn received(&self, bytes: usize) {
        self.backend.meter.received(self.worker.number, bytes);
        self.received.set(self.received.get() + bytes as u64);
    }

    /// Some of what a replica sends is passed on.
    pub(crate) fn sent(&self, bytes: usize) {
        self.backend.meter.sent(self.worker.number, bytes);
        self.sent.set(self.sent.get() + bytes as u64);
    }

    /// The head of its answer is on its way.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.code = status.as_u16();
    }

    /// The ingress answers it itself, with so many bytes.
    pub(crate) fn refused(&mut self, status: StatusCode, reason: Reason, bytes: u64) {
        self.answered(status);
        if let Some(record) = &mut self.record {
            record.refused(status, reason, bytes);
        }
    }

    /// Its answer is not complete.
    pub(crate) fn is_cut_off(&mut self, reason: Reason) {
        if let Some(record) = &mut self.record {
            record.reason = Some(reason.name());
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
            if let Some(record) = self.record.take() {
                self.tell(record, took);
            }
            self.admission = None;
        }
        now
    }

    fn tell(&self, mut record: Box<AccessRecord>, took: Duration) {
        let replica = self.admission.as_ref().map(Admission::replica);
        record.revision = Some(self.backend.revision.clone());
        record.replica = replica.map(|replica| replica.name().clone());
        record.status = self.code;
        record.duration = took;
        record.held = self.waited;
        let upload = self.upload.as_ref().map_or(0, |upload| upload.received());
        record.received_bytes = upload + self.received.get();
        record.sent_bytes += self.sent.get();
        self.worker.access.end(*record);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.finished {
            self.finish();
        }
    }
}
