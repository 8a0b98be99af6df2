//! Which certificate is for which host.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
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

    /// The certificate for `host`, a name in lowercase.
    pub(super) fn find(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        self.present.load().find(host).cloned()
    }

    /// The certificate for clients that name no host, or one without a certificate.
    pub(super) fn default_one(&self) -> Option<Arc<CertifiedKey>> {
        self.present.load().default.clone()
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
