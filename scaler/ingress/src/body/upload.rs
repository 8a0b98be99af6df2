//! A request's body on its way to the replica: how large it may be, how slow, and how it ended.

use std::cell::{Cell, RefCell};
use std::error::Error as StdError;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ebbtide_core::time::Timestamp;
use thiserror::Error;

use crate::limits::BODY_PROGRESS;
use crate::meter::RevisionMeter;
use crate::worker::Worker;
use crate::worker::deadlines::OwnedDeadline;

/// The body of one request, shared between who passes it on and who waits for the answer.
pub(crate) struct Upload {
    worker: Rc<Worker>,
    /// Bytes that there may be, if they are bounded.
    most: Option<u64>,
    /// Where its bytes are counted, once it goes to a replica.
    meter: RefCell<Option<Arc<RevisionMeter>>>,
    failure: Cell<Option<UploadFailure>>,
    /// Whether the client may take its time.
    is_patient: Cell<bool>,
    /// Bytes that have come.
    received: Cell<u64>,
    /// Bytes that have come since the client's time began anew.
    progress: Cell<u64>,
    /// How long it was waited for these.
    waited: Cell<Duration>,
    /// What is being waited for, since when.
    waits: RefCell<Option<(Timestamp, OwnedDeadline)>>,
}

/// Why a body broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadFailure {
    /// Its chunks are not as they should be.
    Malformed,
    /// The client has gone, or has reset its stream.
    Gone,
    /// The client has taken too long.
    TooSlow,
    /// There is more of it than there may be.
    TooLarge,
}

/// Why no more of a body is passed on.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    #[error(transparent)]
    Client(hyper::Error),
    #[error("the client was too slow")]
    TooSlow,
    #[error("the body is too large")]
    TooLarge,
}

impl Upload {
    pub(super) fn new(worker: Rc<Worker>, is_patient: bool, most: Option<u64>) -> Self {
        Self {
            worker,
            most,
            meter: RefCell::default(),
            failure: Cell::new(None),
            is_patient: Cell::new(is_patient),
            received: Cell::new(0),
            progress: Cell::new(0),
            waited: Cell::new(Duration::ZERO),
            waits: RefCell::default(),
        }
    }

    /// Has what comes from now on counted for a revision.
    pub(crate) fn counts_for(&self, meter: &Arc<RevisionMeter>) {
        self.meter.replace(Some(Arc::clone(meter)));
    }

    /// Bytes that have come.
    pub(crate) fn received(&self) -> u64 {
        self.received.get()
    }

    /// Why the body broke off, if it did.
    pub(crate) fn failure(&self) -> Option<UploadFailure> {
        self.failure.get()
    }

    /// The app has begun to answer: how long it waits for more of the body is its own matter.
    pub(crate) fn is_answered(&self) {
        self.is_patient.set(true);
        self.waits.take();
    }

    /// The body broke off. The first reason is the one that counts.
    pub(super) fn failed(&self, failure: UploadFailure) {
        if self.failure.get().is_none() {
            self.failure.set(Some(failure));
        }
    }

    /// Bytes have come.
    pub(super) fn came(&self, bytes: usize) -> Result<(), BodyError> {
        if let Some(meter) = &*self.meter.borrow() {
            meter.received(self.worker.number, bytes);
        }
        let bytes = bytes as u64;
        self.received.set(self.received.get().saturating_add(bytes));
        if self.most.is_some_and(|most| self.received.get() > most) {
            self.failed(UploadFailure::TooLarge);
            return Err(BodyError::TooLarge);
        }
        if let Some((since, _)) = self.waits.take() {
            let waited = self.worker.coarse_now().since(since);
            self.waited.set(self.waited.get() + waited);
        }
        self.progress.set(self.progress.get() + bytes);
        if self.progress.get() >= BODY_PROGRESS {
            self.progress.set(0);
            self.waited.set(Duration::ZERO);
        }
        Ok(())
    }

    /// The client is waited for.
    pub(super) fn poll_wait(&self, cx: &Context<'_>) -> Poll<BodyError> {
        if self.is_patient.get() {
            return Poll::Pending;
        }
        let mut waits = self.waits.borrow_mut();
        let (_, deadline) = waits.get_or_insert_with(|| {
            let now = self.worker.coarse_now();
            let left = self.worker.shared.options.limits.body_timeout;
            let due = now + left.saturating_sub(self.waited.get());
            (now, OwnedDeadline::new(Rc::clone(&self.worker), due))
        });
        deadline.poll_passed(cx).map(|_| {
            self.failed(UploadFailure::TooSlow);
            BodyError::TooSlow
        })
    }
}

impl UploadFailure {
    /// What an error of a client's body means.
    pub(super) fn of(error: &hyper::Error) -> Self {
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                let malformed = [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData];
                return if malformed.contains(&error.kind()) {
                    Self::Malformed
                } else {
                    Self::Gone
                };
            }
            cause = error.source();
        }
        Self::Gone
    }
}
