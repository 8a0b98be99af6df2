//! A client's connection: which protocol it speaks, and its requests until it ends.

mod activity;

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use http::HeaderValue;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits::Limits;
use crate::limits::gate::Limit;
use crate::request;
use crate::stream::{ClientStream, ClientWatch};
use crate::tunnel::Tunnel;
use crate::upstream::LocalExecutor;
use crate::worker::{Watched, Worker};

pub(crate) use activity::{Activity, Busy};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is buffered of an HTTP/1 connection at most, each way, unless a head may be larger.
const BUFFER: usize = 128 * 1024;

/// As many headers hyper reads without allocating, which is the limit that it has by itself.
const INLINE_HEADERS: usize = 100;

/// What a client that is too slow with a head is told.
const SLOW_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-length: 0\r\n\r\n";

/// How long a client may take to hear that its idle HTTP/2 connection ends.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the requests of one connection share.
pub(crate) struct Peer {
    pub(crate) worker: Rc<Worker>,
    /// What the connection is at.
    pub(crate) activity: Rc<Activity>,
    /// The client's address, for `X-Forwarded-For`.
    pub(crate) address: HeaderValue,
    /// The connection, where one whose bodies are not read has to be watched: HTTP/1.1.
    pub(crate) watch: Option<ClientWatch>,
    /// What the connection becomes after the answer 101.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, stream: TcpStream, address: SocketAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn Nagle's algorithm off");
    }
    let watched = worker.watch();
    let activity = Rc::clone(&watched.activity);
    let head_timeout = worker.shared.options.limits.head_timeout;
    // A connection that has not begun a request is not worth waiting for when the worker drains.
    let sniffed = worker
        .drain
        .cancel(timeout(head_timeout, sniff(stream, activity)));
    let (protocol, stream) = match sniffed.await {
        Some(Ok(Ok(sniffed))) => sniffed,
        Some(Err(_)) => return worker.shared.gate.reached(Limit::HeadTime),
        Some(Ok(Err(_))) | None => return,
    };
    let peer = Peer {
        worker,
        activity: Rc::clone(&watched.activity),
        address: forwarded_for(address.ip()),
        watch: matches!(protocol, Protocol::Http1).then(|| stream.watch()),
        tunnel: RefCell::default(),
    };
    match protocol {
        Protocol::Http1 => serve_http1(Rc::new(peer), stream, watched).await,
        Protocol::Http2 => serve_http2(Rc::new(peer), stream).await,
    }
}

enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is clear which protocol this is.
async fn sniff(
    mut stream: TcpStream,
    activity: Rc<Activity>,
) -> io::Result<(Protocol, ClientStream)> {
    let mut read = BytesMut::with_capacity(HTTP2_PREFACE.len());
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let protocol = match HTTP2_PREFACE.strip_prefix(&*read) {
            None if read.starts_with(HTTP2_PREFACE) => Protocol::Http2,
            None => Protocol::Http1,
            Some([]) => Protocol::Http2,
            Some(_) => continue,
        };
        let is_http1 = matches!(protocol, Protocol::Http1);
        let stream = ClientStream::new(stream, read.freeze(), activity, is_http1);
        return Ok((protocol, stream));
    }
}

async fn serve_http1(peer: Rc<Peer>, stream: ClientStream, watched: Watched) {
    let watch = stream.watch();
    let service = service_fn(|request| request::handle(Rc::clone(&peer), request));
    let mut connection =
        http1(&peer.worker.shared.options.limits).serve_connection(TokioIo::new(stream), service);
    let drain = &peer.worker.drain;
    let ended = drain.run(Pin::new(&mut connection), |connection| {
        connection.graceful_shutdown();
    });
    match peer.activity.limit(ended).await {
        // An answer that broke off must not look like a complete one.
        Ok(Err(error)) if error.is_user() => watch.reset_on_close(),
        Ok(Err(error)) => peer.broke(&error),
        Ok(Ok(())) => {}
        Err(limit) => {
            peer.worker.shared.gate.reached(limit);
            match limit {
                Limit::HeadTime => watch.write_last(SLOW_HEAD),
                Limit::WriteTime => watch.reset_on_close(),
                _ => {}
            }
            return;
        }
    }
    if let Some(tunnel) = peer.tunnel.take() {
        // Its time is its own.
        drop(watched);
        let parts = connection.into_parts();
        tunnel.run(parts.io.into_inner(), parts.read_buf).await;
    }
}

fn http1(limits: &Limits) -> http1::Builder {
    let header_bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    let mut builder = http1::Builder::new();
    builder
        // The worker looks after that itself, without a timer for each head.
        .header_read_timeout(None)
        .max_header_size(header_bytes)
        .max_buf_size(BUFFER.max(header_bytes));
    if usize::from(limits.headers) != INLINE_HEADERS {
        builder.max_headers(limits.headers.into());
    }
    builder
}

async fn serve_http2(peer: Rc<Peer>, stream: ClientStream) {
    let watch = stream.watch();
    let limits = &peer.worker.shared.options.limits;
    let service = service_fn(|request| request::handle(Rc::clone(&peer), request));
    let connection = http2::Builder::new(LocalExecutor)
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let drain = &peer.worker.drain;
    let ended = drain.run(connection.as_mut(), http2::Connection::graceful_shutdown);
    match peer.activity.limit(ended).await {
        Ok(Err(error)) => peer.broke(&error),
        Ok(Ok(())) => {}
        Err(limit) => {
            peer.worker.shared.gate.reached(limit);
            if limit == Limit::WriteTime {
                watch.reset_on_close();
                return;
            }
            connection.as_mut().graceful_shutdown();
            if let Ok(Err(error)) = timeout(GOODBYE, connection).await {
                peer.broke(&error);
            }
        }
    }
}

impl Peer {
    fn broke(&self, error: &hyper::Error) {
        tracing::debug!(%error, "a client's connection broke");
        let gate = &self.worker.shared.gate;
        if error.is_parse_too_large() {
            gate.reached(Limit::Header);
        } else if error.is_parse() {
            gate.reached(Limit::Malformed);
        }
    }
}

fn forwarded_for(address: IpAddr) -> HeaderValue {
    let text = address.to_canonical().to_string();
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}
