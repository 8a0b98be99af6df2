//! Forwarding an admitted request, and passing the answer on.

use std::slice::Iter;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, SET_COOKIE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::Outgoing;
use super::admit::{Asking, Way, admit, server_timing};
use super::compress::Offer;
use super::refusal::Refusal;
use super::switch::{not_switched, switch};
use super::visit::Visit;
use crate::body::{Patience, ReplicaBody, RequestBody, ResponseBody, Upload};
use crate::connection::Peer;
use crate::headers::{is_grpc, is_stream, strip_hop_by_hop};
use crate::replica::Replica;
use crate::upgrade::Upgrade;
use crate::upstream::{Failure, Lease, send};
use crate::worker::deadlines::Passed;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// How often a request is sent again that no connection took. The pauses between give a replica
/// that has just gone time to leave the table.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(250),
];

/// The head of a replica's answer.
pub(super) struct Answer {
    response: Response<Incoming>,
    lease: Lease,
    /// The request's wish to switch protocols.
    upgrade: Option<Upgrade>,
}

/// Sends the request to a replica, again if it was not taken, and waits for the answer's head.
pub(super) async fn forward(
    peer: &Peer,
    visit: &mut Visit,
    host: &HeaderValue,
    outgoing: Outgoing,
) -> Result<Answer, Refusal> {
    let Outgoing {
        mut request,
        upgrade,
        upload,
    } = outgoing;
    let mut pauses = PAUSES.iter();
    let mut avoid = None;
    loop {
        let asking = Asking {
            way: Way::Host(host),
            request: Some(&request),
            has_body: upload.is_some(),
            avoid,
        };
        let replica = admit(peer, visit, &asking).await?;
        if let Some(upload) = &upload {
            upload.counts_for(&visit.backend().meter);
        }
        let sent = attempt(
            peer,
            visit,
            &replica,
            request,
            upgrade.as_ref(),
            upload.is_some(),
        )
        .await;
        let failure = match sent {
            Ok((response, lease)) => {
                visit.count_outcome(&replica, !is_gateway_failure(response.status()));
                return Ok(Answer {
                    response,
                    lease,
                    upgrade,
                });
            }
            Err(failure) => failure,
        };
        if is_replicas(&failure, upload.as_deref()) {
            visit.count_outcome(&replica, false);
        }
        let (again, pause) = match again(visit, &replica, failure, &mut pauses) {
            Ok(again) => again,
            Err(failure) => return Err(refusal(visit, &replica, failure, upload.as_deref())),
        };
        visit.withdraw();
        wait(visit, pause).await;
        request = again;
        avoid = Some(replica.id());
    }
}

/// The request once more and how long to wait before, if it may be sent again: nobody has got it, or
/// it may be done twice, there is another replica and the budget has a retry.
fn again(
    visit: &Visit,
    replica: &Replica,
    failure: Failed,
    pauses: &mut Iter<'_, Duration>,
) -> Result<(Request<RequestBody>, Duration), Failed> {
    match failure {
        Failed::Sending(Failure::Unsent(request, error)) => {
            tracing::debug!(replica = %replica.name(), %error, "cannot reach a replica");
            match pauses.next() {
                Some(pause) => Ok((*request, *pause)),
                None => Err(Failed::Sending(Failure::Unsent(request, error))),
            }
        }
        Failed::Sending(Failure::Broken(error, Some(copy))) => {
            if visit.retries_elsewhere(replica) {
                return Ok((*copy, Duration::ZERO));
            }
            Err(Failed::Sending(Failure::Broken(error, None)))
        }
        failure => Err(failure),
    }
}

/// Whether a failure is the replica's, and not the client's.
fn is_replicas(failure: &Failed, upload: Option<&Upload>) -> bool {
    match failure {
        Failed::ClientGone | Failed::Sending(Failure::NoWebSocket) => false,
        Failed::Sending(Failure::Broken(..)) => upload.is_none_or(|it| it.failure().is_none()),
        Failed::Sending(Failure::Unsent(..)) | Failed::Late(_) => true,
    }
}

