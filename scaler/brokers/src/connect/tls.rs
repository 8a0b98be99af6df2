//! What secures a connection.

use std::sync::{Arc, OnceLock};

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::error::ReadError;

/// What secures a connection: PEM texts, as KEDA's `ca`, `cert`, `key` and `unsafeSsl`.
#[derive(Clone, Copy, Default)]
pub struct TlsSettings<'p> {
    /// Roots beside those of the system.
    pub ca: Option<&'p str>,
    /// The client's certificates.
    pub cert: Option<&'p str>,
    /// The client's key.
    pub key: Option<&'p str>,
    /// Whether any certificate of the server will do.
    pub any_server: bool,
}

impl TlsSettings<'_> {
    /// The client's side of TLS.
    ///
    /// # Errors
    /// A PEM text that has not what it should have, or a key that is not the certificate's.
    pub fn client(&self) -> Result<Arc<ClientConfig>, ReadError> {
        static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let given = [self.ca, self.cert, self.key];
        if self.any_server || given.iter().any(Option::is_some) {
            return self.build(Name::Counts);
        }
        // Roots are most of what a connection takes in memory, so they are shared.
        if let Some(usual) = USUAL.get() {
            return Ok(Arc::clone(usual));
        }
        let built = self.build(Name::Counts)?;
        Ok(Arc::clone(USUAL.get_or_init(|| built)))
    }

    /// The same for a server whose certificate may be of any name, if it is signed by what is trusted.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub fn client_of_any_name(&self) -> Result<Arc<ClientConfig>, ReadError> {
        self.build(Name::IsAny)
    }

    fn build(&self, name: Name) -> Result<Arc<ClientConfig>, ReadError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| ReadError::new(format!("TLS: {error}")))?;
        let builder = if self.any_server {
            let verifier = Arc::new(AnyServer(provider));
            builder
                .dangerous()
                .with_custom_certificate_verifier(verifier)
        } else {
            let roots = Arc::new(self.roots()?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            let verifier = verifier.map_err(|error| ReadError::of("ca", error))?;
            match name {
                Name::Counts => builder.with_webpki_verifier(verifier),
                Name::IsAny => {
                    let verifier = Arc::new(AnyName(verifier));
                    builder
                        .dangerous()
                        .with_custom_certificate_verifier(verifier)
                }
            }
        };
        let config = match (self.cert, self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let chain = certificates("cert", cert)?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                    .map_err(|_| ReadError::of("key", "has no private key in PEM"))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| ReadError::of("key", error))?
            }
            (Some(_), None) => return Err(ReadError::of("key", "is missing beside cert")),
            (None, Some(_)) => return Err(ReadError::of("cert", "is missing beside key")),
        };
        Ok(Arc::new(config))
    }

    /// What may have signed a server's certificate, for a client that secures connections itself.
    ///
    /// # Errors
    /// A PEM text that has not what it should have, or there is nothing.
    pub fn root_certificates(&self) -> Result<Vec<CertificateDer<'static>>, ReadError> {
        let mut roots = rustls_native_certs::load_native_certs().certs;
        // Such a client may not pass over one that it cannot read.
        roots.retain(|root| RootCertStore::empty().add(root.clone()).is_ok());
        if let Some(ca) = self.ca {
            roots.extend(certificates("ca", ca)?);
        }
        if roots.is_empty() {
            return Err(no_roots());
        }
        Ok(roots)
    }

    fn roots(&self) -> Result<RootCertStore, ReadError> {
        let mut roots = system_roots().clone();
        if let Some(ca) = self.ca {
            for certificate in certificates("ca", ca)? {
                let added = roots.add(certificate);
                added.map_err(|error| ReadError::of("ca", error))?;
            }
        }
        if roots.is_empty() {
            return Err(no_roots());
        }
        Ok(roots)
    }
}

/// The roots of the system, read once: there may be a thousand sources.
pub fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        // One that cannot be read is no reason not to use the others.
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        roots
    })
}

fn no_roots() -> ReadError {
    let message = "is missing, and this machine has no roots of its own";
    ReadError::of("ca", message)
}

fn certificates(key: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, ReadError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(ReadError::of(key, "has no certificate in PEM")),
    }
}

/// Whether a server's certificate has to be of its name.
#[derive(Clone, Copy)]
enum Name {
    Counts,
    IsAny,
}

/// Takes a certificate of any name that is signed by what is trusted.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .0
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        match verified {
            // The name is looked at last, when everything else is well.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Takes any certificate, as `unsafeSsl` asks, but not a signature that is not of it.
#[derive(Debug)]
pub struct AnyServer(pub Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
