//! The requests of an HTTP/1 connection. One that has none rests, at once or, if it has them often, after a
//! while: what hyper needs for requests (16 KiB of buffers and more) is given up until the next one comes.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::activity::Interruption;
use super::{Connected, Peer};
use crate::limits::Limits;
use crate::limits::gate::Limit;
use crate::limits::reason::Reason;
use crate::request;
use crate::scheme::Scheme;
use crate::stream::{ClientStream, ClientWatch};
use crate::tunnel::Tunnel;

/// What is buffered of an HTTP/1 connection at most, each way, unless a head may be larger.
const BUFFER: usize = 128 * 1024;

/// As many headers hyper reads without allocating, which is the limit that it has by itself.
const INLINE_HEADERS: usize = 100;

/// What a client that is too slow with a head is told.
const SLOW_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-length: 0\r\n\r\n";

/// What is read at once when a client ends the rest of its connection, in bytes: most heads.
const FIRST: usize = 2048;

/// What is read at once of what nobody wants any more, in bytes.
const REST: usize = 8 * 1024;

/// How long is read what nobody wants any more: of a body after its answer, and of a connection until the client,
/// which was answered, closes it.
pub(crate) const REST_TIME: Duration = Duration::from_secs(2);

/// What has become of a connection.
enum Served<S> {
    Ended,
    /// No more is answered, and the client has been told so.
    Answered(ClientStream<S>),
    /// It has nothing to do.
    Rests(ClientStream<S>),
    /// It speaks another protocol, of which these bytes were read.
    Switched(Tunnel, ClientStream<S>, Bytes),
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Connected<S> {
    pub(super) async fn serve_http1(self) {
        let Self {
            mut peer,
            watched,
            mut stream,
            watch,
        } = self;
        peer.watch = Some(watch.clone());
        let peer = Rc::new(peer);
        loop {
            // In boxes, so that a connection that rests is small.
            stream = match Box::pin(serve_requests(&peer, stream, &watch)).await {
                Served::Ended => return,
                Served::Answered(stream) => return Box::pin(peer.read_rest(stream)).await,
                Served::Rests(rested) => match peer.rest(rested).await {
                    Some(stream) => stream,
                    None => return,
                },
                Served::Switched(tunnel, stream, read) => {
                    // Its time is its own.
                    drop(watched);
                    return Box::pin(tunnel.run(stream, read)).await;
                }
            };
        }
    }
}

/// Answers requests until the connection ends, or rests.
async fn serve_requests<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    peer: &Rc<Peer>,
    stream: ClientStream<S>,
    watch: &ClientWatch,
) -> Served<S> {
    peer.activity.can_rest();
    let service = service_fn(|request| request::handle(Rc::clone(peer), request));
    let mut connection =
        builder(&peer.worker.shared.options.limits).serve_connection(TokioIo::new(stream), service);
    loop {
        let ended = peer
            .worker
            .drain
            .run(Pin::new(&mut connection), |connection| {
                connection.graceful_shutdown();
            });
        let ended = {
            let ended = pin!(ended);
            peer.activity.limit_or_rest(ended).await
        };
        match ended {
            // An answer that broke off must not look like a complete one.
            Ok(Err(error)) if error.is_user() => {
                watch.reset_on_close();
                return Served::Ended;
            }
            Ok(Err(error)) => peer.broke(&error),
            Ok(Ok(())) => {}
            Err(Interruption::Limit(limit)) => {
                peer.is_over(limit, watch);
                return Served::Ended;
            }
            Err(Interruption::Rest) => {
                peer.activity.rest();
                Pin::new(&mut connection).graceful_shutdown();
                match poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll(cx))).await {
                    Poll::Ready(Ok(())) => {
                        let parts = connection.into_parts();
                        let mut stream = parts.io.into_inner();
                        stream.unread(parts.read_buf);
                        return Served::Rests(stream);
                    }
                    Poll::Ready(Err(error)) => peer.broke(&error),
                    Poll::Pending => {
                        // It has got something to do after all, and ends when that is done.
                        peer.activity.can_rest();
                        continue;
                    }
                }
            }
        }
        break;
    }
    let parts = connection.into_parts();
    let stream = parts.io.into_inner();
    match peer.tunnel.take() {
        Some(tunnel) => Served::Switched(tunnel, stream, parts.read_buf),
        None => Served::Answered(stream),
    }
}

impl Peer {
    /// Waits for what a client that rests sends next. None if it sends nothing more.
    async fn rest<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: ClientStream<S>,
    ) -> Option<ClientStream<S>> {
        let more = async {
            let more = self.worker.drain.cancel(first_bytes(&mut stream)).await;
            let bytes = more.transpose()?.unwrap_or_default();
            if bytes.is_empty() {
                // By TLS the client is told that nothing is missing.
                self.activity.can_rest();
                stream.shutdown().await?;
            }
            io::Result::Ok(bytes)
        };
        let more = {
            let more = pin!(more);
            self.activity.limit(more).await
        };
        match more {
            Ok(Ok(bytes)) if bytes.is_empty() => None,
            Ok(Ok(bytes)) => {
                stream.unread(bytes);
                Some(stream)
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "a client's connection broke");
                None
            }
            Err(limit) => {
                self.worker.shared.gate.reached(limit);
                None
            }
        }
    }

    /// Reads what a client still sends after the last answer, such as the body of a request that was refused. To
    /// close before it has seen the answer is to reset the connection, and it may never see it then (RFC 9112,
    /// section 9.6).
    async fn read_rest<S: AsyncRead + Unpin>(&self, mut stream: ClientStream<S>) {
        let rest = async {
            let mut space = vec![0; REST];
            while matches!(stream.read(&mut space).await, Ok(length) if length > 0) {}
        };
        let rest = pin!(self.worker.drain.cancel(timeout(REST_TIME, rest)));
        if self.activity.limit(rest).await.is_err() {
            tracing::debug!("a client sends on after its last answer");
        }
    }

    fn is_over(&self, limit: Limit, watch: &ClientWatch) {
        self.worker.shared.gate.reached(limit);
        match (limit, self.client.scheme()) {
            (Limit::HeadTime, Scheme::Http) => {
                self.answers_unread(Reason::SlowHead, StatusCode::REQUEST_TIMEOUT);
                watch.write_last(SLOW_HEAD);
            }
            (Limit::WriteTime, _) => watch.reset_on_close(),
            _ => {}
        }
    }
}

/// Reads what comes first, into nothing that has to be there while nothing comes.
async fn first_bytes<S: AsyncRead + Unpin>(stream: &mut ClientStream<S>) -> io::Result<Bytes> {
    poll_fn(|cx| {
        let mut space = [0; FIRST];
        let mut read = ReadBuf::new(&mut space);
        let polled = Pin::new(&mut *stream).poll_read(cx, &mut read);
        polled.map_ok(|()| Bytes::copy_from_slice(read.filled()))
    })
    .await
}

fn builder(limits: &Limits) -> http1::Builder {
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
