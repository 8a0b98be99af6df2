//! A TCP connection that several have. A client's is shared between hyper, which reads and writes it (by TLS
//! or in the clear), and the worker, which has to notice when the client closes it while nobody reads.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::connection::{Activity, FrameGuard};
use crate::limits::gate::Limit;

/// Up to this size pieces are copied to be written as one, which costs the system less than several do.
const SMALL: usize = 1024;

/// The connection itself, as whatever reads and writes it has it.
#[derive(Clone)]
pub(crate) struct SharedStream(Rc<RefCell<TcpStream>>);

/// The connection as others see it.
#[derive(Clone)]
pub(crate) struct ClientWatch(Rc<RefCell<TcpStream>>);

/// The connection as hyper has it: what was read to find out the protocol comes first.
pub(crate) struct ClientStream<S> {
    stream: S,
    unread: Bytes,
    activity: Rc<Activity>,
    /// What looks at the frames of HTTP/2.
    frames: Option<Box<FrameGuard>>,
}

impl SharedStream {
    /// Shares a connection.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(Rc::new(RefCell::new(stream)))
    }

    /// The way to look at it while something else has it.
    pub(crate) fn watch(&self) -> ClientWatch {
        ClientWatch(Rc::clone(&self.0))
    }

    /// Ends it for everyone who has it.
    pub(crate) fn end(&self) {
        if let Err(error) = SockRef::from(&*self.0.borrow()).shutdown(Shutdown::Both) {
            tracing::debug!(%error, "a connection has ended already");
        }
    }

    /// Whether the other side has neither sent anything that was not read nor closed the connection.
    pub(crate) fn is_quiet(&self) -> bool {
        // The system is asked only if it has said that something has come.
        let read = self.0.borrow().try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl<S> ClientStream<S> {
    /// A connection of which `unread` has been read already.
    pub(crate) fn new(
        stream: S,
        unread: Bytes,
        activity: Rc<Activity>,
        frames: Option<Box<FrameGuard>>,
    ) -> Self {
        Self {
            stream,
            unread,
            activity,
            frames,
        }
    }

    /// Gives back what was read and not used.
    pub(crate) fn unread(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            // It may hold on to a large buffer all the same.
            return;
        }
        self.unread = if self.unread.is_empty() {
            bytes
        } else {
            [bytes, std::mem::take(&mut self.unread)].concat().into()
        };
    }

    /// Notes what a client has sent. Says whether to go on.
    fn read(&mut self, bytes: &[u8]) -> bool {
        let Some(frames) = &mut self.frames else {
            self.activity.read();
            return true;
        };
        let is_flood = frames.is_flood(bytes, self.activity.now());
        if is_flood {
            self.activity.cut_off(Limit::Frames);
        }
        !is_flood
    }

    /// Notes what a write has come to.
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Some(frames), Poll::Ready(Ok(written))) = (&mut self.frames, &written) {
            frames.sent(*written);
        }
        self.notes_blocked(written.is_pending());
        written
    }

    fn notes_blocked(&self, is_blocked: bool) {
        if is_blocked {
            self.activity.blocked();
        } else {
            self.activity.wrote();
        }
    }
}

impl ClientWatch {
    /// Whether the client has closed its side, also when there is data before that which nobody has
    /// read yet. Like hyper this takes a half-closed connection for a closed one.
    pub(crate) fn is_closed(&self) -> bool {
        let stream = self.0.borrow();
        let ready = pin!(stream.ready(Interest::READABLE));
        match ready.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed() || ready.is_write_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Writes what is the last of a connection, as much of it as the system takes.
    pub(crate) fn write_last(&self, bytes: &[u8]) {
        if let Err(error) = self.0.borrow().try_write(bytes) {
            tracing::debug!(%error, "cannot tell a client why its connection ends");
        }
    }

    /// Makes the closing of the connection an abortive one (a reset), so that the client cannot
    /// take a broken answer for a complete one.
    pub(crate) fn reset_on_close(&self) {
        if let Err(error) = SockRef::from(&*self.0.borrow()).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "cannot reset a client's connection");
        }
    }
}

impl AsyncRead for SharedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for SharedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut stream = self.0.borrow_mut();
        let stream = Pin::new(&mut *stream);
        let mut small = [0; SMALL];
        match join(bufs, &mut small) {
            Some(length) => stream.poll_write(cx, &small[..length]),
            None => stream.poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }
}

/// Puts pieces together if there is room for all. Says how long they are.
fn join(pieces: &[IoSlice<'_>], room: &mut [u8]) -> Option<usize> {
    let mut length = 0;
    for piece in pieces {
        let end = length + piece.len();
        room.get_mut(length..end)?.copy_from_slice(piece);
        length = end;
    }
    Some(length)
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.has_remaining() {
            let length = self.unread.len().min(buf.remaining());
            let bytes = self.unread.split_to(length);
            self.read(&bytes);
            buf.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let bytes = &buf.filled()[before..];
        if bytes.is_empty() || self.read(bytes) {
            return read;
        }
        // The connection has been told to end.
        buf.set_filled(before);
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // TLS holds what the system does not take.
        self.notes_blocked(flushed.is_pending());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.activity.rests() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
