//! A connection that was accepted, of which nothing has been read but what a proxy says first.

use std::net::IpAddr;
use std::rc::Rc;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{serve, serve_tls};
use crate::headers::Client;
use crate::limits::gate::{Limit, Place};
use crate::proxy_protocol::{self, Wrong};
use crate::request::tcp;
use crate::scheme::Scheme;
use crate::tls::SharedTls;
use crate::worker::Worker;

/// The connection.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    /// Who is at its other end.
    pub(crate) address: IpAddr,
    /// HTTPS, if it came to that listener.
    pub(crate) tls: Option<SharedTls>,
    /// The port of a TCP app, if it came to one.
    pub(crate) port: Option<u16>,
    pub(crate) place: Place,
}

impl Accepted {
    /// Has it served by a task of its own.
    pub(crate) fn spawn(self, worker: Rc<Worker>, connections: &mut JoinSet<()>) {
        if let Some(port) = self.port {
            connections.spawn_local(tcp::serve(worker, self, port));
            return;
        }
        let client = self.client(&worker);
        let (stream, place) = (self.stream, self.place);
        // One task or the other, as the one by TLS is larger.
        if let Some(tls) = self.tls {
            connections.spawn_local(serve_tls(worker, tls, stream, client, place));
        } else {
            connections.spawn_local(serve(worker, stream, client, place));
        }
    }

    fn client(&self, worker: &Worker) -> Client {
        let scheme = self.tls.as_ref().map_or(Scheme::Http, |_| Scheme::Https);
        let is_trusted = worker.shared.options.trusts(self.address);
        Client::new(self.address, scheme, is_trusted)
    }
}

/// Serves a connection that has to begin with the PROXY protocol, as one of whom that names.
pub(crate) async fn serve_proxied(worker: Rc<Worker>, mut accepted: Accepted) {
    let head_timeout = worker.shared.options.limits.head_timeout;
    let taken = Box::pin(proxy_protocol::take(&mut accepted.stream));
    let taken = worker.drain.cancel(timeout(head_timeout, taken)).await;
    let named = match taken {
        Some(Ok(Ok(named))) => named,
        Some(Ok(Err(wrong))) => return refuse(&worker, accepted.address, &wrong),
        Some(Err(_)) => return worker.shared.gate.reached(Limit::HeadTime),
        None => return,
    };
    if let Some(address) = named {
        let is_proxy = worker.shared.options.trusts(address);
        if !is_proxy && !accepted.place.is_for(address) {
            return;
        }
        accepted.address = address;
    }
    if let Some(port) = accepted.port {
        return Box::pin(tcp::serve(worker, accepted, port)).await;
    }
    let client = accepted.client(&worker);
    let (stream, place) = (accepted.stream, accepted.place);
    match accepted.tls {
        Some(tls) => Box::pin(serve_tls(worker, tls, stream, client, place)).await,
        None => Box::pin(serve(worker, stream, client, place)).await,
    }
}

/// Counts a connection that does not begin as it has to. Its proxy is not set up as this ingress is, so it
/// is said; but not as often as such connections come, nor where a proxy only looks whether anyone listens.
fn refuse(worker: &Worker, proxy: IpAddr, wrong: &Wrong) {
    if matches!(wrong, Wrong::Ended(_)) {
        tracing::debug!(%proxy, error = %wrong, "a proxy's connection ended at once");
        return;
    }
    worker.shared.gate.reached(Limit::ProxyProtocol);
    if worker.warns_of_proxy() {
        tracing::warn!(%proxy, error = %wrong, "a proxy's connection is refused");
    }
}
