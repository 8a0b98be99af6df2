//! Bodies on their way through, passed on frame by frame and never gathered.

mod arriving;
mod compressed;
mod copy;
mod patience;
mod replica;
mod upload;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::connection::Busy;
use crate::headers;
use crate::worker::Worker;

pub(crate) use arriving::Arriving;
pub(crate) use compressed::{Compressed, Compressor};
pub(crate) use copy::{BodyCopy, MOST as MOST_COPIED, NoCopy};
pub(crate) use patience::{AnswerError, Patience};
pub(crate) use replica::ReplicaBody;
pub(crate) use upload::{BodyError, Upload, UploadFailure};

/// The body of a request to a replica.
pub(crate) enum RequestBody {
    /// The client's.
    Client(ClientBody),
    /// None, for a request that is sent again.
    Empty,
    /// All of it, for a copy of a request.
    Whole(Bytes),
}

/// The body that a client sends.
pub(crate) struct ClientBody {
    arriving: Arriving,
    /// None if there is nothing to come.
    upload: Option<Rc<Upload>>,
    /// A copy of it, if one is made.
    copy: Option<Rc<BodyCopy>>,
}

impl ClientBody {
    /// The body of a request to `worker`. One that `is_patient` may pause as long as the client likes.
    /// It has at most as many bytes as the ingress takes, and no more than `most`.
    pub(crate) fn new(
        arriving: Arriving,
        worker: &Rc<Worker>,
        is_patient: bool,
        most: Option<u64>,
    ) -> Self {
        let of_all = worker.shared.options.limits.body_bytes;
        let most = most.into_iter().chain(of_all).min();
        let upload = || Rc::new(Upload::new(Rc::clone(worker), is_patient, most));
        let upload = (!arriving.is_end_stream()).then(upload);
        Self {
            arriving,
            upload,
            copy: None,
        }
    }

    /// The body seen from the request; none if there is none.
    pub(crate) fn upload(&self) -> Option<Rc<Upload>> {
        self.upload.clone()
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.arriving).poll_frame(cx);
        let Some(upload) = &self.upload else {
            return polled.map_err(BodyError::Client);
        };
        let frame = match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    headers::clean_trailers(trailers);
                }
                let came = upload.came(frame.data_ref().map_or(0, Bytes::len));
                if came.is_err() {
                    self.arriving.give_up();
                }
                self.copies(frame.data_ref());
                Some(came.map(|()| frame))
            }
            Poll::Ready(Some(Err(error))) => {
                upload.failed(UploadFailure::of(&error));
                Some(Err(BodyError::Client(error)))
            }
            Poll::Ready(None) => {
                self.copies(None);
                None
            }
            Poll::Pending => {
                let waited = upload.poll_wait(cx);
                if waited.is_ready() {
                    self.arriving.give_up();
                }
                return waited.map(|error| Some(Err(error)));
            }
        };
        Poll::Ready(frame)
    }

    /// Adds what goes through to the copy: data, and nothing at the end.
    fn copies(&self, data: Option<&Bytes>) {
        let Some(copy) = &self.copy else {
            return;
        };
        if let Some(data) = data {
            copy.came(data);
        }
        // hyper does not ask again when it knows from the length, or by trailers, that the body has ended.
        if data.is_none() || self.arriving.is_end_stream() {
            copy.ended();
        }
    }
}

impl RequestBody {
    /// Has a copy made of a client's body while it goes through.
    pub(crate) fn is_copied_to(&mut self, copy: &Rc<BodyCopy>) {
        if let Self::Client(body) = self {
            body.copy = Some(Rc::clone(copy));
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Client(body) => body.poll_frame(cx),
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) => {
                let bytes = Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty());
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Client(body) => body.arriving.is_end_stream(),
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Client(body) => body.arriving.size_hint(),
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

/// The body of an answer.
pub(crate) enum ResponseBody {
    /// One of the ingress's own, taken once.
    Own(Option<Bytes>),
    /// A replica's.
    Replica(ReplicaBody),
    /// A replica's, compressed on its way.
    Compressed(Box<Compressed>),
}

/// The body of an answer to a client, whose request goes on until it has been handed over.
pub(crate) struct AnswerBody {
    body: ResponseBody,
    busy: Busy,
}

impl AnswerBody {
    pub(crate) fn new(body: ResponseBody, busy: Busy) -> Self {
        Self { body, busy }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        this.busy.is_clients_turn(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        match self.get_mut() {
            Self::Own(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Replica(replica) => replica.poll_frame(cx),
            Self::Compressed(compressed) => compressed.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(text) => text.is_none(),
            Self::Replica(replica) => replica.body.is_end_stream(),
            Self::Compressed(compressed) => compressed.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(text) => SizeHint::with_exact(text.as_ref().map_or(0, |t| t.len() as u64)),
            Self::Replica(replica) => replica.body.size_hint(),
            Self::Compressed(_) => SizeHint::default(),
        }
    }
}
