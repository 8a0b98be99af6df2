//! The client's end of a tunnel, or of a connection to a TCP app: counts what goes through, and notes when.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ebbtide_core::time::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::request::visit::Visit;

/// A connection with a client whose bytes count for a request.
pub(crate) struct Counted<'a, S> {
    client: S,
    visit: &'a Visit,
    /// When something went through last, as of the worker's tick, if somebody asks.
    last: Option<&'a Cell<Timestamp>>,
}

impl<'a, S> Counted<'a, S> {
    pub(super) fn new(client: S, visit: &'a Visit) -> Self {
        Self {
            client,
            visit,
            last: None,
        }
    }

    /// The same, with the time noted in `last`.
    pub(crate) fn noting(client: S, visit: &'a Visit, last: &'a Cell<Timestamp>) -> Self {
        Self {
            last: Some(last),
            ..Self::new(client, visit)
        }
    }

    fn note(&self) {
        if let Some(last) = self.last {
            last.set(self.visit.worker().coarse_now());
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.client).poll_read(cx, buf);
        if read.is_ready() {
            self.visit.received(buf.filled().len() - before);
            self.note();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.client).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = written {
            self.visit.sent(written);
            self.note();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_shutdown(cx)
    }
}
