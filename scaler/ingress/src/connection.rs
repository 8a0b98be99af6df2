//! A client's connection: which protocol it speaks, and its requests until it ends.

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

use crate::request;
use crate::stream::{ClientStream, ClientWatch};
use crate::tunnel::Tunnel;
use crate::upstream::LocalExecutor;
use crate::worker::Worker;

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a client may take to send the head of a request, and be idle before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What is buffered of an HTTP/1 connection at most, each way, unless a head may be larger.
const BUFFER: usize = 128 * 1024;

/// As many headers hyper reads without allocating, which is the limit that it has by itself.
const INLINE_HEADERS: usize = 100;

/// How many requests an HTTP/2 connection may have at a time.
const MAX_STREAMS: u32 = 1000;

/// What the requests of one connection share.
pub(crate) struct Peer {
    pub(crate) worker: Rc<Worker>,
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
    // A connection that has not begun a request is not worth waiting for when the worker drains.
    let sniffed = worker.drain.cancel(timeout(HEAD_TIMEOUT, sniff(stream)));
    let Some(Ok(Ok((protocol, stream)))) = sniffed.await else {
        return;
    };
    let address = forwarded_for(address.ip());
    match protocol {
        Protocol::Http1 => serve_http1(worker, stream, address).await,
        Protocol::Http2 => serve_http2(worker, stream, address).await,
    }
}

enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is clear which protocol this is.
async fn sniff(mut stream: TcpStream) -> io::Result<(Protocol, ClientStream)> {
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
        return Ok((protocol, ClientStream::new(stream, read.freeze())));
    }
}

async fn serve_http1(worker: Rc<Worker>, stream: ClientStream, address: HeaderValue) {
    let watch = stream.watch();
    let peer = Rc::new(Peer {
        worker: Rc::clone(&worker),
        address,
        watch: Some(watch.clone()),
        tunnel: RefCell::default(),
    });
    let service = service_fn(|request| request::handle(Rc::clone(&peer), request));
    let limits = worker.shared.options.limits;
    let header_bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(header_bytes)
        .max_buf_size(BUFFER.max(header_bytes));
    if usize::from(limits.headers) != INLINE_HEADERS {
        builder.max_headers(limits.headers.into());
    }
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    let ended = worker.drain.run(Pin::new(&mut connection), |connection| {
        connection.graceful_shutdown();
    });
    match ended.await {
        // An answer that broke off must not look like a complete one.
        Err(error) if error.is_user() => watch.reset_on_close(),
        Err(error) => tracing::debug!(%error, "a client's connection broke"),
        Ok(()) => {}
    }
    if let Some(tunnel) = peer.tunnel.take() {
        let parts = connection.into_parts();
        tunnel.run(parts.io.into_inner(), parts.read_buf).await;
    }
}

async fn serve_http2(worker: Rc<Worker>, stream: ClientStream, address: HeaderValue) {
    let peer = Rc::new(Peer {
        worker: Rc::clone(&worker),
        address,
        watch: None,
        tunnel: RefCell::default(),
    });
    let service = service_fn(move |request| request::handle(Rc::clone(&peer), request));
    let connection = http2::Builder::new(LocalExecutor)
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(worker.shared.options.limits.header_bytes)
        .serve_connection(TokioIo::new(stream), service);
    let connection = pin!(connection);
    let ended = worker
        .drain
        .run(connection, http2::Connection::graceful_shutdown);
    if let Err(error) = ended.await {
        tracing::debug!(%error, "a client's connection broke");
    }
}

fn forwarded_for(address: IpAddr) -> HeaderValue {
    let text = address.to_canonical().to_string();
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}
