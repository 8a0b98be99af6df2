//! Leading requests in the clear to HTTPS.

use std::borrow::Cow;

use http::{HeaderValue, Request};

use crate::connection::Peer;
use crate::scheme::Scheme;
use crate::table::host;

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Where a request is to go instead: to HTTPS, if it came in the clear, that is not `wanted` for its
/// app, and a certificate was given for its host. `key` is the host without its port.
pub(super) fn location<B>(
    peer: &Peer,
    request: &Request<B>,
    written_host: &HeaderValue,
    key: &str,
    is_wanted: impl FnOnce() -> bool,
) -> Option<HeaderValue> {
    let shared = &peer.worker.shared;
    let tls = shared.tls.as_ref()?;
    let certificates = tls.redirects_to.as_ref()?;
    if peer.client.scheme() != Scheme::Http || !is_wanted() || !certificates.cover(key) {
        return None;
    }
    // Something in front of this took the request by HTTPS, and would be led here again.
    if peer.client.has_taken_https(request.headers()) {
        return None;
    }
    let ports = Ports {
        plain: shared.port,
        tls: tls.port,
    };
    let written_host = written_host.to_str().unwrap_or_default();
    url(key, ports.for_host(written_host), request.uri())
}

/// The ports that the ingress listens on.
struct Ports {
    plain: u16,
    tls: u16,
}

impl Ports {
    /// The port for a client that has asked `host`. One that named no port has asked port 80: if that
    /// is not ours, something leads it here (a service, a container engine), and 443 likewise.
    fn for_host(&self, host: &str) -> u16 {
        if host::has_port(host) || self.plain == HTTP_PORT {
            self.tls
        } else {
            HTTPS_PORT
        }
    }
}

fn url(host: &str, port: u16, target: &http::Uri) -> Option<HeaderValue> {
    let path = target.path_and_query().map_or("/", |path| path.as_str());
    // `OPTIONS *` is about the server.
    let path = if path.starts_with('/') { path } else { "/" };
    let port = match port {
        HTTPS_PORT => Cow::Borrowed(""),
        port => Cow::Owned(format!(":{port}")),
    };
    HeaderValue::try_from(format!("https://{host}{port}{path}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_which_the_client_can_reach() {
        for (plain, tls, host, expected) in [
            (8080, 8443, "a.test:8080", 8443),
            (8080, 8443, "a.test:80", 8443),
            (8080, 8443, "a.test", 443),
            (8080, 8443, "a.test:", 443),
            (80, 8443, "a.test", 8443),
            (80, 443, "a.test", 443),
        ] {
            let ports = Ports { plain, tls };
            assert_eq!(ports.for_host(host), expected, "{plain} {tls} {host}");
        }
    }

    #[test]
    fn the_path_and_the_query_stay() {
        for (port, target, expected) in [
            (8443, "/a/b?c=d", "https://a.test:8443/a/b?c=d"),
            (443, "/", "https://a.test/"),
            (443, "http://other.test/x", "https://a.test/x"),
            (443, "http://other.test", "https://a.test/"),
            (443, "*", "https://a.test/"),
            (443, "//evil.test/x", "https://a.test//evil.test/x"),
        ] {
            let uri = target.parse().unwrap();
            assert_eq!(url("a.test", port, &uri).unwrap(), expected, "{target}");
        }
    }
}
