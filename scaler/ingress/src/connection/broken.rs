//! What becomes of a connection on which something else than a request came.

use http::StatusCode;

use super::Peer;
use crate::limits::gate::Limit;
use crate::limits::reason::Reason;

impl Peer {
    /// The connection has broken, after an answer of hyper's own if what came was malformed.
    pub(super) fn broke(&self, error: &hyper::Error) {
        tracing::debug!(%error, "a client's connection broke");
        let (limit, reason, status) = if error.is_parse_too_large() {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            (Limit::Header, Reason::LargeHead, status)
        } else if error.is_parse() {
            (Limit::Malformed, Reason::Malformed, StatusCode::BAD_REQUEST)
        } else {
            return;
        };
        self.worker.shared.gate.reached(limit);
        // Over HTTP/2 there is no answer.
        if self.watch.is_some() {
            self.answers_unread(reason, status);
        }
    }

    /// What the client has sent could not be read as a request, and has been answered.
    pub(super) fn answers_unread(&self, reason: Reason, status: StatusCode) {
        let worker = &self.worker;
        worker.shared.gate.answers(reason);
        worker
            .access
            .unread(&self.client, status, reason, worker.coarse_now());
    }
}
