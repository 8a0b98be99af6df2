//! TLS, and client certificates, read again when their files change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::fs;
use tokio::time::sleep;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::connection::Connections;
use crate::certificates::{pem, validity};
use crate::clock::wall_now;
use crate::log::Said;

/// How often the files are looked at. Kubernetes itself takes up to a minute to renew a mounted
/// Secret.
const INTERVAL: Duration = Duration::from_secs(5);

/// A certificate that is valid no longer than this is worth a word.
const WARNED_BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Time from one such word to the next.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Where the certificates are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and the root.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Roots of the certificates that clients have to show; none if they need not.
    pub client_ca: Option<PathBuf>,
}

/// What the files say.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// The configuration in force.
pub struct Tls {
    files: TlsFiles,
    read: Contents,
    not_after: Timestamp,
    config: Arc<ArcSwap<ServerConfig>>,
}

impl TlsFiles {
    async fn read(&self) -> anyhow::Result<Contents> {
        let read = async |path: &PathBuf| {
            let content = fs::read(path).await;
            content.with_context(|| format!("cannot read {}", path.display()))
        };
        let client_ca = match &self.client_ca {
            Some(path) => Some(read(path).await?),
            None => None,
        };
        Ok(Contents {
            certificate: read(&self.certificate).await?,
            key: read(&self.key).await?,
            client_ca,
        })
    }

    /// The configuration, and until when its certificates are valid.
    fn config(
        &self,
        contents: &Contents,
        now: Timestamp,
    ) -> anyhow::Result<(ServerConfig, Timestamp)> {
        let chain = pem::certificates(&self.certificate, &contents.certificate)?;
        let not_after = validity::check(&self.certificate, &chain, now)?;
        let key = pem::key(&self.key, &contents.key)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?;
        let builder = match (&self.client_ca, &contents.client_ca) {
            (Some(path), Some(content)) => {
                let verifier = verifier(pem::certificates(path, content)?)?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).with_context(|| {
            let (certificate, key) = (self.certificate.display(), self.key.display());
            format!("{certificate} and {key} do not go together")
        })?;
        // gRPC is HTTP/2, and Go's client insists on hearing so.
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok((config, not_after))
    }
}

fn verifier(roots: Vec<CertificateDer<'static>>) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root)?;
    }
    let provider = Arc::new(default_provider());
    Ok(WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider).build()?)
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// The file that cannot be read, is not what it should be, or has expired.
    pub async fn load(files: TlsFiles) -> anyhow::Result<Self> {
        let read = files.read().await?;
        let (config, not_after) = files.config(&read, wall_now())?;
        Ok(Self {
            files,
            read,
            not_after,
            config: Arc::new(ArcSwap::from_pointee(config)),
        })
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> Arc<ArcSwap<ServerConfig>> {
        Arc::clone(&self.config)
    }

    /// Reads the files again when they change, without end. What is wrong with them is said once,
    /// and that the certificate in force is about to expire once a day.
    pub(super) async fn follow(&mut self, service: &str, connections: &Connections) {
        let mut said = Said::default();
        let mut warned: Option<Timestamp> = None;
        connections.certificate(self.not_after);
        loop {
            let now = wall_now();
            if self.not_after < now + WARNED_BEFORE && warned.is_none_or(|at| at + DAY <= now) {
                warned = Some(now);
                let until = self.not_after;
                tracing::warn!("the certificate of {service} is valid until {until}; renew it");
            }
            sleep(INTERVAL).await;
            match self.reload(wall_now()).await {
                Ok(false) => said.clear(),
                Ok(true) => {
                    said.clear();
                    warned = None;
                    connections.certificate(self.not_after);
                    tracing::info!("the certificates of {service} were read again");
                }
                Err(error) => {
                    let message = format!("{error:#}");
                    if said.is_news(&message) {
                        connections.reload_failed();
                        tracing::error!(
                            "the certificates of {service} stay as they were: {message}"
                        );
                    }
                }
            }
        }
    }

    /// Takes in what the files say now. Returns whether that is something else.
    async fn reload(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        let contents = self.files.read().await?;
        if contents == self.read {
            return Ok(false);
        }
        // The three files are not written at once; what goes together is taken, sooner or later.
        let (config, not_after) = self.files.config(&contents, now)?;
        self.config.store(Arc::new(config));
        self.read = contents;
        self.not_after = not_after;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keda::tests::certificates::Authority;

    #[tokio::test]
    async fn files_are_read_again_and_what_is_wrong_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = Authority::new().write(folder.path());
        let mut tls = Tls::load(files.clone()).await.unwrap();
        assert!(!tls.reload(wall_now()).await.unwrap());

        let first = tls.config.load_full();
        let other = tempfile::tempdir().unwrap();
        let others = Authority::new().write(other.path());
        let (key, ca) = (files.key.clone(), files.client_ca.clone().unwrap());
        for (path, content, expected) in [
            (&files.certificate, "nonsense", "has no certificate in PEM"),
            (&key, "nonsense", "has no private key in PEM"),
            (&ca, "", "has no certificate in PEM"),
        ] {
            let before = std::fs::read(path).unwrap();
            std::fs::write(path, content).unwrap();
            let error = format!("{:#}", tls.reload(wall_now()).await.unwrap_err());
            assert!(error.contains(expected), "{error}");
            assert!(error.contains(&path.display().to_string()), "{error}");
            std::fs::write(path, before).unwrap();
        }
        std::fs::copy(&others.certificate, &files.certificate).unwrap();
        let error = format!("{:#}", tls.reload(wall_now()).await.unwrap_err());
        assert!(error.contains("do not go together"), "{error}");
        assert!(Arc::ptr_eq(&first, &tls.config.load_full()));

        std::fs::copy(&others.key, &files.key).unwrap();
        assert!(tls.reload(wall_now()).await.unwrap());
        assert!(!Arc::ptr_eq(&first, &tls.config.load_full()));
        // Some millennia on, or back, new ones are no better.
        std::fs::copy(others.client_ca.as_ref().unwrap(), &ca).unwrap();
        for (shift, expected) in [(1, "has expired"), (-1, "is not valid yet")] {
            let other_time = wall_now() + SignedDuration::from_hours(shift * 24 * 365 * 3000);
            let error = format!("{:#}", tls.reload(other_time).await.unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
        std::fs::remove_file(&files.key).unwrap();
        let error = format!("{:#}", tls.reload(wall_now()).await.unwrap_err());
        assert!(error.contains("cannot read"), "{error}");
    }
}
