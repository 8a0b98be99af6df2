//! What becomes of a connection on which something else than a request came.

use std::error::Error;

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
            if is_flood(error) {
                self.worker.shared.gate.reached(Limit::Frames);
            }
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

/// Whether a connection of HTTP/2 has ended since its client did too much of something, such as to reset streams
/// before they were looked at. The h2 crate keeps count of that by itself.
fn is_flood(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|it| it.downcast_ref::<h2::Error>());
    source.is_some_and(|error| {
        error.is_library() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM)
    })
}
