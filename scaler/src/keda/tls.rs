//! TLS, and client certificates, read again when their files change.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use tokio::fs;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How often the files are looked at. Kubernetes itself takes up to a minute to renew a mounted
/// Secret.
const INTERVAL: Duration = Duration::from_secs(5);

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes that may be under way; further connections wait to be accepted.
const MAX_HANDSHAKES: usize = 256;

/// After an error that is not one connection's, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

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

    fn config(&self, contents: &Contents) -> anyhow::Result<ServerConfig> {
        let chain = certificates(&self.certificate, &contents.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .with_context(|| format!("{} has no private key in PEM", self.key.display()))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?;
        let builder = match (&self.client_ca, &contents.client_ca) {
            (Some(path), Some(pem)) => {
                let verifier = verifier(certificates(path, pem)?)?;
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
        Ok(config)
    }
}

fn certificates(
    path: &std::path::Path,
    pem: &[u8],
) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.with_context(|| format!("{} is not PEM", path.display()))?;
    anyhow::ensure!(
        !found.is_empty(),
        "{} has no certificate in PEM",
        path.display()
    );
    Ok(found)
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
    /// The file that cannot be read or is not what it should be.
    pub async fn load(files: TlsFiles) -> anyhow::Result<Self> {
        let read = files.read().await?;
        let config = Arc::new(ArcSwap::from_pointee(files.config(&read)?));
        Ok(Self {
            files,
            read,
            config,
        })
    }

    /// Accepts connections and reads the files again when they change, until nobody takes the
    /// connections. Cancel safe: handshakes under way end with it.
    pub(super) async fn accept(
        mut self,
        listener: TcpListener,
        accepted: mpsc::Sender<io::Result<TlsStream<TcpStream>>>,
    ) {
        let config = Arc::clone(&self.config);
        tokio::select! {
            () = handshakes(listener, &config, &accepted) => {}
            () = accepted.closed() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&mut self) {
        let mut reported = None;
        loop {
            sleep(INTERVAL).await;
            match self.reload().await {
                Ok(false) => reported = None,
                Ok(true) => {
                    reported = None;
                    tracing::info!("the KEDA service's certificates were read again");
                }
                Err(error) => {
                    let message = format!("{error:#}");
                    if reported.as_ref() != Some(&message) {
                        tracing::error!(
                            "the KEDA service's certificates stay as they were: {message}"
                        );
                        reported = Some(message);
                    }
                }
            }
        }
    }

    /// Takes in what the files say now. Returns whether that is something else.
    async fn reload(&mut self) -> anyhow::Result<bool> {
        let contents = self.files.read().await?;
        if contents == self.read {
            return Ok(false);
        }
        // The three files are not written at once; what goes together is taken, sooner or later.
        let config = self.files.config(&contents)?;
        self.config.store(Arc::new(config));
        self.read = contents;
        Ok(true)
    }
}

async fn handshakes(
    listener: TcpListener,
    config: &ArcSwap<ServerConfig>,
    accepted: &mpsc::Sender<io::Result<TlsStream<TcpStream>>>,
) {
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept(), if under_way.len() < MAX_HANDSHAKES => {
                let Ok((stream, peer)) = connection else {
                    sleep(PAUSE).await;
                    continue;
                };
                // Without it answers are only later.
                let _ = stream.set_nodelay(true);
                let acceptor = TlsAcceptor::from(config.load_full());
                under_way.spawn(async move { (peer, timeout(HANDSHAKE, acceptor.accept(stream)).await) });
            }
            Some(Ok((peer, done))) = under_way.join_next() => match done {
                Ok(Ok(stream)) => {
                    if accepted.send(Ok(stream)).await.is_err() {
                        return;
                    }
                }
                Ok(Err(error)) => tracing::warn!(%peer, "no TLS connection: {error}"),
                Err(_) => tracing::warn!(%peer, "no TLS connection: the handshake took too long"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::certificates::Authority;
    use super::*;

    #[tokio::test]
    async fn files_are_read_again_and_what_is_wrong_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = Authority::new().write(folder.path());
        let mut tls = Tls::load(files.clone()).await.unwrap();
        assert!(!tls.reload().await.unwrap());

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
            let error = format!("{:#}", tls.reload().await.unwrap_err());
            assert!(error.contains(expected), "{error}");
            assert!(error.contains(&path.display().to_string()), "{error}");
            std::fs::write(path, before).unwrap();
        }
        std::fs::copy(&others.certificate, &files.certificate).unwrap();
        let error = format!("{:#}", tls.reload().await.unwrap_err());
        assert!(error.contains("do not go together"), "{error}");
        assert!(Arc::ptr_eq(&first, &tls.config.load_full()));

        std::fs::copy(&others.key, &files.key).unwrap();
        assert!(tls.reload().await.unwrap());
        assert!(!Arc::ptr_eq(&first, &tls.config.load_full()));
        std::fs::remove_file(&files.key).unwrap();
        let error = format!("{:#}", tls.reload().await.unwrap_err());
        assert!(error.contains("cannot read"), "{error}");
    }
}
