//! The life of a request: route, choose the revision, admit, forward, count, answer.

mod admit;
mod check;
mod directory;
mod forward;
mod redirect;
mod refusal;
pub(crate) mod visit;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use ebbtide_core::time::Timestamp;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::body::{AnswerBody, ClientBody, RequestBody, ResponseBody, Upload};
use crate::connection::Peer;
use crate::headers;
use crate::table::{Found, host};
use refusal::Refusal;
use visit::Visit;

/// A request that has been routed.
struct Routed {
    /// The host it is for, as it was written.
    host: HeaderValue,
    visit: Visit,
}

/// Answers a request. Once the worker drains, the answer is the last one of its connection.
pub(crate) async fn handle(
    peer: Rc<Peer>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let mut busy = peer.activity.begin();
    let (mut response, is_last) = answer(&peer, request).await;
    let is_http1 = peer.watch.is_some();
    let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if (is_last || peer.worker.drain.has_begun()) && is_http1 && !switches {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    if !is_http1 {
        busy.answers();
    }
    Ok(response.map(|body| AnswerBody::new(body, busy)))
}

/// The answer, and whether it has to be the connection's last one: where the client and we may not
/// agree on where the next request begins, there is none.
async fn answer(peer: &Peer, request: Request<Incoming>) -> (Response<ResponseBody>, bool) {
    let arrived = peer.worker.now();
    let trace = peer.worker.traces.of(request.headers());
    let access = &peer.worker.access;
    let record = access.begin(&peer.client, &request, trace, arrived);
    let Routed { host, mut visit } = match route(peer, &request, arrived) {
        Ok(routed) => routed,
        Err(refusal) => {
            let refused = refuse(peer, &refusal, None);
            if let Some(mut record) = record {
                record.refused(refusal.status(), refusal.reason(), length(&refused.0));
                record.duration = peer.worker.now().since(arrived);
                access.end(*record);
            }
            return refused;
        }
    };
    let mut outgoing = prepare(peer, request, &host);
    trace.pass_on(outgoing.request.headers_mut());
    let upload = outgoing.upload.clone();
    visit.is_told(record, upload.clone());
    match forward::forward(peer, &mut visit, &host, outgoing).await {
        Ok(answer) => {
            if let Some(upload) = upload {
                upload.is_answered();
            }
            (forward::respond(peer, visit, answer), false)
        }
        Err(refusal) => refuse(peer, &refusal, Some(&mut visit)),
    }
}

/// Answers what no replica answers, for the revision that it is a `visit` to, if one was found.
fn refuse(
    peer: &Peer,
    refusal: &Refusal,
    visit: Option<&mut Visit>,
) -> (Response<ResponseBody>, bool) {
    peer.worker.shared.gate.answers(refusal.reason());
    if let Some(limit) = refusal.limit() {
        peer.worker.shared.gate.reached(limit);
    }
    let response = refusal.to_response();
    if let Some(visit) = visit {
        visit.refused(refusal.status(), refusal.reason(), length(&response));
    }
    (response, refusal.ends_connection())
}

/// Bytes of an answer of our own.
fn length(response: &Response<ResponseBody>) -> u64 {
    response.body().size_hint().lower()
}

/// Finds the revision that the request is for, and begins to count it.
fn route(peer: &Peer, request: &Request<Incoming>, arrived: Timestamp) -> Result<Routed, Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal::ConnectMethod);
    }
    check::check(request, &peer.worker.shared.options.limits)?;
    let host = host::of(request)?;
    let key = host::key_of(&host)?;
    let snapshot = peer.worker.shared.published.snapshot();
    let target = snapshot.target(&key);
    if let Some(location) = redirect::location(peer, request, &host, &key, || {
        target.is_some_and(|target| !snapshot.allows_insecure(target))
    }) {
        return Err(Refusal::Redirect(location));
    }
    match target.map_or(Found::Nothing, |target| snapshot.find_at(target, None)) {
        Found::Backend(backend) => {
            let visit = Visit::begin(Rc::clone(&peer.worker), Arc::clone(backend), arrived);
            drop(key);
            Ok(Routed { host, visit })
        }
        Found::NoRevision(app) => Err(Refusal::NoRevision(app.clone())),
        Found::Nothing => {
            let accept = request.headers().get_all(http::header::ACCEPT);
            let json = directory::prefers_json(accept.iter());
            let door = (
                peer.client.scheme(),
                peer.worker.shared.port(peer.client.scheme()),
            );
            let page = directory::page(&key, snapshot.table(), door, json);
            Err(Refusal::NotFound(page))
        }
    }
}

/// A request as it goes to a replica, whichever one that will be.
struct Outgoing {
    request: Request<RequestBody>,
    /// The protocol it asks to switch to.
    upgrade: Option<HeaderValue>,
    /// Its body, which nobody reads until a replica does; none if it has none.
    upload: Option<Rc<Upload>>,
}

fn prepare(peer: &Peer, request: Request<Incoming>, host: &HeaderValue) -> Outgoing {
    // What follows the body of such a request is no request, and no other protocol yet either.
    let upgrade = headers::upgrade_of(&request).filter(|_| request.body().is_end_stream());
    // A stream's pauses are its own matter.
    let is_patient = headers::is_grpc(request.headers());
    let request = request.map(|body| ClientBody::new(body, &peer.worker, is_patient));
    let upload = request.body().upload();
    let mut request = request.map(RequestBody::Client);
    let headers = request.headers_mut();
    headers::strip_hop_by_hop(headers);
    headers::add_forwarded(headers, &peer.client, host);
    headers::join_cookies(headers);
    Outgoing {
        request,
        upgrade,
        upload,
    }
}
