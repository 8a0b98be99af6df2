//! Who may ask an app.

use http::HeaderMap;

use super::refusal::Refusal;
use crate::connection::Peer;
use ebbtide_core::policy::RequestPolicy;

/// Refuses a client that the app does not want, and one that is not known where that counts.
pub(super) fn check(
    peer: &Peer,
    headers: &HeaderMap,
    policy: &RequestPolicy,
) -> Result<(), Refusal> {
    let Some(access) = &policy.access else {
        return Ok(());
    };
    let options = &peer.worker.shared.options;
    match peer
        .client
        .origin(headers, |address| options.trusts(address))
    {
        Some(address) if access.admits(address) => Ok(()),
        Some(address) => Err(Refusal::Forbidden(address)),
        None => Err(Refusal::UnknownClient),
    }
}
