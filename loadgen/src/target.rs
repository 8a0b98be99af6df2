//! Where requests go: the URL, checked, and the socket address that its host stands for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail, ensure};
use http::Uri;
use http::uri::{PathAndQuery, Scheme};

/// A checked `http://` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// What the URL has between `http://` and the path: the default `Host`.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: PathAndQuery,
    host: String,
    port: u16,
}

impl Target {
    /// Checks a URL; only cleartext `http://` is spoken.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url
            .parse()
            .with_context(|| format!("`{url}` is not a URL"))?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(scheme) if *scheme == Scheme::HTTPS => {
                bail!("`{url}`: https is not supported yet, only http:// URLs are")
            }
            _ => bail!("`{url}`: a URL starts with http://, as in http://127.0.0.1:8080/"),
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        ensure!(
            !authority.contains('@'),
            "`{url}`: credentials in a URL are not supported, use --header 'authorization: …'"
        );
        let host = uri.host().unwrap_or_default();
        ensure!(!host.is_empty(), "`{url}` has no host");
        Ok(Self {
            authority: authority.to_owned(),
            path: uri
                .path_and_query()
                .cloned()
                .unwrap_or_else(|| PathAndQuery::from_static("/")),
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(80),
        })
    }

    /// Finds the address to connect to, once for the whole run.
    ///
    /// `localhost` and the names below it are this machine (RFC 6761, section 6.3): they are never
    /// asked for in DNS.
    pub(crate) async fn resolve(&self) -> anyhow::Result<SocketAddr> {
        if let Some(address) = self.known_address() {
            return Ok(SocketAddr::new(address, self.port));
        }
        let mut found = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .with_context(|| format!("cannot resolve `{}`", self.host))?;
        found
            .next()
            .with_context(|| format!("`{}` has no address", self.host))
    }

    fn known_address(&self) -> Option<IpAddr> {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        self.host.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_its_parts() {
        let target = Target::parse("http://hello.localhost:8080/work?ms=5").unwrap();
        assert_eq!(target.authority, "hello.localhost:8080");
        assert_eq!(target.path, "/work?ms=5");
        assert_eq!(target.port, 8080);
        assert_eq!(Target::parse("http://example.com").unwrap().path, "/");
        assert_eq!(Target::parse("http://example.com").unwrap().port, 80);
    }

    #[test]
    fn localhost_and_addresses_need_no_resolver() {
        for (url, address) in [
            ("http://localhost/", "127.0.0.1"),
            ("http://hello---blue.LOCALHOST.:81/", "127.0.0.1"),
            ("http://127.0.0.2:8080/", "127.0.0.2"),
            ("http://[::1]:8080/", "::1"),
        ] {
            let known = Target::parse(url).unwrap().known_address();
            assert_eq!(known, Some(address.parse().unwrap()), "{url}");
        }
        let other = Target::parse("http://notlocalhost/").unwrap();
        assert_eq!(other.known_address(), None);
    }

    #[test]
    fn what_cannot_be_a_target_says_why() {
        for (url, reason) in [
            ("https://example.com/", "https is not supported"),
            ("127.0.0.1:8080", "starts with http://"),
            ("/path", "starts with http://"),
            ("ftp://example.com/", "starts with http://"),
            ("http://user:pass@example.com/", "credentials"),
            ("http://exa mple/", "is not a URL"),
            ("", "is not a URL"),
        ] {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
