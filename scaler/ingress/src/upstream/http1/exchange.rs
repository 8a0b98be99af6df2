//! One request and its answer.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body as _;
use tokio::task::spawn_local;

use super::Http1Error;
use super::body::Http1Body;
use super::connection::Connection;
use super::head::{self, Coding, Head};
use super::sending::{Sending, Stopped};
use crate::body::RequestBody;
use crate::upstream::pool::Pool;
use crate::upstream::send::Failure;

/// Sends a request over a connection of `pool`, and waits for the head of the answer.
pub(in crate::upstream) async fn exchange(
    pool: &Rc<Pool>,
    mut connection: Box<Connection>,
    request: &mut Request<RequestBody>,
) -> Result<Response<Http1Body>, Failure> {
    let may_repeat = may_repeat(request);
    let broken = |error: Http1Error, may_repeat| Failure::Broken {
        error: error.into(),
        may_repeat,
    };
    let mut sending = begin(&mut connection, request).map_err(|error| broken(error, false))?;
    let method = request.method();
    match poll_fn(|cx| poll(&mut connection, &mut sending, method, cx)).await {
        Ok(head) => Ok(answered(pool, connection, sending, head)),
        Err(Stopped::Unsent(error)) => {
            *request.body_mut() = sending.into_parts().0;
            Err(Failure::Unsent(error))
        }
        Err(Stopped::Broken(error)) => Err(broken(error, may_repeat)),
    }
}

/// Writes the head and takes the body.
fn begin(
    connection: &mut Connection,
    request: &mut Request<RequestBody>,
) -> Result<Sending, Http1Error> {
    let coding = Coding::of(request.headers())?;
    let mut out = std::mem::take(&mut connection.write);
    head::write(request, coding, &mut out);
    let body = std::mem::replace(request.body_mut(), RequestBody::Empty);
    let stream = connection.stream.clone();
    Ok(Sending::new(stream, out, request.headers(), coding, body))
}

/// Sends and reads at the same time: an app may answer before it has got all of a request.
fn poll(
    connection: &mut Connection,
    sending: &mut Sending,
    method: &Method,
    cx: &mut Context<'_>,
) -> Poll<Result<Head, Stopped>> {
    if !sending.is_done()
        && let Poll::Ready(Err(stopped)) = sending.poll(cx)
    {
        return Poll::Ready(Err(stopped));
    }
    connection.poll_head(cx, method).map_err(Stopped::Broken)
}

fn answered(
    pool: &Rc<Pool>,
    mut connection: Box<Connection>,
    sending: Sending,
    head: Head,
) -> Response<Http1Body> {
    let is_sent = sending.is_done();
    let keeps_alive = head.keeps_alive && is_sent && !sending.is_refused();
    if is_sent {
        connection.write = sending.into_parts().1;
    } else {
        // By a task of its own, so that a client which reads nothing before it has sent all is not stuck.
        spawn_local(sending.finish());
    }
    let body = Http1Body::new(Rc::clone(pool), connection, head.framing, keeps_alive);
    head.response.map(|()| body)
}

/// Whether doing the request twice does the same as doing it once (RFC 9110, section 9.2.2), and it has no
/// body. Such a request is sent again when the replica closes an idle connection just as the request is on
/// its way. That cannot be told from a replica that dies of the request, so it is not sent a third time: no
/// request ends more than two replicas.
pub(in crate::upstream) fn may_repeat(request: &Request<RequestBody>) -> bool {
    !is_repeated(request) && request.method().is_idempotent() && request.body().is_end_stream()
}

/// Whether the request is sent for the second time.
pub(in crate::upstream) fn is_repeated(request: &Request<RequestBody>) -> bool {
    matches!(request.body(), RequestBody::Empty)
}
