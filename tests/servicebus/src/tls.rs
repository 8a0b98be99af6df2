//! Certificates of the stand-in's own, good ones and wrong ones.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Which certificate to show to the next clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// The one that a client should accept.
    #[default]
    Good,
    /// One that an authority signed of which no client knows.
    UnknownAuthority,
    /// One for the name of another server.
    WrongName,
    /// One whose time is over.
    Expired,
}

/// What to answer handshakes with.
pub struct Certificates {
    authority: String,
    good: Arc<ServerConfig>,
    unknown_authority: Arc<ServerConfig>,
    wrong_name: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
}

/// Why the certificates could not be made.
#[derive(Debug, thiserror::Error)]
#[error("could not make the certificates: {0}")]
pub struct Unmade(Box<dyn std::error::Error + Send + Sync>);

impl Certificates {
    /// Makes an authority, and certificates for these host names and addresses.
    pub fn new(hosts: &[String]) -> Result<Self, Unmade> {
        let boxed = |error: Error| Unmade(Box::new(error));
        let known = authority("Service Bus stand-in").map_err(boxed)?;
        let unknown = authority("Unknown authority").map_err(boxed)?;
        let others = ["elsewhere.example".to_owned()];
        Ok(Self {
            authority: known.pem(),
            good: server(&known, hosts, 4000)?,
            unknown_authority: server(&unknown, hosts, 4000)?,
            wrong_name: server(&known, &others, 4000)?,
            expired: server(&known, hosts, 2001)?,
        })
    }

    /// The authority's certificate in PEM, for clients to trust.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What to answer a handshake with.
    pub fn config(&self, show: Show) -> Arc<ServerConfig> {
        Arc::clone(match show {
            Show::Good => &self.good,
            Show::UnknownAuthority => &self.unknown_authority,
            Show::WrongName => &self.wrong_name,
            Show::Expired => &self.expired,
        })
    }
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn server(
    authority: &CertifiedIssuer<'static, KeyPair>,
    hosts: &[String],
    last_year: i32,
) -> Result<Arc<ServerConfig>, Unmade> {
    let (certificate, key) =
        issue(authority, hosts, last_year).map_err(|error| Unmade(error.into()))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let chain = vec![certificate.der().clone()];
            builder.with_no_client_auth().with_single_cert(chain, key)
        });
    config.map(Arc::new).map_err(|error| Unmade(error.into()))
}

fn issue(
    authority: &CertifiedIssuer<'static, KeyPair>,
    hosts: &[String],
    last_year: i32,
) -> Result<(rcgen::Certificate, KeyPair), Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if let Some(host) = hosts.first() {
        params
            .distinguished_name
            .push(DnType::CommonName, host.as_str());
    }
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok((certificate, key))
}
