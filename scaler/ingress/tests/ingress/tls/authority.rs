//! Certificates of a test's own.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::NamedTempFile;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

/// A root that nobody else knows, and what it signs.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The root in PEM.
    pub(super) root: NamedTempFile,
}

/// A certificate as it is served, and as clients print it.
pub(super) struct Issued {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let root = NamedTempFile::new().unwrap();
        std::fs::write(root.path(), issuer.pem()).unwrap();
        Self { issuer, root }
    }

    /// A certificate for these names.
    pub(super) fn issue(&self, names: &[&str]) -> Issued {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let chain = vec![certificate.der().clone()];
        Issued {
            key: Arc::new(CertifiedKey::from_der(chain, der, &default_provider()).unwrap()),
            pem: certificate.pem().replace('\r', ""),
        }
    }

    /// The root.
    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// The root's file, for clients.
    pub(super) fn path(&self) -> &str {
        self.root.path().to_str().unwrap()
    }
}
