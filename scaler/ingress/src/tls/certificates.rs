//! Which certificate is for which host.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The certificates in force. They are replaced as a whole, and connections that there are do not
/// notice.
#[derive(Default)]
pub struct Certificates {
    present: ArcSwap<HostCertificates>,
}

/// Certificates by the hosts they are for.
#[derive(Default)]
pub struct HostCertificates {
    exact: HashMap<Box<str>, Arc<CertifiedKey>>,
    /// By what comes after `*.`.
    wildcard: HashMap<Box<str>, Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl HostCertificates {
    /// Has `host` (a name, or `*.` and a name) shown this certificate. Of two for one host the first
    /// has it; returns whether this one has.
    pub fn add(&mut self, host: &str, certificate: &Arc<CertifiedKey>) -> bool {
        let host = host.to_ascii_lowercase();
        let (names, host) = match host.strip_prefix("*.") {
            Some(rest) => (&mut self.wildcard, rest),
            None => (&mut self.exact, host.as_str()),
        };
        if names.contains_key(host) {
            return false;
        }
        names.insert(host.into(), Arc::clone(certificate));
        true
    }

    /// Has clients that name no host, or one without a certificate, shown this one.
    pub fn set_default(&mut self, certificate: Arc<CertifiedKey>) {
        self.default = Some(certificate);
    }

    /// The certificate for a host in lowercase: its own before one with a wildcard, which stands for
    /// one label (RFC 6125, section 6.4.3).
    fn find(&self, host: &str) -> Option<&Arc<CertifiedKey>> {
        self.exact.get(host).or_else(|| {
            let (_, rest) = host.split_once('.')?;
            self.wildcard.get(rest)
        })
    }
}

impl Certificates {
    /// No certificates yet: every handshake is refused.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Puts these in the place of those before. Handshakes that begin later see them.
    pub fn replace(&self, certificates: HostCertificates) {
        self.present.store(Arc::new(certificates));
    }

    /// Whether there is a certificate for `host`, a name in lowercase.
    pub fn cover(&self, host: &str) -> bool {
        self.present.load().find(host).is_some()
    }

    fn choose(&self, host: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let present = self.present.load();
        let own = host.and_then(|host| present.find(host));
        own.or(present.default.as_ref()).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let Some(host) = hello.server_name() else {
            return self.choose(None);
        };
        if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.choose(Some(&host.to_ascii_lowercase()));
        }
        self.choose(Some(host))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.present.load();
        f.debug_struct("Certificates")
            .field("exact", &present.exact.keys())
            .field("wildcard", &present.wildcard.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::generate_simple_self_signed;
    use tokio_rustls::rustls::crypto::ring::default_provider;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    fn certificate() -> Arc<CertifiedKey> {
        let made = generate_simple_self_signed(["any".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let chain = vec![made.cert.der().clone()];
        Arc::new(CertifiedKey::from_der(chain, key, &default_provider()).unwrap())
    }

    #[test]
    fn a_hosts_own_certificate_comes_before_a_wildcard_and_the_default_last() {
        let (own, wildcard, default) = (certificate(), certificate(), certificate());
        let mut hosts = HostCertificates::default();
        assert!(hosts.add("WWW.example.com", &own));
        assert!(hosts.add("*.example.com", &wildcard));
        assert!(!hosts.add("*.example.com", &own), "the first has it");
        let certificates = Certificates::new();
        assert!(certificates.choose(Some("www.example.com")).is_none());
        certificates.replace(hosts);
        for (host, expected) in [
            (Some("www.example.com"), Some(&own)),
            (Some("api.example.com"), Some(&wildcard)),
            (Some("a.api.example.com"), None),
            (Some("example.com"), None),
            (Some("com"), None),
            (None, None),
        ] {
            let found = certificates.choose(host);
            let same = match (&found, expected) {
                (Some(found), Some(expected)) => Arc::ptr_eq(found, expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(same, "{host:?}");
            assert_eq!(
                host.is_some_and(|host| certificates.cover(host)),
                expected.is_some()
            );
        }
        let mut hosts = HostCertificates::default();
        hosts.set_default(Arc::clone(&default));
        certificates.replace(hosts);
        for host in [None, Some("www.example.com")] {
            assert!(Arc::ptr_eq(&certificates.choose(host).unwrap(), &default));
        }
        assert!(
            !certificates.cover("www.example.com"),
            "a default is for no host"
        );
    }
}
