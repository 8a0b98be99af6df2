//! A request's body as hyper reads it. The rest of one over HTTP/1 that nobody wants is read all the same, for a
//! moment: hyper ends the connection otherwise, and the client, which has sent all of it and has had its whole
//! answer, may have sent the next request by then.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::connection::{Activity, BodyRead, REST_TIME};
use crate::worker::Worker;

/// The body.
pub(crate) struct Arriving {
    /// None once it has been handed over to be read to its end.
    incoming: Option<Incoming>,
    /// What keeps its connection from resting; none over HTTP/2, and where there is nothing to come.
    reading: Option<BodyRead>,
    /// Who reads the rest; none if the rest is not read.
    worker: Option<Rc<Worker>>,
}

impl Arriving {
    /// A body of which the rest is not read: over HTTP/2 a stream ends without its connection.
    pub(crate) fn of_stream(incoming: Incoming) -> Self {
        Self {
            incoming: Some(incoming),
            reading: None,
            worker: None,
        }
    }

    /// A body over HTTP/1.
    pub(crate) fn of_connection(
        incoming: Incoming,
        worker: &Rc<Worker>,
        activity: &Rc<Activity>,
    ) -> Self {
        let has_rest = !incoming.is_end_stream();
        Self {
            incoming: Some(incoming),
            reading: has_rest.then(|| activity.begin_body()),
            worker: has_rest.then(|| Rc::clone(worker)),
        }
    }

    /// Leaves the rest unread, so that the connection ends.
    pub(crate) fn give_up(&mut self) {
        self.worker = None;
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let unread = self.incoming.take().filter(|body| !body.is_end_stream());
        if let (Some(mut unread), Some(worker)) = (unread, self.worker.take()) {
            let reading = self.reading.take();
            tokio::task::spawn_local(async move {
                let to_end = async { while let Some(Ok(_)) = unread.frame().await {} };
                worker.drain.cancel(timeout(REST_TIME, to_end)).await;
                drop((unread, reading));
            });
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(incoming).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.give_up();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.incoming.as_ref().map(Body::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}
