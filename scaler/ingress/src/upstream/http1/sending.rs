//! A request on its way to a replica.

use std::future::poll_fn;
use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::header::TRAILER;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame};
use tokio::io::AsyncWrite as _;

use super::Http1Error;
use super::head::Coding;
use crate::body::{BodyError, RequestBody};
use crate::headers::has_token;
use crate::stream::SharedStream;

/// What is left of a request that is being sent.
///
/// A server may answer before it has read a request's body, and close (RFC 9112, section 9.6). What is
/// written from then on fails, while the answer is there to be read. So what can no longer be sent is thrown
/// away instead: reading then gives the answer, or says that there is none, and the client can end its body.
pub(super) struct Sending {
    stream: SharedStream,
    body: RequestBody,
    coding: Coding,
    /// The trailers that the head announces.
    announced: Vec<HeaderValue>,
    /// What goes out next: the head or a chunk's line, data, and a chunk's end.
    before: Vec<u8>,
    data: Bytes,
    after: &'static [u8],
    /// How much of what is before the data is gone.
    written: usize,
    /// Whether there is no more to come of the body.
    has_ended: bool,
    /// Whether some of it has been taken.
    has_begun: bool,
    /// Whether the replica takes no more of it.
    is_refused: bool,
}

/// Why a request is sent no further.
pub(super) enum Stopped {
    /// The connection takes nothing of it.
    Unsent(io::Error),
    Broken(Http1Error),
}

impl Sending {
    /// A request of which the head is `written`, with what it says.
    pub(super) fn new(
        stream: SharedStream,
        written: Vec<u8>,
        headers: &HeaderMap,
        coding: Coding,
        body: RequestBody,
    ) -> Self {
        let has_ended = coding == Coding::Length(0);
        let announced = headers.get_all(TRAILER).iter();
        Self {
            stream,
            body,
            coding,
            announced: announced.cloned().collect(),
            before: written,
            data: Bytes::new(),
            after: b"",
            written: 0,
            has_ended,
            has_begun: false,
            is_refused: false,
        }
    }

    /// Sends what can be sent now.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        loop {
            if self.wants_more() {
                match Pin::new(&mut self.body).poll_frame(cx) {
                    Poll::Ready(frame) => self.take(frame).map_err(Stopped::Broken)?,
                    Poll::Pending if self.is_written() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            if !self.is_written() {
                ready!(self.poll_write(cx))?;
            } else if self.has_ended {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Whether all of it has been sent.
    pub(super) fn is_done(&self) -> bool {
        self.has_ended && self.is_written()
    }

    /// Whether the replica takes no more.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// What is left of the body, and what heads are written in.
    pub(super) fn into_parts(self) -> (RequestBody, Vec<u8>) {
        (self.body, self.before)
    }

    /// Sends the rest, for a replica that answers before it has got all. Where there will be no rest, there
    /// is no answer either.
    pub(super) async fn finish(mut self) {
        if poll_fn(|cx| self.poll(cx)).await.is_err() {
            self.stream.end();
        }
    }

    /// Whether the body is to be asked. Its first data goes out with the head.
    fn wants_more(&self) -> bool {
        !self.has_ended && self.data.is_empty() && self.after.is_empty()
    }

    fn is_written(&self) -> bool {
        self.before.is_empty() && self.data.is_empty() && self.after.is_empty()
    }

    fn take(&mut self, frame: Option<Result<Frame<Bytes>, BodyError>>) -> Result<(), Http1Error> {
        // Who sends the body has noted why it broke off.
        let frame = frame.transpose().map_err(|_| Http1Error::RequestBody)?;
        match frame.map(Frame::into_data) {
            Some(Ok(data)) => self.take_data(data),
            Some(Err(frame)) => self.end(frame.into_trailers().ok().as_ref()),
            None => self.end(None),
        }
    }

    fn take_data(&mut self, data: Bytes) -> Result<(), Http1Error> {
        match &mut self.coding {
            _ if data.is_empty() => return Ok(()),
            Coding::Length(left) => {
                let rest = left.checked_sub(data.len() as u64);
                *left = rest.ok_or(Http1Error::RequestLength)?;
                self.has_ended = *left == 0 && self.body.is_end_stream();
            }
            Coding::Chunked => {
                write!(self.before, "{:x}\r\n", data.len())?;
                self.after = b"\r\n";
            }
        }
        self.data = data;
        Ok(())
    }

    fn end(&mut self, trailers: Option<&HeaderMap>) -> Result<(), Http1Error> {
        self.has_ended = true;
        match self.coding {
            Coding::Length(0) => {}
            Coding::Length(_) => return Err(Http1Error::RequestLength),
            Coding::Chunked => {
                self.before.extend_from_slice(b"0\r\n");
                let announced =
                    |name: &str| self.announced.iter().any(|names| has_token(names, name));
                let trailers = trailers.into_iter().flatten();
                for (name, value) in trailers.filter(|(name, _)| announced(name.as_str())) {
                    for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                        self.before.extend_from_slice(part);
                    }
                }
                self.before.extend_from_slice(b"\r\n");
            }
        }
        Ok(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        let before = &self.before[self.written..];
        let all = before.len() + self.data.len() + self.after.len();
        if self.is_refused {
            self.wrote(all);
            return Poll::Ready(Ok(()));
        }
        let stream = Pin::new(&mut self.stream);
        let written = if self.data.is_empty() && self.after.is_empty() {
            stream.poll_write(cx, before)
        } else {
            let parts = [before, &self.data, self.after].map(IoSlice::new);
            stream.poll_write_vectored(cx, &parts)
        };
        match ready!(written) {
            Ok(0) => return Poll::Ready(Err(self.stopped(io::ErrorKind::WriteZero.into()))),
            Ok(written) => {
                self.has_begun = true;
                self.wrote(written);
            }
            Err(error) if self.has_begun && is_refusal(&error) => self.is_refused = true,
            Err(error) => return Poll::Ready(Err(self.stopped(error))),
        }
        Poll::Ready(Ok(()))
    }

    fn stopped(&self, error: io::Error) -> Stopped {
        if self.has_begun {
            return Stopped::Broken(error.into());
        }
        Stopped::Unsent(error)
    }

    fn wrote(&mut self, mut bytes: usize) {
        let head = bytes.min(self.before.len() - self.written);
        self.written += head;
        bytes -= head;
        if self.written == self.before.len() {
            self.before.clear();
            self.written = 0;
        }
        let data = bytes.min(self.data.len());
        self.data.advance(data);
        self.after = &self.after[bytes - data..];
    }
}

/// Whether an error says that the other side takes no more.
fn is_refusal(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    kinds.contains(&error.kind())
}
