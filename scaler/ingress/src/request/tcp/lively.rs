//! The client's end of a connection to a TCP app: counts what goes through, and notes when.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ebbtide_core::time::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::request::visit::Visit;

/// The connection.
pub(super) struct Lively<'a> {
    client: TcpStream,
    visit: &'a Visit,
    /// When the last byte went through, as of the worker's tick.
    last: &'a Cell<Timestamp>,
}

impl<'a> Lively<'a> {
    pub(super) fn new(client: TcpStream, visit: &'a Visit, last: &'a Cell<Timestamp>) -> Self {
        Self {
            client,
            visit,
            last,
        }
    }

    fn note(&self) {
        self.last.set(self.visit.worker().coarse_now());
    }
}

impl AsyncRead for Lively<'_> {
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

impl AsyncWrite for Lively<'_> {
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
