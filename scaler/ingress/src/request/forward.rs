//! Forwarding an admitted request, and passing the answer on.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, Response, Version};
use hyper::body::Incoming;

use super::Outgoing;
use super::admit::{admit, server_timing};
use super::refusal::Refusal;
use super::switch::{not_switched, switch};
use super::visit::Visit;
use crate::body::{ReplicaBody, ResponseBody};
use crate::connection::Peer;
use crate::headers::strip_hop_by_hop;
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
    let has_body = upload.is_some();
    let mut pauses = PAUSES.iter();
    let mut avoid = None;
    loop {
        admit(peer, visit, host, has_body, avoid).await?;
        let Some(replica) = visit
            .admission()
            .map(|admission| admission.replica().clone())
        else {
            return Err(Refusal::ClientGone);
        };
        let worker = &*peer.worker;
        let now = worker.now();
        let timeout = worker.shared.options.request_timeout;
        let client = peer.watch.clone().filter(|_| has_body);
        let deadline = worker.deadlines.add(now + timeout, client);
        let pool = worker.pool(&replica);
        let sent = deadline.limit(send(&pool, request, upgrade.as_ref())).await;
        let revision = || visit.backend().revision.clone();
        let (unsent, cause) = match sent {
            Ok(Ok((response, lease))) => {
                return Ok(Answer {
                    response,
                    lease,
                    upgrade,
                });
            }
            Ok(Err(Failure::Unsent(unsent, cause))) => (unsent, cause),
            Ok(Err(Failure::Broken(cause))) => {
                let failure = upload.as_ref().and_then(|upload| upload.failure());
                let broken = || broken(visit, &replica, cause);
                return Err(failure.map_or_else(broken, Refusal::from));
            }
            Ok(Err(Failure::NoWebSocket)) => {
                return Err(Refusal::NoWebSocket {
                    revision: revision(),
                });
            }
            Err(Passed::TimedOut) => {
                return Err(Refusal::NoAnswerInTime {
                    revision: revision(),
                    timeout,
                });
            }
            Err(Passed::ClientGone) => return Err(Refusal::ClientGone),
        };
        let Some(pause) = pauses.next() else {
            return Err(Refusal::Unreachable {
                revision: revision(),
                replica: replica.name().clone(),
                cause,
            });
        };
        tracing::debug!(replica = %replica.name(), error = %cause, "cannot reach a replica");
        request = *unsent;
        avoid = Some(replica.id());
        visit.withdraw();
        if !pause.is_zero() {
            tokio::time::sleep(*pause).await;
        }
    }
}

fn broken(visit: &Visit, replica: &Replica, cause: hyper::Error) -> Refusal {
    Refusal::Broken {
        revision: visit.backend().revision.clone(),
        replica: replica.name().clone(),
        cause,
    }
}

/// Makes the client's answer of the replica's.
pub(super) fn respond(peer: &Peer, mut visit: Visit, answer: Answer) -> Response<ResponseBody> {
    let (mut head, body) = answer.response.into_parts();
    visit.answered(head.status);
    let protocol = head.headers.get(UPGRADE).cloned();
    if head.headers.contains_key(TRANSFER_ENCODING) {
        // The coding has decided how long the body was (RFC 9112, section 6.3).
        head.headers.remove(CONTENT_LENGTH);
    }
    strip_hop_by_hop(&mut head.headers);
    head.version = Version::HTTP_11;
    if let Some(value) = visit.waited().and_then(server_timing) {
        head.headers.append(SERVER_TIMING, value);
    }
    let lease = match answer.lease.into_switched(&mut head) {
        Ok(replica) => return switch(peer, visit, head, (replica, protocol), answer.upgrade),
        Err(lease) => lease,
    };
    if head.status.is_success() && answer.upgrade.is_some_and(|one| one.is_by_connect()) {
        return not_switched(visit);
    }
    let body = ResponseBody::Replica(ReplicaBody::new(body, lease, visit));
    Response::from_parts(head, body)
}
