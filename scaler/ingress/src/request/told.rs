//! What is told of one request, beside what its visit knows.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;

use crate::access_log::Telling;
use crate::body::Upload;
use crate::limits::reason::Reason;

/// A request that is told of.
pub(super) struct Told {
    telling: Box<Telling>,
    upload: Option<Rc<Upload>>,
    received: Cell<u64>,
    sent: Cell<u64>,
}

impl Told {
    pub(super) fn new(telling: Box<Telling>, upload: Option<Rc<Upload>>) -> Self {
        Self {
            telling,
            upload,
            received: Cell::new(0),
            sent: Cell::new(0),
        }
    }

    pub(super) fn first_byte(&mut self, took: Duration) {
        self.telling.record.first_byte = Some(took);
    }

    /// Bytes have come through its tunnel.
    pub(super) fn received(&self, bytes: usize) {
        self.received.set(self.received.get() + bytes as u64);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent.set(self.sent.get() + bytes as u64);
    }

    pub(super) fn refused(&mut self, status: StatusCode, reason: Reason, bytes: u64) {
        self.telling.record.refused(status, reason, bytes);
    }

    pub(super) fn is_cut_off(&mut self, reason: Reason) {
        self.telling.record.reason = Some(reason.name());
    }

    /// What is told, with the bytes that went through.
    pub(super) fn into_telling(mut self) -> Telling {
        let upload = self.upload.as_ref().map_or(0, |upload| upload.received());
        let record = &mut self.telling.record;
        record.received_bytes = upload + self.received.get();
        record.sent_bytes += self.sent.get();
        *self.telling
    }
}
