//! What secures connections.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebbtide_brokers::connect::{AnyServer, system_roots};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::plan::{Tls, Version};

/// Why no connection can be secured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The name of the server is none.
    #[error("`{0}` is no name that a certificate can have")]
    Name(String),
    /// The file with authorities cannot be read.
    #[error("cannot read authorities (PEM) from {}: {error}", path.display())]
    Read { path: PathBuf, error: pem::Error },
    /// It has none.
    #[error("{} has no certificate of an authority (PEM)", .0.display())]
    Empty(PathBuf),
    /// One of them cannot be used.
    #[error("an authority in {} cannot be used: {error}", path.display())]
    Authority { path: PathBuf, error: rustls::Error },
    /// Nobody is trusted.
    #[error("this machine trusts no authority: name a file with some, or trust anything")]
    NoAuthority,
    /// The settings contradict each other.
    #[error("TLS cannot be set up: {0}")]
    Config(#[from] rustls::Error),
}

/// The name of a protocol in a handshake (RFC 7301).
pub(super) fn alpn(version: Version) -> Vec<u8> {
    match version {
        Version::Http1 => b"http/1.1".to_vec(),
        Version::Http2 => b"h2".to_vec(),
    }
}

/// A name as certificates have it.
pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|_| Error::Name(name.to_owned()))
}

/// The client's side of TLS, for HTTP.
pub(super) fn config(tls: &Tls, version: Version) -> Result<ClientConfig, Error> {
    let mut config = client(tls)?;
    config.alpn_protocols = vec![alpn(version)];
    Ok(config)
}

/// The client's side of TLS, for a protocol that has no name.
pub(super) fn client(tls: &Tls) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if tls.insecure {
        let anyone = Arc::new(AnyServer(provider));
        builder.dangerous().with_custom_certificate_verifier(anyone)
    } else {
        builder.with_root_certificates(authorities(tls)?)
    };
    Ok(builder.with_no_client_auth())
}

/// For a client that wants to be told, and connects without TLS: it trusts nobody.
pub(super) fn unused() -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty());
    Ok(builder.with_no_client_auth())
}

fn authorities(tls: &Tls) -> Result<RootCertStore, Error> {
    let mut roots = system_roots().clone();
    if let Some(path) = &tls.authorities {
        roots.roots.extend(authorities_in(path)?.roots);
    }
    if roots.is_empty() {
        return Err(Error::NoAuthority);
    }
    Ok(roots)
}

/// The authorities in a file.
pub(crate) fn authorities_in(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|error| Error::Read {
        path: path.to_owned(),
        error,
    })?;
    if certificates.is_empty() {
        return Err(Error::Empty(path.to_owned()));
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|error| Error::Authority {
            path: path.to_owned(),
            error,
        })?;
    }
    Ok(roots)
}
