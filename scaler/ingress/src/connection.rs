//! A client's connection: which protocol it speaks, and its requests until it ends.

mod accepted;
mod activity;
mod broken;
mod frames;
mod http1;

use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::headers::Client;
use crate::limits::gate::{Limit, Place};
use crate::request;
use crate::scheme::Scheme;
use crate::stream::{ClientStream, ClientWatch, SharedStream};
use crate::tls::{Handshaken, Presented, SharedTls, shake};
use crate::tunnel::Tunnel;
use crate::upstream::LocalExecutor;
use crate::worker::{Watched, Worker};

pub(crate) use accepted::{Accepted, serve_proxied};
pub(crate) use activity::{Activity, BodyRead, Busy};
pub(crate) use frames::FrameGuard;
pub(crate) use http1::REST_TIME;

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a client that floods an HTTP/2 connection is told: GOAWAY with `ENHANCE_YOUR_CALM`.
const FLOOD: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\x0b";

/// Streams that a client may open and reset before we have looked at them; beyond, the connection ends.
const PENDING_RESETS: usize = 20;

/// Streams of a connection that may end by a client's errors; beyond, the connection ends.
const BROKEN_STREAMS: usize = 256;

/// The largest frame of HTTP/2 that is read, in bytes: the smallest that there is.
const FRAME: u32 = 16_384;

/// What is buffered of an answer over HTTP/2 until the client takes it, in bytes.
const SEND_BUFFER: usize = 64 * 1024;

/// How long a client may take to hear that its idle HTTP/2 connection ends.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the requests of one connection share.
pub(crate) struct Peer {
    pub(crate) worker: Rc<Worker>,
    /// What the connection is at.
    pub(crate) activity: Rc<Activity>,
    pub(crate) client: Client,
    /// The connection, where one whose bodies are not read has to be watched: HTTP/1.1.
    pub(crate) watch: Option<ClientWatch>,
    /// What the client has shown of itself, if it was asked for a certificate.
    pub(crate) presented: Option<Box<Presented>>,
    /// What the connection becomes after the answer 101.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
    /// Its place among the connections that there may be.
    _place: Place,
}

/// A connection of which is known what it speaks.
struct Connected<S> {
    peer: Peer,
    watched: Watched,
    stream: ClientStream<S>,
    watch: ClientWatch,
}

/// Serves a connection in the clear until it ends.
async fn serve(worker: Rc<Worker>, stream: TcpStream, client: Client, place: Place) {
    send_at_once(&stream);
    let watched = worker.watch();
    let stream = SharedStream::new(stream);
    let watch = stream.watch();
    let head_timeout = worker.shared.options.limits.head_timeout;
    // In a box, as what is needed to begin is not needed after that.
    let sniff = Box::pin(sniff(stream, Rc::clone(&watched.activity)));
    // A connection that has not begun a request is not worth waiting for when the worker drains.
    let sniffed = worker.drain.cancel(timeout(head_timeout, sniff));
    let (protocol, stream) = match sniffed.await {
        Some(Ok(Ok(sniffed))) => sniffed,
        Some(Err(_)) => return worker.shared.gate.reached(Limit::HeadTime),
        Some(Ok(Err(_))) | None => return,
    };
    let connected = Connected {
        peer: Peer::new(worker, &watched, client, place),
        watched,
        stream,
        watch,
    };
    connected.serve(protocol).await;
}

/// Serves a connection by TLS until it ends.
async fn serve_tls(
    worker: Rc<Worker>,
    tls: SharedTls,
    stream: TcpStream,
    client: Client,
    place: Place,
) {
    send_at_once(&stream);
    let watched = worker.watch();
    let head_timeout = worker.shared.options.limits.head_timeout;
    let handshake = Box::pin(begin_tls(tls, stream, Rc::clone(&watched.activity)));
    let begun = worker.drain.cancel(timeout(head_timeout, handshake));
    let (protocol, stream, watch, presented) = match begun.await {
        Some(Ok(Ok(begun))) => begun,
        Some(Ok(Err(error))) => {
            tracing::debug!(?client, %error, "no TLS connection");
            return;
        }
        Some(Err(_)) => return worker.shared.gate.reached(Limit::HeadTime),
        None => return,
    };
    let mut peer = Peer::new(worker, &watched, client, place);
    peer.presented = presented;
    let connected = Connected {
        peer,
        watched,
        stream,
        watch,
    };
    connected.serve(protocol).await;
}

fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn Nagle's algorithm off");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is clear which protocol this is.
async fn sniff<S: AsyncRead + Unpin>(
    mut stream: S,
    activity: Rc<Activity>,
) -> io::Result<(Protocol, ClientStream<S>)> {
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
        let is_http2 = protocol == Protocol::Http2;
        let frames = is_http2.then(|| Box::new(FrameGuard::new(activity.now())));
        let stream = ClientStream::new(stream, read.freeze(), activity, frames);
        return Ok((protocol, stream));
    }
}

type BegunTls = (
    Protocol,
    ClientStream<TlsStream<SharedStream>>,
    ClientWatch,
    Option<Box<Presented>>,
);

/// Does the handshake, in which the client chooses the protocol. One that chose HTTP/2 has to begin
/// with it in the same time: hyper would wait for that without end.
async fn begin_tls(
    tls: SharedTls,
    stream: TcpStream,
    activity: Rc<Activity>,
) -> io::Result<BegunTls> {
    let Handshaken {
        stream,
        watch,
        is_http2,
        presented,
    } = shake(&tls, stream).await?;
    if !is_http2 {
        // The first head has its time as one has of which a part has come.
        activity.read();
        let stream = ClientStream::new(stream, Bytes::new(), activity, None);
        return Ok((Protocol::Http1, stream, watch, presented));
    }
    match sniff(stream, activity).await? {
        (Protocol::Http2, stream) => Ok((Protocol::Http2, stream, watch, presented)),
        (Protocol::Http1, _) => Err(io::Error::other(
            "the client chose HTTP/2 and speaks another",
        )),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Connected<S> {
    async fn serve(self, protocol: Protocol) {
        match protocol {
            Protocol::Http1 => self.serve_http1().await,
            // In a box, as what only one of the protocols needs is not for the other to have.
            Protocol::Http2 => Box::pin(self.serve_http2()).await,
        }
    }

    async fn serve_http2(self) {
        let Self {
            peer,
            stream,
            watch,
            watched: _watched,
        } = self;
        let peer = Rc::new(peer);
        let limits = &peer.worker.shared.options.limits;
        let service = service_fn(|request| request::handle(Rc::clone(&peer), request));
        let connection = http2::Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .enable_connect_protocol()
            .max_concurrent_streams(limits.streams)
            .max_pending_accept_reset_streams(PENDING_RESETS)
            .max_local_error_reset_streams(BROKEN_STREAMS)
            .max_frame_size(FRAME)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(limits.header_bytes)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let drain = &peer.worker.drain;
        let ended = drain.run(connection.as_mut(), http2::Connection::graceful_shutdown);
        let ended = {
            let ended = pin!(ended);
            peer.activity.limit(ended).await
        };
        match ended {
            Ok(Err(error)) => peer.broke(&error),
            Ok(Ok(())) => {}
            Err(limit) => {
                peer.worker.shared.gate.reached(limit);
                match (limit, peer.client.scheme()) {
                    (Limit::WriteTime, _) => return watch.reset_on_close(),
                    (Limit::Frames, Scheme::Http) => return watch.write_last(FLOOD),
                    // What is not encrypted is not for this client.
                    (Limit::Frames, Scheme::Https) => return,
                    _ => {}
                }
                connection.as_mut().graceful_shutdown();
                if let Ok(Err(error)) = timeout(GOODBYE, connection).await {
                    peer.broke(&error);
                }
            }
        }
    }
}

impl Peer {
    fn new(worker: Rc<Worker>, watched: &Watched, client: Client, place: Place) -> Self {
        Self {
            worker,
            activity: Rc::clone(&watched.activity),
            client,
            watch: None,
            presented: None,
            tunnel: RefCell::default(),
            _place: place,
        }
    }
}
