//! A connection that knows when the first byte of an answer came.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::RunClock;
use crate::engine::dial::Stream;

/// A connection.
pub(super) struct Timed {
    stream: Stream,
    clock: RunClock,
    first_read: Option<Duration>,
}

impl Timed {
    pub(super) fn new(stream: Stream, clock: RunClock) -> Self {
        Self {
            stream,
            clock,
            first_read: None,
        }
    }

    /// What is read from here on is another answer's, in the time of this clock.
    pub(super) fn begin(&mut self, clock: RunClock) {
        self.clock = clock;
        self.first_read = None;
    }

    /// When something was read first since then; none if nothing was.
    pub(super) fn first_read(&self) -> Option<Duration> {
        self.first_read
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let timed = self.get_mut();
        let before = buffer.filled().len();
        ready!(match &mut timed.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        })?;
        if buffer.filled().len() > before {
            let clock = timed.clock;
            timed.first_read.get_or_insert_with(|| clock.elapsed());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
