//! Clients whose certificates are not theirs, or too many.

use std::sync::Arc;

use ebbtide_core::document::ClientCertificateMode::Accept;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SignatureScheme};

use super::bed::{LAST, TlsBed};
use super::clients::{publish, telling};
use crate::bed::{HOST, replica};

/// A client with whatever it is made with.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_its_key_or_without_bound_is_refused() {
    let tls = TlsBed::new();
    let app = telling().await;
    publish(&tls, Accept, &[replica(app.address)]);
    let mut roots = RootCertStore::empty();
    roots.add(tls.authority.der()).unwrap();
    let [one, two] = [(); 2].map(|()| tls.authority.issue(&["client"]).key);
    let many = vec![one.cert[0].clone(); 100];
    let unfit = CertifiedKey::new(one.cert.clone(), Arc::clone(&two.key));
    let long = CertifiedKey::new(many, Arc::clone(&one.key));
    for (shown, is_taken) in [
        (one, true),
        (Arc::new(unfit), false),
        (Arc::new(long), false),
    ] {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots.clone());
        let config = config.with_client_cert_resolver(Arc::new(Shows(shown)));
        let stream = tokio::net::TcpStream::connect(tls.address).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let answer = async {
            let mut stream = connector.connect(name, stream).await?;
            stream.write_all(LAST.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = answer.await;
        let is_answered = answer.as_ref().is_ok_and(|answer| answer.contains("Hash="));
        assert_eq!(is_answered, is_taken, "{answer:?}");
        assert_eq!(answer.is_ok(), is_taken, "{answer:?}");
    }
}
