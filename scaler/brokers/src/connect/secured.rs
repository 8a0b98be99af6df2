//! A connection with TLS.

use std::error::Error;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig};

use super::{Connect, TlsSettings, unbracketed};
use crate::error::ReadError;

/// What to do about a certificate that nothing which is trusted has signed.
pub const ANOTHER_ISSUER: &str =
    "is not what the server's certificate is signed by; give the root of that";

/// What secures connections.
#[derive(Clone)]
pub struct Security {
    config: Arc<ClientConfig>,
    /// Whether the rule has a root of its own.
    has_ca: bool,
}

impl Security {
    /// By these settings.
    ///
    /// # Errors
    /// TLS settings that cannot be.
    pub fn new(tls: &TlsSettings<'_>) -> Result<Self, ReadError> {
        let (config, has_ca) = (tls.client()?, tls.ca.is_some());
        Ok(Self { config, has_ca })
    }

    /// The same, for a server that is told which protocol is spoken.
    #[must_use]
    pub fn speaking(mut self, protocol: &str) -> Self {
        let config = Arc::make_mut(&mut self.config);
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        self
    }
}

impl Connect {
    /// A connection to a host that has shown a certificate of its name.
    ///
    /// # Errors
    /// As [`tcp`](Self::tcp), or there is no TLS, or the certificate is not to be trusted.
    pub async fn secured(
        &self,
        key: &'static str,
        (host, port): (&str, u16),
        security: &Security,
    ) -> Result<TlsStream<TcpStream>, ReadError> {
        let name = ServerName::try_from(unbracketed(host).to_owned())
            .map_err(|_| ReadError::of(key, format!("no certificate can be of {host}")))?;
        let stream = self.tcp(key, host, port).await?;
        let connector = TlsConnector::from(Arc::clone(&security.config));
        let connected = connector.connect(name, stream).await;
        connected.map_err(|error| {
            if security.has_ca && is_of_another_issuer(&error) {
                ReadError::of("ca", ANOTHER_ISSUER)
            } else {
                ReadError::of(key, format!("TLS with {host}:{port}: {error}"))
            }
        })
    }
}

/// Whether a connection failed since nothing that is trusted has signed the server's certificate, or
/// only something of the same name.
pub fn is_of_another_issuer(error: &(dyn Error + 'static)) -> bool {
    let others = [
        CertificateError::UnknownIssuer,
        CertificateError::BadSignature,
    ];
    match found(error) {
        Some(rustls::Error::InvalidCertificate(why)) => others.contains(why),
        _ => false,
    }
}

/// An error of this type among an error and its causes.
pub fn found<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an error of I/O is that of what it wraps, not what it wraps itself.
        next = match error.downcast_ref().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
