//! A replica's answer, compressed on its way: piece by piece, and with nothing kept back while the
//! replica pauses.

mod encoder;

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ebbtide_core::policy::Coding;
use http::HeaderMap;
use http_body::Frame;

use super::{AnswerError, ReplicaBody};
use crate::limits::gate::Limit;
use crate::worker::Worker;
use encoder::Encoder;

/// Answers that one worker compresses at a time: an encoder of brotli takes up to 4 MiB, and the others a
/// tenth of that. Further answers go out as they come.
const MOST: u32 = 64;

/// Bytes that are compressed at once, for a few tenths of a millisecond: the worker has others to
/// serve.
const PIECE: usize = 16 * 1024;

/// What it takes to compress one answer.
pub(crate) struct Compressor {
    encoder: Encoder,
    place: Place,
}

/// A place among the answers that a worker compresses, given back when it is dropped.
struct Place(Rc<Worker>);

impl Drop for Place {
    fn drop(&mut self) {
        let compressing = &self.0.compressing;
        compressing.set(compressing.get() - 1);
    }
}

impl Compressor {
    /// None if the worker compresses as many answers as it may.
    pub(crate) fn new(worker: &Rc<Worker>, coding: Coding) -> Option<Self> {
        let count = worker.compressing.get();
        if count == MOST {
            worker.shared.gate.reached(Limit::Compressions);
            return None;
        }
        let encoder = Encoder::new(coding).ok()?;
        worker.compressing.set(count + 1);
        let place = Place(Rc::clone(worker));
        Some(Self { encoder, place })
    }
}

/// The body of an answer that is compressed.
pub(crate) struct Compressed {
    body: ReplicaBody,
    /// None when there is no more to come from it.
    encoder: Option<Encoder>,
    /// What came of the body and is not in the encoder yet.
    input: Bytes,
    /// Whether all that is in the encoder has come out.
    is_flushed: bool,
    trailers: Option<HeaderMap>,
    _place: Place,
}

impl Compressed {
    pub(crate) fn new(body: ReplicaBody, compressor: Compressor) -> Self {
        Self {
            body,
            encoder: Some(compressor.encoder),
            input: Bytes::new(),
            is_flushed: true,
            trailers: None,
            _place: compressor.place,
        }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        match ready!(self.poll_output(cx)) {
            Ok(Some(output)) => Poll::Ready(Some(Ok(Frame::data(output)))),
            Ok(None) => Poll::Ready(self.trailers.take().map(Frame::trailers).map(Ok)),
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.trailers.is_none()
    }

    /// What comes out next; none at the end.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, AnswerError>> {
        loop {
            let Some(encoder) = &mut self.encoder else {
                return Poll::Ready(Ok(None));
            };
            if self.input.is_empty() {
                match self.body.poll_frame(cx)? {
                    Poll::Ready(Some(frame)) => match frame.into_data() {
                        Ok(data) => self.input = data,
                        Err(frame) => {
                            self.trailers = frame.into_trailers().ok();
                            return Poll::Ready(self.finish());
                        }
                    },
                    Poll::Ready(None) => return Poll::Ready(self.finish()),
                    Poll::Pending if self.is_flushed => return Poll::Pending,
                    Poll::Pending => {
                        encoder.flush()?;
                        self.is_flushed = true;
                    }
                }
            } else {
                let piece = self.input.split_to(self.input.len().min(PIECE));
                encoder.write(&piece)?;
                self.is_flushed = false;
            }
            let output = encoder.take_output();
            if !output.is_empty() {
                return Poll::Ready(Ok(Some(output)));
            }
        }
    }

    fn finish(&mut self) -> Result<Option<Bytes>, AnswerError> {
        let rest = self.encoder.take().map(Encoder::finish).transpose()?;
        Ok(rest)
    }
}
