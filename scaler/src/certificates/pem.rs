//! What is in files in PEM.

use std::path::Path;

use anyhow::Context;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates of a file, of which there has to be one at least.
///
/// # Errors
/// The file, and what it is not.
pub(crate) fn certificates(
    path: &Path,
    content: &[u8],
) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    let found = found.with_context(|| format!("{} is not PEM", path.display()))?;
    anyhow::ensure!(
        !found.is_empty(),
        "{} has no certificate in PEM",
        path.display()
    );
    Ok(found)
}

/// The private key of a file.
///
/// # Errors
/// The file, and what it is not.
pub(crate) fn key(path: &Path, content: &[u8]) -> anyhow::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(content)
        .with_context(|| format!("{} has no private key in PEM", path.display()))
}
