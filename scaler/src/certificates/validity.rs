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
pub(crate) fn check(
    path: &Path,
    chain: &[CertificateDer<'_>],
    now: Timestamp,
) -> anyhow::Result<Timestamp> {
    let mut earliest = Timestamp::MAX;
    for der in chain {
        let certificate = parse(path, der)?;
        earliest = earliest.min(check_one(path, &certificate, now)?);
    }
    Ok(earliest)
}

/// A certificate of a file, read.
///
/// # Errors
/// That it is none.
pub(crate) fn parse(path: &Path, der: &CertificateDer<'_>) -> anyhow::Result<Certificate> {
    Certificate::from_der(der)
        .with_context(|| format!("{} has a certificate that is none", path.display()))
}

/// Checks that a certificate is valid `now`. Returns when it is not any more.
///
/// # Errors
/// That it has expired or is not valid yet, with the date.
pub(crate) fn check_one(
    path: &Path,
    certificate: &Certificate,
    now: Timestamp,
) -> anyhow::Result<Timestamp> {
    let (not_before, not_after) = validity(certificate)
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
    Ok(not_after)
}

/// From when to when a certificate is valid.
///
/// # Errors
/// When that is no time.
pub(crate) fn validity(certificate: &Certificate) -> anyhow::Result<(Timestamp, Timestamp)> {
    let validity = certificate.tbs_certificate().validity();
    let time = |time: x509_cert::time::Time| {
        let since = time.to_unix_duration();
        Timestamp::from_second(i64::try_from(since.as_secs())?).map_err(anyhow::Error::from)
    };
    Ok((time(validity.not_before)?, time(validity.not_after)?))
}
