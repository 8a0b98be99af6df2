//! Sending a request to a replica, over a connection it may have closed meanwhile.

use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::SemaphorePermit;

use super::answer::{AnswerStream, UpstreamError};
use super::connect;
use super::http1::{Connection, exchange, is_repeated, may_repeat};
use super::pool::Pool;
use crate::body::RequestBody;
use crate::headers;
use crate::replica::UpstreamProtocol;
use crate::upgrade::Upgrade;

/// After this a new connection is taken for accepted, whether there is an answer or not.
const SETTLED: Duration = Duration::from_millis(20);

/// How often an HTTP/2 request is given another connection.
const HTTP2_ATTEMPTS: usize = 3;

/// How often, and after which pauses, it is looked whether a replica takes extended CONNECT.
const OFFER_LOOKS: u32 = 50;
const OFFER_PAUSE: Duration = Duration::from_millis(10);

/// Why there is no answer.
pub(crate) enum Failure {
    /// No connection took the request: it can be sent to another replica, or again.
    Unsent(io::Error),
    /// The connection broke after the request, or some of it, was sent.
    Broken {
        error: UpstreamError,
        /// Whether it may be sent once more.
        may_repeat: bool,
    },
    /// The request asks for WebSocket, and the replica does not take that over HTTP/2.
    NoWebSocket,
}

type Answer = Result<Response<AnswerStream>, Failure>;

/// Sends `request` over a connection of `pool` and waits for the head of the answer. If `upgrade`
/// is given it asks the replica to switch to its protocol. The request stays where it is, so that it can be
/// sent again, but for its body once a connection has taken some of it.
pub(crate) async fn send(
    pool: &Rc<Pool>,
    request: &mut Request<RequestBody>,
    upgrade: Option<&Upgrade>,
) -> Answer {
    match pool.replica().protocol() {
        UpstreamProtocol::Http1 => {
            headers::to_http1(request);
            if let Some(upgrade) = upgrade {
                upgrade.ask_http1(request);
            }
            send_http1(pool, request).await
        }
        UpstreamProtocol::Http2 => {
            headers::to_http2(request);
            if upgrade.is_some_and(|upgrade| upgrade.ask_http2(request)) {
                return send_connect(pool, request).await;
            }
            send_http2(pool, request).await
        }
    }
}

async fn send_http1(pool: &Rc<Pool>, request: &mut Request<RequestBody>) -> Answer {
    loop {
        let connection = if let Some(connection) = reusable(pool, request) {
            connection
        } else {
            let permit = pool.permit().await.map_err(Failure::Unsent)?;
            // One may have become idle while this waited.
            match reusable(pool, request) {
                Some(connection) => connection,
                // In a box, as the other requests need no room for it.
                None => return Box::pin(send_new(pool, request, permit)).await,
            }
        };
        match exchange(pool, connection, request).await {
            // The replica had closed the connection, or did so meanwhile.
            Err(
                Failure::Unsent(_)
                | Failure::Broken {
                    may_repeat: true, ..
                },
            ) => {}
            answer => return Ok(answer?.map(AnswerStream::Http1)),
        }
    }
}

/// An idle connection. None for a request that was sent once already: it must not meet another
/// connection that closes.
fn reusable(pool: &Pool, request: &Request<RequestBody>) -> Option<Box<Connection>> {
    if is_repeated(request) {
        return None;
    }
    pool.take()
}

async fn send_new(
    pool: &Rc<Pool>,
    request: &mut Request<RequestBody>,
    permit: SemaphorePermit<'_>,
) -> Answer {
    let connection = connect::http1(pool.replica().address()).await;
    let connection = connection.map_err(Failure::Unsent)?;
    let response = settle(exchange(pool, connection, request), permit).await?;
    Ok(response.map(AnswerStream::Http1))
}

async fn send_http2(pool: &Rc<Pool>, request: &mut Request<RequestBody>) -> Answer {
    for _ in 1..HTTP2_ATTEMPTS {
        match send_shared(pool, request).await {
            Err(Failure::Unsent(error)) if !is_refusal(&error) => {}
            answer => return answer,
        }
    }
    send_shared(pool, request).await
}

async fn send_shared(pool: &Rc<Pool>, request: &mut Request<RequestBody>) -> Answer {
    let mut sender = pool.shared().await.map_err(Failure::Unsent)?.sender;
    let copy = copy_of(request);
    let may_repeat = copy.is_some();
    let copy = copy.unwrap_or_else(|| Request::new(RequestBody::Empty));
    let sent = sender.try_send_request(std::mem::replace(request, copy));
    match sent.await {
        Ok(response) => Ok(response.map(AnswerStream::Http2)),
        Err(mut error) => Err(match error.take_message() {
            Some(unsent) => {
                *request = unsent;
                Failure::Unsent(io::Error::other(error.into_error()))
            }
            None => Failure::Broken {
                error: error.into_error().into(),
                may_repeat,
            },
        }),
    }
}

/// Sends an extended CONNECT, if the replica takes it (RFC 8441, section 3). It says so in its first frame,
/// which may still be on its way.
async fn send_connect(pool: &Rc<Pool>, request: &mut Request<RequestBody>) -> Answer {
    for _ in 0..OFFER_LOOKS {
        let connection = pool.shared().await.map_err(Failure::Unsent)?;
        if connection.takes_connect() {
            return send_http2(pool, request).await;
        }
        tokio::time::sleep(OFFER_PAUSE).await;
    }
    Err(Failure::NoWebSocket)
}

/// Whether there was no connection at all, so that trying at once again is of no use.
fn is_refusal(error: &io::Error) -> bool {
    let inner = error.get_ref();
    !inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<hyper::Error>)
}

/// Gives the permit back with the answer, or when the replica has had time to accept.
async fn settle<F: Future>(sent: F, permit: SemaphorePermit<'_>) -> F::Output {
    let mut sent = pin!(sent);
    let early = tokio::time::timeout(SETTLED, sent.as_mut()).await;
    drop(permit);
    match early {
        Ok(answer) => answer,
        Err(_) => sent.await,
    }
}

/// The same request once more, if it may be repeated: hyper keeps what it is given.
fn copy_of(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !may_repeat(request) {
        return None;
    }
    let mut copy = Request::new(RequestBody::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}
