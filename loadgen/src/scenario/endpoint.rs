//! Where requests go: the URL, checked, and the socket address that its host stands for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};

use anyhow::{Context as _, bail, ensure};
use http::uri::Authority;

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `https://` or `wss://`.
    pub(crate) tls: bool,
    /// `ws://` or `wss://`.
    pub(crate) web_socket: bool,
    /// What the URL has between `://` and the path: the default `Host`.
    pub(crate) authority: String,
    /// Path and query as they are written, templates and all.
    pub(crate) path: String,
    /// How many characters come before the path.
    pub(crate) before_path: usize,
    /// The host without brackets.
    pub(crate) host: String,
    port: u16,
}

/// Whether a URL that [`Endpoint::parse`] takes is one of a WebSocket.
pub(crate) fn is_web_socket(url: &str) -> bool {
    Endpoint::parse(url).is_ok_and(|endpoint| endpoint.web_socket)
}

impl Endpoint {
    /// Checks a URL. Its path is left to who reads the templates in it.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (String::new(), url),
        };
        let (tls, web_socket) = match scheme.as_str() {
            "http" => (false, false),
            "https" => (true, false),
            "ws" => (false, true),
            "wss" => (true, true),
            _ => bail!(
                "`{url}`: a URL starts with http://, https://, ws:// or wss://, as in http://127.0.0.1:8080/"
            ),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        ensure!(
            !authority.contains('@'),
            "`{url}`: credentials in a URL are not supported, send a header: authorization"
        );
        ensure!(
            !authority.contains("${"),
            "`{url}`: only the path may have templates"
        );
        ensure!(!authority.is_empty(), "`{url}` has no host");
        let authority: Authority = authority
            .parse()
            .with_context(|| format!("`{url}` is not a URL: `{authority}` is not a host"))?;
        let path = path.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        ensure!(!host.is_empty(), "`{url}` has no host");
        Ok(Self {
            tls,
            web_socket,
            path: format!("{slash}{path}"),
            before_path: (url.len() - rest.len() + end).saturating_sub(slash.len()),
            port: port(&authority, tls).with_context(|| format!("`{url}`"))?,
            authority: authority.to_string(),
            host,
        })
    }

    /// Finds the address to connect to, once for the whole run.
    ///
    /// `localhost` and the names below it are this machine (RFC 6761, section 6.3): they are never
    /// asked for in DNS.
    pub(crate) fn resolve(&self) -> anyhow::Result<SocketAddr> {
        if let Some(address) = self.known_address() {
            return Ok(address);
        }
        let mut found = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .with_context(|| format!("cannot resolve `{}`", self.host))?;
        found
            .next()
            .with_context(|| format!("`{}` has no address", self.host))
    }

    /// The address, where no resolver is needed.
    pub(crate) fn known_address(&self) -> Option<SocketAddr> {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        let local = name == "localhost" || name.ends_with(".localhost");
        let address = if local {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            self.host.parse().ok()?
        };
        Some(SocketAddr::new(address, self.port))
    }
}

fn port(authority: &Authority, tls: bool) -> anyhow::Result<u16> {
    let text = authority.as_str();
    let after_host = text.rfind(']').map_or(text, |end| &text[end..]);
    match after_host.split_once(':') {
        None => Ok(if tls { 443 } else { 80 }),
        Some((_, port)) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .with_context(|| format!("`{port}` is not a port: one is from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_its_parts() {
        for (url, tls, authority, path, port) in [
            (
                "http://hello.localhost:8080/work?ms=5",
                false,
                "hello.localhost:8080",
                "/work?ms=5",
                8080,
            ),
            ("http://example.com", false, "example.com", "/", 80),
            ("https://example.com?q=1", true, "example.com", "/?q=1", 443),
            ("ws://a/talk", false, "a", "/talk", 80),
            ("WSS://a/talk", true, "a", "/talk", 443),
            ("HTTP://[::1]:81/a#b", false, "[::1]:81", "/a", 81),
            (
                "http://a/${number(1, 2)}?x=${uuid}",
                false,
                "a",
                "/${number(1, 2)}?x=${uuid}",
                80,
            ),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            let found = (
                endpoint.tls,
                endpoint.authority.as_str(),
                endpoint.path.as_str(),
                endpoint.port,
            );
            assert_eq!(found, (tls, authority, path, port), "{url}");
        }
    }

    #[test]
    fn localhost_and_addresses_need_no_resolver() {
        for (url, address) in [
            ("http://localhost/", "127.0.0.1:80"),
            ("http://hello---blue.LOCALHOST.:81/", "127.0.0.1:81"),
            ("http://127.0.0.2:8080/", "127.0.0.2:8080"),
            ("https://[::1]/", "[::1]:443"),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(
                endpoint.known_address(),
                Some(address.parse().unwrap()),
                "{url}"
            );
            assert_eq!(
                endpoint.resolve().unwrap(),
                address.parse().unwrap(),
                "{url}"
            );
        }
        let other = Endpoint::parse("http://notlocalhost/").unwrap();
        assert_eq!(other.known_address(), None);
    }

    #[test]
    fn what_cannot_be_a_target_says_why() {
        for (url, reason) in [
            ("127.0.0.1:8080", "starts with http://"),
            ("/path", "starts with http://"),
            ("ftp://example.com/", "starts with http://"),
            ("http://user:pass@example.com/", "credentials"),
            ("http://exa mple/", "is not a host"),
            (
                "http://${uuid}.localhost/",
                "only the path may have templates",
            ),
            ("http:///path", "has no host"),
            ("http://:80/", "host"),
            ("http://a:70000/", "is not a port"),
            ("http://a:0/", "is not a port"),
            ("", "starts with http://"),
        ] {
            let error = format!("{:#}", Endpoint::parse(url).unwrap_err());
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
