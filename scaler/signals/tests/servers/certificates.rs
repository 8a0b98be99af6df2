//! The certificates of a server and of a user.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// What signs the others, and a user's. The server's are in files.
pub(crate) struct Certificates {
    /// What has signed the server's, in PEM.
    pub(crate) ca: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(crate) struct Signed {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Certificates {
    /// Makes them, and writes the server's to a folder: `ca.pem`, `server.pem`, `server.key`.
    pub(crate) fn make(folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = parameters.self_signed(&key).unwrap().pem();
        let certificates = Self {
            ca,
            issuer: Issuer::new(parameters, key),
        };
        let server = certificates.sign("server", &["127.0.0.1"]);
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("ca.pem", &certificates.ca);
        write("server.pem", &server.cert);
        write("server.key", &server.key);
        certificates
    }

    /// A certificate of a name.
    pub(crate) fn sign(&self, name: &str, addresses: &[&str]) -> Signed {
        let key = KeyPair::generate().unwrap();
        let addresses: Vec<String> = addresses.iter().map(|one| (*one).to_owned()).collect();
        let mut parameters = CertificateParams::new(addresses).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        Signed {
            cert: parameters.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// What has signed nothing here.
    pub(crate) fn other_ca() -> String {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }
}
