//! Asking a replica to switch to another protocol, as its client asks: by `Upgrade` over HTTP/1.1 (RFC 9110,
//! section 7.8), and for WebSocket by extended CONNECT over HTTP/2 (RFC 8441). For WebSocket the client's way
//! and the replica's need not be the same.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::response::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::headers;

const WEBSOCKET: &str = "websocket";

/// What a WebSocket server puts behind the key before it hashes both (RFC 6455, section 1.3).
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Bytes of a key before they are encoded.
const KEY: usize = 16;

/// A request's wish to switch to another protocol.
pub(crate) struct Upgrade {
    protocol: HeaderValue,
    /// What a WebSocket server has to prove to have read. Over HTTP/2 there is none, and it is made here.
    key: Option<HeaderValue>,
    /// What the client's stream becomes, if the wish came by extended CONNECT.
    stream: Option<OnUpgrade>,
}

/// Whether a request is an extended CONNECT, and then for what.
pub(crate) fn connects_to<B>(request: &Request<B>) -> Option<&Protocol> {
    let protocol = request.extensions().get();
    protocol.filter(|_| request.method() == Method::CONNECT)
}

/// Whether what an extended CONNECT is for is known here.
pub(crate) fn is_known(protocol: &Protocol) -> bool {
    protocol.as_ref() == WEBSOCKET.as_bytes()
}

impl Upgrade {
    /// Takes the wish out of a request, which is an ordinary one then; none if it has none.
    pub(crate) fn take<B: Body>(request: &mut Request<B>) -> Option<Self> {
        if connects_to(request).is_some() {
            *request.method_mut() = Method::GET;
            request.extensions_mut().remove::<Protocol>();
            return Some(Self {
                protocol: HeaderValue::from_static(WEBSOCKET),
                key: Some(new_key()),
                stream: Some(hyper::upgrade::on(request)),
            });
        }
        // What follows the body of such a request is no request, and no other protocol yet either.
        let protocol = headers::upgrade_of(request).filter(|_| request.body().is_end_stream())?;
        Some(Self {
            protocol,
            key: request.headers().get(SEC_WEBSOCKET_KEY).cloned(),
            stream: None,
        })
    }

    fn is_websocket(&self) -> bool {
        self.protocol
            .as_bytes()
            .eq_ignore_ascii_case(WEBSOCKET.as_bytes())
    }

    /// Whether only switching is success: an answer to CONNECT with a status of success has no body.
    pub(crate) fn is_by_connect(&self) -> bool {
        self.stream.is_some()
    }

    /// What the client's stream becomes, if the wish came by extended CONNECT.
    pub(crate) fn into_stream(self) -> Option<OnUpgrade> {
        self.stream
    }

    /// Asks for it over HTTP/1.1.
    pub(crate) fn ask_http1<B>(&self, request: &mut Request<B>) {
        if request.method() == Method::CONNECT {
            *request.method_mut() = Method::GET;
            request.extensions_mut().remove::<Protocol>();
        }
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
        if let Some(key) = &self.key {
            headers.insert(SEC_WEBSOCKET_KEY, key.clone());
        }
    }

    /// Asks for it over HTTP/2, which can be for WebSocket alone. Says whether it has.
    pub(crate) fn ask_http2<B>(&self, request: &mut Request<B>) -> bool {
        let has_method = [Method::GET, Method::CONNECT].contains(request.method());
        if !self.is_websocket() || !has_method {
            return false;
        }
        *request.method_mut() = Method::CONNECT;
        request.headers_mut().remove(SEC_WEBSOCKET_KEY);
        let protocol = Protocol::from_static(WEBSOCKET);
        request.extensions_mut().insert(protocol);
        true
    }

    /// Makes the answer of a replica that has switched over HTTP/1.1 the client's. `protocol` is what it says
    /// to have switched to. False if that is not what it was asked for.
    pub(crate) fn accept_http1(&self, head: &mut Parts, protocol: Option<HeaderValue>) -> bool {
        let Some(protocol) = protocol else {
            return false;
        };
        if !self.is_by_connect() {
            switching(head, protocol);
            return true;
        }
        let proof = head.headers.remove(SEC_WEBSOCKET_ACCEPT);
        let is_right = protocol
            .as_bytes()
            .eq_ignore_ascii_case(WEBSOCKET.as_bytes())
            && proof.is_some()
            && proof == self.key.as_ref().and_then(accept_of);
        if is_right {
            connected(head);
        }
        is_right
    }