/// Whether an answer says that the replica cannot serve.
fn is_gateway_failure(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Why a replica gave no answer.
enum Failed {
    Sending(Failure),
    /// It did not begin to within this time.
    Late(Duration),
    ClientGone,
}

/// Sends the request to `replica` and waits for the answer's head.
async fn attempt(
    peer: &Peer,
    visit: &Visit,
    replica: &Arc<Replica>,
    request: Request<RequestBody>,
    upgrade: Option<&Upgrade>,
    has_body: bool,
) -> Result<(Response<Incoming>, Lease), Failed> {
    let worker = &*peer.worker;
    let (due, timeout) = visit.head_due(is_grpc(request.headers()));
    let client = peer.watch.clone().filter(|_| has_body);
    let deadline = worker.deadlines.add(due, client);
    let pool = worker.pool(replica);
    match deadline.limit(send(&pool, request, upgrade)).await {
        Ok(sent) => sent.map_err(Failed::Sending),
        Err(Passed::TimedOut) => Err(Failed::Late(timeout)),
        Err(Passed::ClientGone) => Err(Failed::ClientGone),
    }
}

/// What the client is told of a failure.
fn refusal(visit: &Visit, replica: &Replica, failure: Failed, upload: Option<&Upload>) -> Refusal {
    let revision = visit.backend().revision.clone();
    let replica = replica.name().clone();
    match failure {
        Failed::Sending(Failure::Unsent(_, cause)) => Refusal::Unreachable {
            revision,
            replica,
            cause,
        },
        Failed::Sending(Failure::Broken(cause, _)) => {
            let broken = Refusal::Broken {
                revision,
                replica,
                cause,
            };
            // What the client did wrong with its body has ended it.
            upload
                .and_then(Upload::failure)
                .map_or(broken, Refusal::from)
        }
        Failed::Sending(Failure::NoWebSocket) => Refusal::NoWebSocket { revision },
        Failed::Late(timeout) => Refusal::NoAnswerInTime { revision, timeout },
        Failed::ClientGone => Refusal::ClientGone,
    }
}

async fn wait(visit: &mut Visit, pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    visit.look();
}

/// Makes the client's answer of the replica's.
pub(super) fn respond(
    peer: &Peer,
    mut visit: Visit,
    answer: Answer,
    offer: Option<Offer>,
) -> Response<ResponseBody> {
    let (mut head, body) = answer.response.into_parts();
    visit.first_byte();
    visit.answered(head.status);
    let protocol = head.headers.get(UPGRADE).cloned();
    if head.headers.contains_key(TRANSFER_ENCODING) {
        // The coding has decided how long the body was (RFC 9112, section 6.3).
        head.headers.remove(CONTENT_LENGTH);
    }
    strip_hop_by_hop(&mut head.headers);
    head.version = Version::HTTP_11;
    if let Some(cookie) = visit.session_cookie() {
        head.headers.append(SET_COOKIE, cookie);
    }
    if let Some(value) = server_timing(visit.waits()) {
        head.headers.append(SERVER_TIMING, value);
    }
    let lease = match answer.lease.into_switched(&mut head) {
        Ok(replica) => return switch(peer, visit, head, (replica, protocol), answer.upgrade),
        Err(lease) => lease,
    };
    if head.status.is_success() && answer.upgrade.is_some_and(|one| one.is_by_connect()) {
        return not_switched(peer, visit);
    }
    let patience = Patience::new(is_stream(&head.headers));
    let body = ReplicaBody::new(body, lease, visit, patience);
    let body = match offer {
        Some(offer) => offer.apply(&peer.worker, &mut head, body),
        None => ResponseBody::Replica(body),
    };
    Response::from_parts(head, body)
}
