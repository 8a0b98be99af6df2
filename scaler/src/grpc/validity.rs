//! From when to when certificates are valid.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Checks that the certificates of a chain are valid `now`. Returns when the first of them is not
/// any more.
///
/// # Errors
/// The certificate that has expired or is not valid yet, with the date.
pub(super) fn check(
    path: &Path,
    chain: &[CertificateDer<'_>],
    now: Timestamp,
) -> anyhow::Result<Timestamp> {
    let mut earliest = Timestamp::MAX;
    for der in chain {
        let (not_before, not_after) = validity(der)
            .with_context(|| format!("{} has a certificate that is none", path.display()))?;
        anyhow::ensure!(
            not_after > now,
            "{} has expired: it was valid until {not_after}",
            path.display()
        );
        anyhow::ensure!(
            not_before <= now,
            "{} is not valid yet: it will be from {not_before}",
            path.display()
        );
        earliest = earliest.min(not_after);
    }
    Ok(earliest)
}

fn validity(der: &CertificateDer<'_>) -> anyhow::Result<(Timestamp, Timestamp)> {
    let certificate = Certificate::from_der(der)?;
    let validity = certificate.tbs_certificate().validity();
    let time = |time: x509_cert::time::Time| {
        let since = time.to_unix_duration();
        Timestamp::from_second(i64::try_from(since.as_secs())?).map_err(anyhow::Error::from)
    };
    Ok((time(validity.not_before)?, time(validity.not_after)?))
}
