//! Forwarding an admitted request, and passing the answer on.

use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::admit::{admit, server_timing};
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Outgoing, refuse};
use crate::body::{ReplicaBody, ResponseBody};
use crate::connection::Peer;
use crate::headers::strip_hop_by_hop;
use crate::tunnel::Tunnel;
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
    /// Whether the request asked to switch protocols.
    asked_to_upgrade: bool,
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
        if let Some(upload) = &upload {
            upload.counts_for(&visit.backend().meter);
        }
        let timeout = worker.shared.options.request_timeout;
        let client = peer.watch.clone().filter(|_| has_body);
        let deadline = worker.deadlines.add(visit.now() + timeout, client);
        let pool = worker.pool(&replica);
        let sent = deadline.limit(send(&pool, request, upgrade.as_ref())).await;
        let revision = || visit.backend().revision.clone();
        let (unsent, cause) = match sent {
            Ok(Ok((response, lease))) => {
                let asked_to_upgrade = upgrade.is_some();
                return Ok(Answer {
                    response,
                    lease,
                    asked_to_upgrade,
                });
            }
            Ok(Err(Failure::Unsent(unsent, cause))) => (unsent, cause),
            Ok(Err(Failure::Broken(cause))) => {
                let failure = upload.as_ref().and_then(|upload| upload.failure());
                return Err(failure.map_or_else(
                    || Refusal::Broken {
                        revision: revision(),
                        replica: replica.name().clone(),
                        cause,
                    },
                    Refusal::from,
                ));
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
        wait(visit, *pause).await;
    }
}

async fn wait(visit: &mut Visit, pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    visit.look();
}

/// Makes the client's answer of the replica's.
pub(super) fn respond(peer: &Peer, mut visit: Visit, answer: Answer) -> Response<ResponseBody> {
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
    if let Some(value) = visit.waited().and_then(server_timing) {
        head.headers.append(SERVER_TIMING, value);
    }
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        let body = ResponseBody::Replica(ReplicaBody::new(body, answer.lease, visit));
        return Response::from_parts(head, body);
    }
    let replica = answer.lease.into_upgraded();
    let (Some(protocol), Some(replica), true) = (protocol, replica, answer.asked_to_upgrade) else {
        let revision = visit.backend().revision.clone();
        let refusal = Refusal::UnexpectedUpgrade { revision };
        return refuse(peer, &refusal, Some(&mut visit)).0;
    };
    head.headers
        .insert(CONNECTION, HeaderValue::from_static("upgrade"));
    head.headers.insert(UPGRADE, protocol);
    peer.tunnel.replace(Some(Tunnel { replica, visit }));
    Response::from_parts(head, ResponseBody::Own(None))
}
