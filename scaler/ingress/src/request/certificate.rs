//! Whether a request may be answered without its client's certificate, and what the app is told of it.

use ebbtide_core::document::ClientCertificateMode;
use http::{HeaderMap, HeaderValue};

use super::refusal::Refusal;
use crate::connection::Peer;
use crate::headers::forwarded_certificate;
use crate::scheme::Scheme;
use crate::table::Snapshot;
use crate::table::snapshot::Target;

/// The certificate that the app at `target` is told of, if there is one that was shown to it. What a proxy
/// that is trusted says of its client's stays as it is.
pub(super) fn shown(
    peer: &Peer,
    headers: &HeaderMap,
    snapshot: &Snapshot,
    target: Target<'_>,
) -> Result<Option<HeaderValue>, Refusal> {
    let mode = snapshot.policy(target).client_certificates;
    let is_told = peer.client.is_trusted() && forwarded_certificate::is_in(headers);
    if mode == ClientCertificateMode::Ignore || is_told {
        return Ok(None);
    }
    let presented = peer.presented.as_ref();
    let ours = presented.filter(|presented| snapshot.leads_to(&presented.host, target));
    let certificate = ours.and_then(|presented| presented.certificate.clone());
    if certificate.is_some() || mode == ClientCertificateMode::Accept {
        return Ok(certificate);
    }
    // A client that has asked another host first, over HTTP/2 say, was not asked for one. By a connection of
    // its own it will be.
    let was_asked = ours.is_some() || peer.client.scheme() == Scheme::Http;
    Err(if was_asked {
        Refusal::NoCertificate
    } else {
        Refusal::Misdirected
    })
}
