//! TLS, with both versions of HTTP.

use std::convert::Infallible;
use std::path::PathBuf;

use http::Response;
use http_body_util::Full;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;
use crate::plan::Tls;

struct Secure {
    address: std::net::SocketAddr,
    authority: PathBuf,
    folder: TempDir,
    _serving: JoinSet<()>,
}

impl Secure {
    /// A server that speaks these protocols, whose certificate has the name `app.test`.
    async fn start(protocols: &[&[u8]]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, issuer.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["app.test".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let mut serving = JoinSet::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        serving.spawn(serve(listener, config));
        Self {
            address,
            authority,
            folder,
            _serving: serving,
        }
    }

    fn target(&self, version: Version, name: &str, tls: &[&str]) -> PlanTarget {
        let nobody = Server::silent();
        let mut target = target(&nobody, pool(4));
        let http = http(&mut target);
        http.address = self.address;
        http.version = version;
        http.authority = "app.test".to_owned();
        // More than a buffer has room for.
        http.body = Template::Fixed(Bytes::from(vec![b'x'; 300_000]));
        http.tls = Some(Tls {
            server_name: name.to_owned(),
            authorities: tls.contains(&"authority").then(|| self.authority.clone()),
            insecure: tls.contains(&"insecure"),
        });
        target
    }
}

async fn serve(listener: TcpListener, config: ServerConfig) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let io = TokioIo::new(stream);
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async {
                use http_body_util::BodyExt as _;
                let body = request.into_body().collect().await.unwrap().to_bytes();
                Ok::<_, Infallible>(Response::new(Full::new(body)))
            });
            // The client's end of a connection is no error of the test.
            let _ = if is_http2 {
                let server = http2::Builder::new(TokioExecutor::new());
                server.serve_connection(io, service).await
            } else {
                http1::Builder::new().serve_connection(io, service).await
            };
        });
    }
}

#[tokio::test]
async fn both_versions_are_spoken_over_tls() {
    let server = Secure::start(&[b"h2", b"http/1.1"]).await;
    for (version, name, tls, most) in [
        (Version::Http1, "app.test", &["authority"][..], 4),
        (Version::Http2, "app.test", &["authority"], 1),
        (Version::Http1, "other.test", &["insecure"], 4),
        (Version::Http2, "127.0.0.1", &["insecure"], 1),
    ] {
        let recording = run(plan(burst(40), vec![server.target(version, name, tls)])).await;
        let total = &recording.total;
        assert_eq!(
            total.succeeded,
            40,
            "{version:?}: {:?}",
            failures(&recording)
        );
        assert_eq!(total.bytes, 40 * 300_000);
        assert!(
            total.connections_opened <= most,
            "{}",
            total.connections_opened
        );
        assert_adds_up(&recording);
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_no_connection() {
    let server = Secure::start(&[b"http/1.1"]).await;
    let untrusted = server.target(Version::Http1, "app.test", &[]);
    let other = server.target(Version::Http1, "other.test", &["authority"]);
    let http1_only = server.target(Version::Http2, "app.test", &["authority"]);
    for (target, words) in [
        (untrusted, "UnknownIssuer"),
        (other, "not valid for name"),
        (http1_only, "NoApplicationProtocol"),
    ] {
        let recording = run(plan(burst(2), vec![target])).await;
        let found = failures(&recording);
        assert_eq!(
            (found[0].0, found[0].1),
            (FailureKind::Connect, 2),
            "{found:?}"
        );
        assert!(found[0].2.contains(words), "{found:?}");
    }
}

/// Nobody answers the handshake.
#[tokio::test]
async fn fixed_connections_that_take_too_long_are_said_before_the_run() {
    let silent = Server::silent();
    let mut target = target(&silent, Connections::Fixed(count(2)));
    target.timeout = Duration::from_millis(50);
    http(&mut target).tls = Some(Tls {
        server_name: "app.test".to_owned(),
        authorities: None,
        insecure: true,
    });
    let error = format!(
        "{:#}",
        prepare(plan(burst(1), vec![target])).await.err().unwrap()
    );
    assert!(error.contains("not within 50ms"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_set_up_is_said_before_the_run() {
    let server = Secure::start(&[b"http/1.1"]).await;
    let mut missing = server.target(Version::Http1, "app.test", &["authority"]);
    let tls = http(&mut missing).tls.as_mut().unwrap();
    tls.authorities = Some(PathBuf::from("/nonexistent/ca.pem"));
    let mut empty = server.target(Version::Http1, "app.test", &["authority"]);
    let file = server.folder.path().join("empty.pem");
    std::fs::write(&file, "nothing").unwrap();
    http(&mut empty).tls.as_mut().unwrap().authorities = Some(file);
    let nameless = server.target(Version::Http1, "a b", &["insecure"]);
    for (target, words) in [
        (
            missing,
            "cannot read authorities (PEM) from /nonexistent/ca.pem",
        ),
        (empty, "has no certificate of an authority"),
        (nameless, "`a b` is no name that a certificate can have"),
    ] {
        let error = prepare(plan(burst(1), vec![target])).await.err().unwrap();
        let error = format!("{error:#}");
        assert!(error.contains("target it"), "{error}");
        assert!(error.contains(words), "{error}");
    }
}
