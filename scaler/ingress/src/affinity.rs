//! Sessions: a cookie that leads a client's requests to the replica that had its first one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use ring::{hmac, rand};

use crate::headers::cookie;
use crate::replica::Replica;

/// The name of the cookie.
const NAME: &str = "ebbtide-affinity";

/// Bytes of a signature that are kept: as hard to guess as a key of AES.
const SIGNATURE: usize = 16;

/// What is signed begins so, so that a signature is of use for nothing else.
const PURPOSE: &[u8] = b"ebbtide affinity 1\0";

/// The fewest bytes of a key.
pub const AFFINITY_KEY_BYTES: usize = 16;

/// The key that the cookies of sessions are signed with: nobody can choose a replica with one of their
/// own. Ingresses that stand for each other need the same.
#[derive(Clone)]
pub struct AffinityKey(hmac::Key);

impl AffinityKey {
    /// A key of these bytes; none if they are fewer than [`AFFINITY_KEY_BYTES`].
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= AFFINITY_KEY_BYTES)
            .then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// A key of its own; none if the system has no random numbers.
    pub fn random() -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        key.ok().map(Self)
    }

    /// The replica that a request's cookie names, if we have written it.
    pub(crate) fn replica_of(&self, headers: &HeaderMap) -> Option<String> {
        let (name, signature) = cookie(headers, NAME)?.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let is_ours = is_same(&self.signature(name), &signature);
        is_ours.then(|| name.to_owned())
    }

    /// `Set-Cookie` for a session on `replica`. Over HTTPS it goes with requests from pages of other
    /// sites too, as an app that is embedded there needs.
    pub(crate) fn cookie(&self, replica: &Replica, is_secure: bool) -> Option<HeaderValue> {
        let name = replica.name();
        let signature = URL_SAFE_NO_PAD.encode(self.signature(name.as_str()));
        let more = if is_secure {
            "SameSite=None; Secure"
        } else {
            "SameSite=Lax"
        };
        let cookie = format!("{NAME}={name}.{signature}; Path=/; HttpOnly; {more}");
        HeaderValue::try_from(cookie).ok()
    }

    fn signature(&self, name: &str) -> [u8; SIGNATURE] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(PURPOSE);
        context.update(name.as_bytes());
        let mut signature = [0; SIGNATURE];
        let whole = context.sign();
        signature.copy_from_slice(&whole.as_ref()[..SIGNATURE]);
        signature
    }
}

/// Whether two texts are the same, which takes as long if they are not.
fn is_same(ours: &[u8], given: &[u8]) -> bool {
    let pairs = ours.iter().zip(given);
    let differences = pairs.fold(0, |sum, (one, other)| sum | (one ^ other));
    ours.len() == given.len() && differences == 0
}

impl fmt::Debug for AffinityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UpstreamProtocol;
    use crate::headers::tests::headers;
    use ebbtide_core::name::{ReplicaName, RevisionName};
    use http::header::COOKIE;
    use std::net::SocketAddr;

    #[test]
    fn only_what_was_signed_with_the_key_names_a_replica() {
        let key = AffinityKey::new(b"0123456789abcdef").unwrap();
        let revision = RevisionName::parse("hello--v1").unwrap();
        let name = ReplicaName::new(&revision, "7");
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let replica = Replica::new(name, address, UpstreamProtocol::Http1);
        let cookie = key.cookie(&replica, true).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=None; Secure"));
        let pair = cookie.split(';').next().unwrap();
        let asked = |cookies: String| {
            let mut headers = headers(&[]);
            headers.insert(COOKIE, HeaderValue::try_from(cookies).unwrap());
            key.replica_of(&headers)
        };
        let ours = Some(replica.name().to_string());
        assert_eq!(asked(pair.to_owned()), ours);
        assert_eq!(asked(format!("a=b; {pair}; c=d")), ours);
        for forged in [
            pair.replace("--v1", "--v2"),
            format!("{pair}A"),
            pair[..pair.len() - 1].to_owned(),
            pair.split('.').next().unwrap().to_owned(),
            format!("{NAME}=."),
            NAME.to_owned(),
            format!("x{pair}"),
        ] {
            assert_eq!(asked(forged.clone()), None, "{forged}");
        }
        let other = AffinityKey::new(b"0123456789abcdeX").unwrap();
        assert_ne!(other.cookie(&replica, true), key.cookie(&replica, true));
        assert!(AffinityKey::new(b"short").is_none());
        assert_eq!(format!("{key:?}"), "(secret)");
    }
}
