//! The body of a replica's answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::{AnswerError, Patience};
use crate::headers;
use crate::limits::reason::Reason;
use crate::request::visit::Visit;
use crate::upstream::AnswerStream;

/// The body of a replica's answer, and what ends with it: the request's place on the replica, its
/// counting, and its use of the upstream connection.
pub(crate) struct ReplicaBody {
    pub(super) body: AnswerStream,
    patience: Patience,
    /// Taken when the body has ended.
    visit: Option<Visit>,
}

impl ReplicaBody {
    pub(crate) fn new(body: AnswerStream, visit: Visit, patience: Patience) -> Self {
        Self {
            body,
            patience,
            visit: Some(visit),
        }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let visit = self.visit.as_ref();
        let late = visit.and_then(|visit| self.patience.look(visit, polled.is_pending(), cx));
        let mut polled = match late {
            Some(error) => Poll::Ready(Some(Err(error))),
            None => polled.map_err(AnswerError::Replica),
        };
        match &mut polled {
            Poll::Ready(None) => self.finish(),
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "an answer broke off");
                let reason = error.reason();
                self.cut_off(reason);
            }
            Poll::Ready(Some(Ok(frame))) => self.passes_on(frame),
            Poll::Pending => {}
        }
        polled
    }

    /// How long it is, if that is known.
    pub(crate) fn exact_size(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    fn cut_off(&mut self, reason: Reason) {
        if let Some(mut visit) = self.visit.take() {
            visit.is_cut_off(reason);
        }
    }

    fn passes_on(&self, frame: &mut Frame<Bytes>) {
        if let Some(trailers) = frame.trailers_mut() {
            headers::clean_trailers(trailers);
        }
        if let (Some(data), Some(visit)) = (frame.data_ref(), &self.visit) {
            visit.sent(data.len());
        }
    }

    /// The body has ended as it should: the connection can be used again.
    fn finish(&mut self) {
        if let Some(mut visit) = self.visit.take() {
            self.body.give_back(visit.finish());
        }
    }
}

impl Drop for ReplicaBody {
    /// hyper does not ask again when it knows from the length that the body has ended. Otherwise
    /// the client has gone: the upstream connection goes with it, and thereby the request.
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.finish();
        } else {
            self.cut_off(Reason::ClientGone);
        }
    }
}
