//! The roots that servers are trusted by.

use std::path::Path;

use anyhow::Context;
use tokio_rustls::rustls::RootCertStore;

use super::pem;

/// Those of a file in PEM.
///
/// # Errors
/// The file, and what it is not.
pub(crate) fn of_file(path: &Path) -> anyhow::Result<RootCertStore> {
    let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut roots = RootCertStore::empty();
    for root in pem::certificates(path, &content)? {
        let added = roots.add(root);
        added.with_context(|| format!("{} has a certificate that is no root", path.display()))?;
    }
    Ok(roots)
}

/// Those of this machine; none if it has none.
pub(crate) fn of_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is no reason not to use the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
