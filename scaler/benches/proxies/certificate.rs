//! The certificate that all proxies show.

use std::path::{Path, PathBuf};

use rcgen::generate_simple_self_signed;
use tempfile::TempDir;

/// The host it is for.
pub(crate) const HOST: &str = "app0.localhost";

/// A certificate that stands for itself, with an ECDSA key on P-256, in PEM.
pub(crate) struct Certificate(TempDir);

impl Certificate {
    pub(crate) fn make() -> Self {
        let made = generate_simple_self_signed([HOST.to_owned()]).expect("a host");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let this = Self(folder);
        let both = format!("{certificate}{key}");
        let files = [
            (this.certificate(), certificate),
            (this.key(), key),
            (this.both(), both),
        ];
        for (file, text) in files {
            std::fs::write(file, text).expect("the folder is writable");
        }
        this
    }

    /// A folder with it, as the one for clients that ask for no other.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.path().join("default.crt")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("default.key")
    }

    /// A file with the certificate and the key.
    pub(crate) fn both(&self) -> PathBuf {
        self.0.path().join("both.pem")
    }
}
