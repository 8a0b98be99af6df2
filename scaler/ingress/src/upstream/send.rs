//! Sending a request to a replica, over a connection it may have closed meanwhile.

use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::sync::SemaphorePermit;

use super::connect;
use super::connect::Http1Connection;
use super::pool::{Lease, Pool};
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
    Unsent(Box<Request<RequestBody>>, io::Error),
    /// The connection broke after the request, or some of it, was sent. It is here once more if it may
    /// be done twice.
    Broken(hyper::Error, Option<Box<Request<RequestBody>>>),
    /// The request asks for WebSocket, and the replica does not take that over HTTP/2.
    NoWebSocket,
}

type Answer = Result<(Response<Incoming>, Lease), Failure>;
type Sent = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

/// Sends `request` over a connection of `pool` and waits for the head of the answer. If `upgrade`
/// is given it asks the replica to switch to its protocol.
pub(crate) async fn send(
    pool: &Rc<Pool>,
    mut request: Request<RequestBody>,
    upgrade: Option<&Upgrade>,
) -> Answer {
    match pool.replica().protocol() {
        UpstreamProtocol::Http1 => {
            headers::to_http1(&mut request);
            if let Some(upgrade) = upgrade {
                upgrade.ask_http1(&mut request);
            }
            send_http1(pool, request).await
        }
        UpstreamProtocol::Http2 => {
            headers::to_http2(&mut request);
            if upgrade.is_some_and(|upgrade| upgrade.ask_http2(&mut request)) {
                return send_connect(pool, request).await;
            }
            send_http2(pool, request).await
        }
    }
}

async fn send_http1(pool: &Rc<Pool>, mut request: Request<RequestBody>) -> Answer {
    loop {
        let connection = if let Some(connection) = reusable(pool, &request) {
            connection
        } else {
            let permit = match pool.permit().await {
                Ok(permit) => permit,
                Err(error) => return Err(Failure::Unsent(Box::new(request), error)),
            };
            // One may have become idle while this waited.
            match reusable(pool, &request) {
                Some(connection) => connection,
                None => return send_new(pool, request, permit).await,
            }
        };
        request = match send_reused(pool, connection, request).await {
            Ok(answer) => return answer,
            Err(unsent) => unsent,
        };
    }
}

/// An idle connection. None for a request that was sent once already: it must not meet another
/// connection that closes.
fn reusable(pool: &Pool, request: &Request<RequestBody>) -> Option<Http1Connection> {
    if is_copy(request) {
        return None;
    }
    pool.take()
}

/// Sends over a connection that was idle. Gives the request back if the replica had closed it.
async fn send_reused(
    pool: &Rc<Pool>,
    mut connection: Http1Connection,
    request: Request<RequestBody>,
) -> Result<Answer, Request<RequestBody>> {
    let copy = copy_of(&request);
    match connection.sender.try_send_request(request).await {
        Ok(response) => Ok(Ok((response, Lease::Http1(Rc::clone(pool), connection)))),
        Err(mut error) => match error.take_message().or(copy) {
            Some(request) => Err(request),
            None => Ok(Err(Failure::Broken(error.into_error(), None))),
        },
    }
}

async fn send_new(
    pool: &Rc<Pool>,
    request: Request<RequestBody>,
    permit: SemaphorePermit<'_>,
) -> Answer {
    let mut connection = match connect::http1(pool.replica().address()).await {
        Ok(connection) => connection,
        Err(error) => return Err(Failure::Unsent(Box::new(request), error)),
    };
    let copy = copy_of(&request);
    let sent = connection.sender.try_send_request(request);
    let response = settle(sent, permit).await;
    let response = response.map_err(|error| failure(error, copy))?;
    Ok((response, Lease::Http1(Rc::clone(pool), connection)))
}

async fn send_http2(pool: &Rc<Pool>, mut request: Request<RequestBody>) -> Answer {
    for _ in 1..HTTP2_ATTEMPTS {
        match send_shared(pool, request).await {
            Err(Failure::Unsent(unsent, error)) if !is_refusal(&error) => request = *unsent,
            answer => return answer,
        }
    }
    send_shared(pool, request).await
}

async fn send_shared(pool: &Rc<Pool>, request: Request<RequestBody>) -> Answer {
    let mut sender = match pool.shared().await {
        Ok(connection) => connection.sender,
        Err(error) => return Err(Failure::Unsent(Box::new(request), error)),
    };
    let copy = copy_of(&request);
    let response = sender.try_send_request(request).await;
    let response = response.map_err(|error| failure(error, copy))?;
    Ok((response, Lease::Http2))
}

/// Sends an extended CONNECT, if the replica takes it (RFC 8441, section 3). It says so in its first frame,
/// which may still be on its way.
async fn send_connect(pool: &Rc<Pool>, request: Request<RequestBody>) -> Answer {
    for _ in 0..OFFER_LOOKS {
        match pool.shared().await {
            Ok(connection) if connection.takes_connect() => {
                return send_http2(pool, request).await;
            }
            Ok(_) => tokio::time::sleep(OFFER_PAUSE).await,
            Err(error) => return Err(Failure::Unsent(Box::new(request), error)),
        }
    }
    Err(Failure::NoWebSocket)
}

/// Whether there was no connection at all, so that trying at once again is of no use.
fn is_refusal(error: &io::Error) -> bool {
    let inner = error.get_ref();
    !inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<hyper::Error>)
}

fn failure(
    mut error: TrySendError<Request<RequestBody>>,
    copy: Option<Request<RequestBody>>,
) -> Failure {
    match error.take_message() {
        Some(request) => Failure::Unsent(Box::new(request), io::Error::other(error.into_error())),
        None => Failure::Broken(error.into_error(), copy.map(Box::new)),
    }
}

/// Gives the permit back with the answer, or when the replica has had time to accept.
async fn settle(sent: impl Future<Output = Sent>, permit: SemaphorePermit<'_>) -> Sent {
    let mut sent = pin!(sent);
    let early = tokio::time::timeout(SETTLED, sent.as_mut()).await;
    drop(permit);
    match early {
        Ok(answer) => answer,
        Err(_) => sent.await,
    }
}

/// The same request once more, if doing it twice does the same as doing it once (RFC 9110, section
/// 9.2.2) and it has no body. Such a request is sent again when the replica closes an idle
/// connection just as the request is on its way. That cannot be told from a replica that dies of the
/// request, so there is no copy of a copy: no request ends more than two replicas.
fn copy_of(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if is_copy(request) || !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(RequestBody::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Whether the request is one that [`copy_of`] has made.
fn is_copy(request: &Request<RequestBody>) -> bool {
    matches!(request.body(), RequestBody::Empty)
}
