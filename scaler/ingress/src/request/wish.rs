//! What a request itself says of where it goes: a revision that it is pinned to, or the session that it
//! belongs to.

use std::num::NonZeroU64;

use http::HeaderMap;

use super::refusal::Refusal;
use crate::connection::Peer;
use crate::headers::cookie;
use crate::scheme::Scheme;
use crate::table::Snapshot;
use crate::table::snapshot::Target;

/// The session of a request, whose app wants that there are sessions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// The replica that it is on; none if it begins.
    pub(super) replica: Option<NonZeroU64>,
    /// Whether its client speaks HTTPS.
    pub(super) is_secure: bool,
}

/// Where the request goes by its own wish, and its session if its app has those.
///
/// # Errors
/// When a header pins it to what is no revision.
pub(super) fn of<'a>(
    peer: &Peer,
    headers: &HeaderMap,
    snapshot: &'a Snapshot,
    mut target: Target<'a>,
) -> Result<(Target<'a>, Option<Session>), Refusal> {
    let policy = snapshot.policy(target);
    if let Some(name) = &policy.pin_header
        && let Some(value) = headers.get(name.as_str())
    {
        let wanted = value.to_str().unwrap_or_default();
        let Some(pinned) = snapshot.pinned(target, wanted) else {
            return Err(Refusal::NoSuchRevision(wanted.to_owned()));
        };
        target = pinned;
    } else if let Some(name) = &policy.pin_cookie
        && let Some(pinned) = cookie(headers, name).and_then(|it| snapshot.pinned(target, it))
    {
        // A cookie outlives the revision that it names, and then says nothing.
        target = pinned;
    }
    if !policy.has_sessions {
        return Ok((target, None));
    }
    let is_secure = peer.client.scheme() == Scheme::Https || peer.client.has_taken_https(headers);
    let mut session = Session {
        replica: None,
        is_secure,
    };
    let key = peer.worker.shared.options.affinity.as_ref();
    let named = key.and_then(|key| key.replica_of(headers));
    if let Some((there, replica)) = named.and_then(|name| snapshot.replica_named(target, &name)) {
        target = there;
        session.replica = Some(replica);
    }
    Ok((target, Some(session)))
}
