//! A connection, and how many there are.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Bytes with which an HTTP/2 client begins (RFC 9113, 3.4).
const PREFACE: usize = 24;
/// Within what time they must have come. HTTP/2's own keepalive begins only after them, so without
/// this a silent connection would keep its place for ever.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections a service has, how many it may have, and what its certificate stands at.
pub struct Connections {
    free: Arc<Semaphore>,
    most: usize,
    refused: AtomicU64,
    /// The end of the certificate's validity in seconds since 1970; none is the least number.
    not_after: AtomicI64,
    failed_reloads: AtomicU64,
}

/// The same at one moment, for `/metrics`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionsSample {
    /// Open connections.
    pub open: usize,
    /// How many there may be.
    pub most: usize,
    /// Connections that were one too many.
    pub refused: u64,
    /// The end of the certificate's validity in seconds since 1970, by TLS.
    pub certificate_not_after: Option<i64>,
    /// How often certificates that changed could not be taken.
    pub failed_reloads: u64,
}

impl Connections {
    /// None yet, and at most so many.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            most,
            refused: AtomicU64::new(0),
            not_after: AtomicI64::new(i64::MIN),
            failed_reloads: AtomicU64::new(0),
        })
    }

    /// What they are now.
    pub fn sample(&self) -> ConnectionsSample {
        let not_after = self.not_after.load(Ordering::Relaxed);
        ConnectionsSample {
            open: self.most.saturating_sub(self.free.available_permits()),
            most: self.most,
            refused: self.refused.load(Ordering::Relaxed),
            certificate_not_after: (not_after != i64::MIN).then_some(not_after),
            failed_reloads: self.failed_reloads.load(Ordering::Relaxed),
        }
    }

    /// A place for one more, or none if there is no room.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok();
        if place.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// Takes note of the certificate in force.
    pub(super) fn certificate(&self, not_after: jiff::Timestamp) {
        let seconds = not_after.as_second();
        self.not_after.store(seconds, Ordering::Relaxed);
    }

    /// Certificates that changed could not be taken.
    pub(super) fn reload_failed(&self) {
        self.failed_reloads.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection, which gives its place back when it is dropped, and fails if its client does not begin
/// to speak HTTP/2 in time.
pub(crate) struct Connection {
    stream: Stream,
    info: TcpConnectInfo,
    /// None once the preface is there.
    preface: Option<Preface>,
    _place: OwnedSemaphorePermit,
}

/// The preface that is to come.
struct Preface {
    missing: usize,
    deadline: Pin<Box<Sleep>>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// A connection in the clear.
    pub(super) fn plain(stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) -> Self {
        let local_addr = stream.local_addr().ok();
        Self::new(Stream::Plain(stream), local_addr, peer, place)
    }

    /// A connection by TLS.
    pub(super) fn tls(
        stream: TlsStream<TcpStream>,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let local_addr = stream.get_ref().0.local_addr().ok();
        Self::new(Stream::Tls(Box::new(stream)), local_addr, peer, place)
    }

    fn new(
        stream: Stream,
        local_addr: Option<SocketAddr>,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let info = TcpConnectInfo {
            local_addr,
            remote_addr: Some(peer),
        };
        Self {
            stream,
            info,
            preface: Some(Preface {
                missing: PREFACE,
                deadline: Box::pin(sleep(PREFACE_TIMEOUT)),
            }),
            _place: place,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.info.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        let Some(preface) = &mut self.preface else {
            return read;
        };
        if read.is_pending() {
            ready!(preface.deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let come = buffer.filled().len() - before;
        preface.missing = preface.missing.saturating_sub(come);
        if preface.missing == 0 {
            self.preface = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
