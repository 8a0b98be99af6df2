//! Certificates in files: what they say, whether they are good, and following a folder of them.

mod folder;
mod follow;
mod pairs;
pub(crate) mod pem;
pub(crate) mod roots;
mod sources;
pub(crate) mod validity;

pub use follow::{CertificateFolder, CertificateReports, CertificateStatus, no_reports};
pub use sources::CertificateSources;
