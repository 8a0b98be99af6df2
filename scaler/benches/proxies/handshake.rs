//! Requests over TLS, each on a new connection, none of which resumes an earlier one.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore};

use crate::certificate::HOST;
use crate::found::Found;
use crate::roles::number;

/// How many are under way at a time.
const CONNECTIONS: usize = 16;

/// Takes a port, a number of seconds, and the file of the certificate to trust.
pub(crate) fn load(arguments: &[String]) {
    let (port, seconds) = (number(arguments, 0), number(arguments, 1));
    let connector = connector(arguments[2].as_ref());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let found = runtime.expect("a runtime").block_on(async {
        let began = Instant::now();
        let end = began + Duration::from_secs(seconds);
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            clients.spawn(ask_until(end, port, connector.clone()));
        }
        let times = clients.join_all().await.concat();
        Found::of(times, began.elapsed().as_secs_f64())
    });
    println!("{}", found.said());
}

fn connector(certificate: &Path) -> TlsConnector {
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has it")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

/// The microseconds that each took, from connecting to the answer's end.
async fn ask_until(end: Instant, port: u16, connector: TlsConnector) -> Vec<f64> {
    let mut times = Vec::new();
    loop {
        let before = Instant::now();
        if before >= end {
            return times;
        }
        ask(port, &connector).await;
        times.push(before.elapsed().as_secs_f64() * 1e6);
    }
}

async fn ask(port: u16, connector: &TlsConnector) {
    let stream = TcpStream::connect(("127.0.0.1", port)).await;
    let stream = stream.expect("the proxy listens");
    stream.set_nodelay(true).expect("a connection");
    let host = ServerName::try_from(HOST).expect("a host");
    let stream = connector.connect(host, stream).await;
    let mut stream = stream.expect("the proxy shows the certificate");
    let kind = stream.get_ref().1.handshake_kind();
    assert_eq!(kind, Some(HandshakeKind::Full));
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    let asked = stream.write_all(request.as_bytes()).await;
    asked.expect("the proxy reads");
    let mut answer = Vec::new();
    // Not all of them say that it ends before they close.
    drop(stream.read_to_end(&mut answer).await);
    assert!(
        answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"x"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}
