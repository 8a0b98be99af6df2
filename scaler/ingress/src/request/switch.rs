//! Passing on that a replica has switched protocols, and connecting the client with it.

use ebbtide_core::name::RevisionName;
use http::response::Parts;
use http::{HeaderValue, Response};
use hyper::upgrade::OnUpgrade;

use super::refusal::Refusal;
use super::visit::Visit;
use crate::body::ResponseBody;
use crate::connection::Peer;
use crate::tunnel::Tunnel;
use crate::upgrade::Upgrade;
use crate::upstream::{LocalExecutor, Switched};

/// Makes the client's answer of that of a replica that has switched protocols, over HTTP/1.1 to `protocol`.
/// The client's connection, or its stream, is a tunnel once the answer is written.
pub(super) fn switch(
    peer: &Peer,
    mut visit: Visit,
    mut head: Parts,
    (replica, protocol): (Switched, Option<HeaderValue>),
    upgrade: Option<Upgrade>,
) -> Response<ResponseBody> {
    let Some(upgrade) = upgrade else {
        return refuse(peer, visit, |revision| Refusal::UnexpectedUpgrade {
            revision,
        });
    };
    match &replica {
        Switched::Connection(..) if !upgrade.accept_http1(&mut head, protocol) => {
            return not_switched(peer, visit);
        }
        Switched::Connection(..) => {}
        Switched::Stream(_) => upgrade.accept_http2(&mut head),
    }
    visit.answered(head.status);
    let tunnel = Tunnel { replica, visit };
    match upgrade.into_stream() {
        Some(stream) => run(peer, stream, tunnel),
        None => drop(peer.tunnel.replace(Some(tunnel))),
    }
    Response::from_parts(head, ResponseBody::Own(None))
}

/// Runs a tunnel over one stream of an HTTP/2 connection, which has something to do meanwhile. It ends with
/// the connection.
fn run(peer: &Peer, stream: OnUpgrade, tunnel: Tunnel) {
    let busy = peer.activity.begin();
    hyper::rt::Executor::execute(&LocalExecutor, async move {
        tunnel.run_stream(stream).await;
        drop(busy);
    });
}

/// The answer where a replica has not done what it was asked for.
pub(super) fn not_switched(peer: &Peer, visit: Visit) -> Response<ResponseBody> {
    refuse(peer, visit, |revision| Refusal::NotSwitched { revision })
}

fn refuse(
    peer: &Peer,
    mut visit: Visit,
    refusal: impl FnOnce(RevisionName) -> Refusal,
) -> Response<ResponseBody> {
    let refusal = refusal(visit.backend().revision.clone());
    super::refuse(peer, &refusal, Some(&mut visit)).0
}
