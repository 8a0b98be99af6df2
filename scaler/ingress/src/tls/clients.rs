//! Certificates that clients have: which connections are asked for one, and what is shown of it.

use std::sync::Arc;

use http::HeaderValue;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection,
    SignatureScheme,
};

use super::SharedTls;
use crate::headers::forwarded_certificate;

/// What a client's certificates may come to, in bytes: they go with every request.
const CHAIN_BYTES: usize = 16 * 1024;

/// What a client that was asked for a certificate has shown.
pub(crate) struct Presented {
    /// The host that it began the connection for, in lowercase.
    pub(crate) host: Box<str>,
    /// Its certificate, as apps are told of it; none if it has none.
    pub(crate) certificate: Option<HeaderValue>,
}

impl Presented {
    /// What a client has shown after its handshake for `host`.
    pub(super) fn new(host: Box<str>, session: &ServerConnection) -> Self {
        let chain = session.peer_certificates();
        let certificate = chain.and_then(forwarded_certificate::of);
        Self { host, certificate }
    }
}

impl SharedTls {
    /// How a connection for `host` is begun, and whether the client is asked for a certificate. Only where the
    /// host's app wants that: browsers would have their users choose one.
    pub(super) fn config_for(&self, host: Option<&str>) -> (Arc<ServerConfig>, bool) {
        let asks = host.is_some_and(|host| self.published.snapshot().asks_certificate(host));
        let config = if asks { &self.asking } else { &self.config };
        (Arc::clone(config), asks)
    }
}

/// Takes any certificate of which the client has the key. Whether it is to be believed is the app's to say, as
/// it is in Azure.
#[derive(Debug)]
pub(super) struct AnyClient(WebPkiSupportedAlgorithms);

impl AnyClient {
    pub(super) fn new(provider: &CryptoProvider) -> Arc<Self> {
        Arc::new(Self(provider.signature_verification_algorithms))
    }
}

impl ClientCertVerifier for AnyClient {
    /// A client without one is told by HTTP what is missing.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let others: usize = intermediates.iter().map(|one| one.len()).sum();
        if end_entity.len() + others > CHAIN_BYTES {
            let message = format!("the client's certificates are larger than {CHAIN_BYTES} bytes");
            return Err(Error::General(message));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
