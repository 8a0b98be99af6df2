//! Forwarding an admitted request, and passing the answer on.

use std::pin::pin;
use std::slice::Iter;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, SET_COOKIE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, Response, StatusCode, Version};

use super::Outgoing;
use super::admit::{Asking, Way, admit, server_timing};
use super::compress::Offer;
use super::refusal::Refusal;
use super::switch::{not_switched, switch};
use super::visit::Visit;
use crate::body::{Patience, ReplicaBody, ResponseBody, Upload};
use crate::connection::Peer;
use crate::headers::{is_grpc, is_stream, strip_hop_by_hop};
use crate::replica::Replica;
use crate::upgrade::Upgrade;
use crate::upstream::{AnswerStream, Failure, send};
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
    response: Response<AnswerStream>,
    /// The request's wish to switch protocols.
    upgrade: Option<Upgrade>,
}

/// Sends the request to a replica, again if it was not taken, and waits for the answer's head.
pub(super) async fn forward(
    peer: &Peer,
    visit: &mut Visit,
    host: &HeaderValue,
    outgoing: &mut Outgoing,
) -> Result<Answer, Refusal> {
    let upload = outgoing.upload.clone();
    let upload = upload.as_deref();
    let mut pauses = PAUSES.iter();
    let mut avoid = None;
    loop {
        let asking = Asking {
            way: Way::Host(host),
            request: Some(&outgoing.request),
            has_body: upload.is_some(),
            avoid,
        };
        let replica = admit(peer, visit, &asking).await?;
        if let Some(upload) = upload {
            upload.counts_for(&visit.backend().meter);
        }
        let failure = match attempt(peer, visit, &replica, outgoing).await {
            Ok(response) => {
                visit.count_outcome(&replica, !is_gateway_failure(response.status()));
                return Ok(Answer {
                    response,
                    upgrade: outgoing.upgrade.take(),
                });
            }
            Err(failure) => failure,
        };
        if is_replicas(&failure, upload) {
            visit.count_outcome(&replica, false);
        }
        let pause = again(visit, &replica, &failure, &mut pauses);
        let Some(pause) = pause else {
            return Err(refusal(visit, &replica, failure, upload));
        };
        visit.withdraw();
        wait(visit, pause).await;
        avoid = Some(replica.id());
    }
}

/// How long to wait before the request is sent again, if it may be: nobody has got it, or it may be done
/// twice, there is another replica and the budget has a retry.
fn again(
    visit: &Visit,
    replica: &Replica,
    failure: &Failed,
    pauses: &mut Iter<'_, Duration>,
) -> Option<Duration> {
    match failure {
        Failed::Sending(Failure::Unsent(error)) => {
            tracing::debug!(replica = %replica.name(), %error, "cannot reach a replica");
            pauses.next().copied()
        }
        Failed::Sending(Failure::Broken {
            may_repeat: true, ..
        }) if visit.retries_elsewhere(replica) => Some(Duration::ZERO),
        _ => None,
    }
}

/// Whether a failure is the replica's, and not the client's.
fn is_replicas(failure: &Failed, upload: Option<&Upload>) -> bool {
    match failure {
        Failed::ClientGone | Failed::Sending(Failure::NoWebSocket) => false,
        Failed::Sending(Failure::Broken { .. }) => upload.is_none_or(|it| it.failure().is_none()),
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
    outgoing: &mut Outgoing,
) -> Result<Response<AnswerStream>, Failed> {
    let worker = &*peer.worker;
    let (due, timeout) = visit.head_due(is_grpc(outgoing.request.headers()));
    let client = peer.watch.clone();
    let client = client.filter(|_| outgoing.upload.is_some());
    let deadline = worker.deadlines.add(due, client);
    let pool = worker.pool(replica);
    let sent = send(&pool, &mut outgoing.request, outgoing.upgrade.as_ref());
    match deadline.limit(pin!(sent)).await {
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
        Failed::Sending(Failure::Unsent(cause)) => Refusal::Unreachable {
            revision,
            replica,
            cause,
        },
        Failed::Sending(Failure::Broken { error: cause, .. }) => {
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
    let body = match body.into_switched(&mut head) {
        Ok(replica) => return switch(peer, visit, head, (replica, protocol), answer.upgrade),
        Err(body) => body,
    };
    if head.status.is_success() && answer.upgrade.is_some_and(|one| one.is_by_connect()) {
        return not_switched(peer, visit);
    }
    let patience = Patience::new(is_stream(&head.headers));
    let body = ReplicaBody::new(body, visit, patience);
    let body = match offer {
        Some(offer) => offer.apply(&peer.worker, &mut head, body),
        None => ResponseBody::Replica(body),
    };
    Response::from_parts(head, body)
}
