//! The life of a request: route, choose the revision, admit, forward, count, answer.

mod access;
mod admit;
mod certificate;
mod check;
mod cold;
mod compress;
mod cors;
mod directory;
mod forward;
mod mirror;
mod redirect;
mod refusal;
mod switch;
pub(crate) mod tcp;
mod told;
pub(crate) mod visit;
mod wish;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use ebbtide_core::time::Timestamp;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::body::{AnswerBody, Arriving, ClientBody, RequestBody, ResponseBody, Upload};
use crate::connection::Peer;
use crate::headers;
use crate::headers::forwarded_certificate::CLIENT_CERTIFICATE;
use crate::table::{Found, host};
use crate::upgrade::{self, Upgrade};
pub(crate) use check::Malformed;
use compress::Offer;
use cors::CrossOrigin;
use refusal::Refusal;
use visit::Visit;

/// A request that has been routed.
struct Routed {
    /// The host it is for, as it was written.
    host: HeaderValue,
    visit: Visit,
    /// What its target is when it is forwarded, if that is another one.
    rewritten: Option<Uri>,
    /// The client's certificate, if the app is told of it.
    certificate: Option<HeaderValue>,
}

/// A request that is ready for a replica.
struct Begun {
    host: HeaderValue,
    visit: Visit,
    outgoing: Outgoing,
    offer: Option<Offer>,
    copy: Option<Box<mirror::Draft>>,
}

/// An answer of the ingress's own, and whether it has to be the connection's last one: where the client and
/// we may not agree on where the next request begins, there is none.
type Refused = (Response<ResponseBody>, bool);