    /// Makes the answer of a replica that has switched over HTTP/2 the client's.
    pub(crate) fn accept_http2(&self, head: &mut Parts) {
        head.headers.remove(SEC_WEBSOCKET_ACCEPT);
        if self.is_by_connect() {
            return connected(head);
        }
        switching(head, self.protocol.clone());
        if let Some(proof) = self.key.as_ref().and_then(accept_of) {
            head.headers.insert(SEC_WEBSOCKET_ACCEPT, proof);
        }
    }
}

/// Says over HTTP/1.1 that the connection is another protocol's now.
fn switching(head: &mut Parts, protocol: HeaderValue) {
    head.status = StatusCode::SWITCHING_PROTOCOLS;
    let headers = &mut head.headers;
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// The same over HTTP/2, of the stream.
fn connected(head: &mut Parts) {
    head.status = StatusCode::OK;
    head.headers.remove(CONTENT_LENGTH);
}

fn new_key() -> HeaderValue {
    let mut bytes = [0; KEY];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        // It keeps caches from confusing answers, and nothing else.
        tracing::warn!("the system has nothing random, so a WebSocket's key is not");
    }
    let key = HeaderValue::try_from(BASE64_STANDARD.encode(bytes));
    key.unwrap_or_else(|_| HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA=="))
}

/// What proves that a server has read the key (RFC 6455, section 4.2.2).
fn accept_of(key: &HeaderValue) -> Option<HeaderValue> {
    let text = [key.as_bytes(), ACCEPT_SUFFIX].concat();
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &text);
    HeaderValue::try_from(BASE64_STANDARD.encode(hash)).ok()
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    /// The example of RFC 6455, section 1.3.
    const RIGHT: (&str, &str) = ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

    #[test]
    fn a_server_proves_that_it_has_read_the_key() {
        let (key, proof) = RIGHT;
        assert_eq!(accept_of(&HeaderValue::from_static(key)).unwrap(), proof);
        let (one, other) = (new_key(), new_key());
        assert_eq!(BASE64_STANDARD.decode(&one).unwrap().len(), KEY);
        assert_ne!(one, other);
    }

    #[tokio::test]
    async fn only_a_replica_that_has_switched_to_websocket_and_proves_it_is_believed() {
        let (key, right) = RIGHT;
        let accepted = |protocol: Option<&'static str>, proof: Option<&str>| {
            let mut request = Request::new(());
            let upgrade = Upgrade {
                protocol: HeaderValue::from_static(WEBSOCKET),
                key: Some(HeaderValue::from_static(key)),
                stream: Some(hyper::upgrade::on(&mut request)),
            };
            let mut response = Response::builder().status(101);
            if let Some(proof) = proof {
                response = response.header(SEC_WEBSOCKET_ACCEPT, proof);
            }
            let mut head = response.body(()).unwrap().into_parts().0;
            let protocol = protocol.map(HeaderValue::from_static);
            let is_right = upgrade.accept_http1(&mut head, protocol);
            is_right && head.status == 200 && head.headers.is_empty()
        };
        assert!(accepted(Some("WebSocket"), Some(right)));
        assert!(!accepted(Some("websocket"), Some("another")));
        assert!(!accepted(Some("websocket"), None));
        assert!(!accepted(Some("other"), Some(right)));
        assert!(!accepted(None, Some(right)));
    }

    #[test]
    fn only_a_get_for_websocket_is_asked_for_over_http2() {
        let asks = |method: Method, protocol: &'static str| {
            let upgrade = Upgrade {
                protocol: HeaderValue::from_static(protocol),
                key: None,
                stream: None,
            };
            let mut request = Request::builder().method(method).body(()).unwrap();
            let asked = upgrade.ask_http2(&mut request);
            assert_eq!(asked, connects_to(&request).is_some_and(is_known));
            // It may go to a replica that speaks HTTP/1.1 after all.
            upgrade.ask_http1(&mut request);
            assert!(connects_to(&request).is_none() && request.method() != Method::CONNECT);
            asked
        };
        assert!(asks(Method::GET, "WebSocket"));
        assert!(!asks(Method::GET, "other"));
        assert!(!asks(Method::POST, "websocket"));
    }
}