/// Answers a request. Once the worker drains, the answer is the last one of its connection.
///
/// All that need not wait is done here and in a box: what is returned is moved about, and is small.
pub(crate) fn handle(
    peer: Rc<Peer>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<AnswerBody>, Infallible>> {
    let mut busy = peer.activity.begin();
    let has_body = !request.body().is_end_stream();
    let awaits_continue = has_body && request.headers().contains_key(EXPECT);
    let mut crossing = None;
    let request = request.map(|body| arriving(&peer, body, awaits_continue));
    let begun = begin(&peer, request, &mut crossing);
    async move {
        let (mut response, is_last) = match begun {
            Ok(begun) => answer(&peer, begun).await,
            Err(refused) => (refused.0, refused.1 || awaits_continue),
        };
        if let Some(crossing) = crossing {
            crossing.add_to(response.headers_mut());
        }
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
}

/// The body of a request. The rest of one that waits to be asked for it is not asked for.
fn arriving(peer: &Peer, body: Incoming, awaits_continue: bool) -> Arriving {
    if peer.watch.is_none() {
        return Arriving::of_stream(body);
    }
    let mut body = Arriving::of_connection(body, &peer.worker, &peer.activity);
    if awaits_continue {
        body.give_up();
    }
    body
}

/// Finds out what becomes of a request. What its answer has to say to browsers is put into `crossing`.
fn begin(
    peer: &Peer,
    mut request: Request<Arriving>,
    crossing: &mut Option<Box<CrossOrigin>>,
) -> Result<Box<Begun>, Box<Refused>> {
    let arrived = peer.worker.now();
    let trace = peer.worker.traces.of(request.headers());
    let access = &peer.worker.access;
    let telling = access.begin(&peer.client, &request, trace, arrived);
    let Routed {
        host,
        mut visit,
        rewritten,
        certificate,
    } = match route(peer, &request, arrived, crossing) {
        Ok(routed) => routed,
        Err(refusal) => {
            let refused = refuse(peer, &refusal, None);
            if let Some(mut telling) = telling {
                let record = &mut telling.record;
                record.refused(refusal.status(), refusal.reason(), length(&refused.0));
                record.duration = peer.worker.now().since(arrived);
                access.end(*telling);
            }
            return Err(Box::new(refused));
        }
    };
    if let Some(target) = rewritten {
        *request.uri_mut() = target;
    }
    let policy = &visit.backend().policy;
    let offer = Offer::of(policy.compression.as_ref(), &request);
    let most = policy.max_request_body_bytes;
    let mut outgoing = prepare(peer, request, &host, most);
    let headers = outgoing.request.headers_mut();
    trace.pass_on(headers);
    if let Some(certificate) = certificate {
        headers.insert(CLIENT_CERTIFICATE, certificate);
    }
    let copy = mirror::draft(&visit, &mut outgoing);
    visit.is_told(telling, outgoing.upload.clone());
    Ok(Box::new(Begun {
        host,
        visit,
        outgoing,
        offer,
        copy,
    }))
}

/// Has a replica answer a request.
async fn answer(peer: &Peer, mut begun: Box<Begun>) -> Refused {
    let Begun {
        host,
        visit,
        outgoing,
        ..
    } = &mut *begun;
    let answer = forward::forward(peer, visit, host, outgoing).await;
    let Begun {
        mut visit,
        outgoing,
        offer,
        copy,
        ..
    } = *begun;
    match answer {
        Ok(answer) => {
            if let Some(upload) = outgoing.upload {
                upload.is_answered();
            }
            if let Some(copy) = copy {
                copy.send(&visit);
            }
            (forward::respond(peer, visit, answer, offer), false)
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
fn route(
    peer: &Peer,
    request: &Request<Arriving>,
    arrived: Timestamp,
    crossing: &mut Option<Box<CrossOrigin>>,
) -> Result<Routed, Refusal> {
    if request.method() == Method::CONNECT {
        let protocol = upgrade::connects_to(request).ok_or(Refusal::ConnectMethod)?;
        if !upgrade::is_known(protocol) {
            return Err(Refusal::ConnectProtocol);
        }
    }
    check::check(request, &peer.worker.shared.options.limits)?;
    answer_challenge(peer, request)?;
    let host = host::of(request)?;
    let key = host::key_of(&host)?;
    let snapshot = peer.worker.shared.published.snapshot();
    let target = snapshot.target(&key, request)?;
    let policy = target.map(|target| snapshot.policy(target));
    if let Some(policy) = policy {
        access::check(peer, request.headers(), policy)?;
        // A redirect is only followed from another origin if it says so too.
        *crossing = CrossOrigin::of(policy, request);
    }
    if let Some(location) = redirect::location(peer, request, &host, &key, || {
        policy.is_some_and(|policy| !policy.allow_insecure)
    }) {
        return Err(Refusal::Redirect(location));
    }
    if let Some(crossing) = crossing {
        crossing.answer_preflight()?;
    }
    check::check_body(
        request,
        policy.and_then(|policy| policy.max_request_body_bytes),
    )?;
    let rewrite = target.and_then(|target| target.rewrite);
    let rewritten = rewrite.map(|rewrite| rewrite.target(request.uri()));
    let rewritten = rewritten.transpose()?;
    let certificate = match target {
        Some(target) => certificate::shown(peer, request.headers(), &snapshot, target)?,
        None => None,
    };
    let (target, session) = match target {
        Some(target) => {
            let (target, session) = wish::of(peer, request.headers(), &snapshot, target)?;
            (Some(target), session)
        }
        None => (None, None),
    };
    match target.map_or(Found::Nothing, |target| snapshot.find_at(target, None)) {
        Found::Backend(backend) => {
            cold::answer(peer, request, backend, arrived)?;
            let mut visit = Visit::begin(Rc::clone(&peer.worker), Arc::clone(backend), arrived);
            visit.belongs_to(session);
            visit.keeps_to(target.map(|target| target.timeouts).unwrap_or_default());
            drop(key);
            Ok(Routed {
                host,
                visit,
                rewritten,
                certificate,
            })
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

/// Answers what an issuer of certificates asks, whichever host it asks.
fn answer_challenge(peer: &Peer, request: &Request<Arriving>) -> Result<(), Refusal> {
    let challenges = peer.worker.shared.options.challenges.as_ref();
    let proof = challenges
        .filter(|_| request.method() == Method::GET)
        .and_then(|challenges| challenges.proof(request.uri().path()));
    proof.map_or(Ok(()), |proof| Err(Refusal::Challenge(proof)))
}

/// As many headers as a request gets here, so that there is room for them at once.
const ADDED: usize = 4;

/// A request as it goes to a replica, whichever one that will be.
struct Outgoing {
    request: Request<RequestBody>,
    /// Its wish to switch to another protocol.
    upgrade: Option<Upgrade>,
    /// Its body, which nobody reads until a replica does; none if it has none.
    upload: Option<Rc<Upload>>,
}

/// Makes a request ready to be sent. `most` are the bytes that its app takes in a body, if that is
/// bounded.
fn prepare(
    peer: &Peer,
    mut request: Request<Arriving>,
    host: &HeaderValue,
    most: Option<u64>,
) -> Outgoing {
    let upgrade = Upgrade::take(&mut request);
    // A stream's pauses are its own matter.
    let is_patient = headers::is_grpc(request.headers());
    let request = request.map(|body| ClientBody::new(body, &peer.worker, is_patient, most));
    let upload = request.body().upload();
    let mut request = request.map(RequestBody::Client);
    let headers = request.headers_mut();
    headers.reserve(ADDED);
    headers::strip_hop_by_hop(headers);
    headers::add_forwarded(headers, &peer.client, host);
    headers::join_cookies(headers);
    headers.remove(headers::MIRROR);
    Outgoing {
        request,
        upgrade,
        upload,
    }
}
