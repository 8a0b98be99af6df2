//! Certificates of clients, with curl and openssl.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbtide_core::document::ClientCertificateMode::{self, Accept, Ignore, Require};
use ebbtide_core::name::AppName;
use ebbtide_core::policy::RequestPolicy;
use ebbtide_ingress::{AppRoute, BackendState, Replica, RevisionMeter, RoutingTable, Split};
use http::Response;
use tempfile::NamedTempFile;

use super::bed::{LAST, TlsBed};
use super::shown::Shown;
use crate::app::{App, full};
use crate::bed::{HOST, WORKERS, backend, replica};
use crate::client::Client;

const OTHER: &str = "other.localhost";

/// An app that answers with what it was told of the client's certificate.
pub(super) async fn telling() -> App {
    App::http1(|request| async move {
        let mut told = request.headers().get_all("x-forwarded-client-cert").iter();
        let first = told.next().map_or("none", |told| told.to_str().unwrap());
        assert!(told.next().is_none(), "once at most");
        Response::new(full(first.to_owned()))
    })
    .await
}

/// Publishes the app `hello`, and `other` that has the same replicas and asks for nothing.
pub(super) fn publish(tls: &TlsBed, mode: ClientCertificateMode, replicas: &[Arc<Replica>]) {
    let app = |name: &str, client_certificates| {
        let meter = RevisionMeter::new(WORKERS);
        let state = BackendState::Serving(replicas.to_vec());
        AppRoute {
            app: AppName::new(name).unwrap(),
            hosts: Vec::new(),
            policy: Arc::new(RequestPolicy {
                allow_insecure: true,
                client_certificates,
                ..RequestPolicy::default()
            }),
            split: Arc::new(Split::new(vec![100])),
            labels: BTreeMap::from([("blue".to_owned(), 0)]),
            backends: vec![backend("v1", &meter, state)],
        }
    };
    tls.bed.ingress.publisher().publish(RoutingTable {
        apps: [app("hello", mode), app("other", Ignore)]
            .map(Arc::new)
            .into(),
        routes: Vec::new(),
        hint: String::new(),
        ports: std::collections::BTreeMap::new(),
    });
    let certificate = tls
        .authority
        .issue(&[HOST, OTHER, "hello---blue.localhost"]);
    let hosts = [HOST, OTHER, "hello---blue.localhost"].map(|host| (host, &certificate));
    tls.use_certificates(&hosts);
}

const FORGED: [&str; 4] = [
    "-H",
    "X-Forwarded-Client-Cert: Hash=1",
    "-H",
    "X_Forwarded_Client_Cert: Hash=1",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_told_of_the_certificate_that_it_wants_and_of_nothing_that_clients_write() {
    let tls = TlsBed::new();
    let app = telling().await;
    let replicas = [replica(app.address)];
    let client = Shown::new();
    let versions = [
        ["--http2", "--tlsv1.3", "--tls-max", "1.3"],
        ["--http1.1", "--tlsv1.2", "--tls-max", "1.2"],
    ];
    for (mode, with, without) in [
        (Ignore, "none", "none"),
        (Accept, client.told().as_str(), "none"),
        (
            Require,
            client.told().as_str(),
            "with a client's certificate only; ask it by HTTPS, with one\n",
        ),
    ] {
        publish(&tls, mode, &replicas);
        for version in versions {
            let common = [&version[..], &FORGED].concat();
            let (ok, text) = tls
                .curl(HOST, &[&common[..], &["--cert", client.path()]].concat())
                .await;
            assert!(ok && text.contains(" 200"), "{mode:?}: {text}");
            assert!(text.ends_with(with), "{mode:?}: {text}");
            let (ok, text) = tls.curl(HOST, &common).await;
            assert!(ok && text.ends_with(without), "{mode:?}: {text}");
            assert_eq!(text.contains(" 403"), mode == Require, "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_for_another_host_is_told_to_come_again() {
    let tls = TlsBed::new();
    let app = telling().await;
    publish(&tls, Require, &[replica(app.address)]);
    let client = Shown::new();
    let cert = ["--cert", client.path()];
    for version in ["--http2", "--http1.1"] {
        let host = format!("Host: {HOST}");
        let (ok, text) = tls
            .curl(OTHER, &[&cert[..], &[version, "-H", &host]].concat())
            .await;
        assert!(ok && text.contains(" 421"), "{text}");
        assert!(text.contains("by a connection of its own"), "{text}");
        // A label of the app is the app.
        let (ok, text) = tls
            .curl(
                "hello---blue.localhost",
                &[&cert[..], &[version, "-H", &host]].concat(),
            )
            .await;
        assert!(ok && text.ends_with(&client.told()), "{text}");
        // What the client has shown to one is not for the other.
        let (ok, text) = tls
            .curl(
                HOST,
                &[&cert[..], &[version, "-H", "Host: other.localhost"]].concat(),
            )
            .await;
        assert!(ok && text.ends_with("none"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_clear_there_is_none_unless_a_trusted_proxy_tells_of_it() {
    for is_trusted in [false, true] {
        let tls = TlsBed::with(|options| {
            if is_trusted {
                options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            }
        });
        let app = telling().await;
        publish(&tls, Require, &[replica(app.address)]);
        for (header, is_told) in [
            ("X-Forwarded-Client-Cert: Hash=1\r\n", true),
            ("X-Forwarded-Client-Cert: \r\n", false),
            ("X_Forwarded_Client_Cert: Hash=1\r\n", false),
            ("", false),
        ] {
            let mut client = Client::connect(tls.bed.address).await;
            client
                .write(&format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{header}\r\n"))
                .await;
            let reply = client.reply().await;
            let expected = if is_told && is_trusted { 200 } else { 403 };
            assert_eq!(reply.status, expected, "{is_trusted} {header:?}");
            assert_eq!(reply.body == "Hash=1", expected == 200, "{reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_begun_before_certificates_were_wanted_is_not_resumed() {
    let tls = TlsBed::new();
    let app = telling().await;
    let replicas = [replica(app.address)];
    let client = Shown::new();
    for flag in ["-tls1_2", "-tls1_3"] {
        publish(&tls, Ignore, &replicas);
        let session = NamedTempFile::new().unwrap();
        let path = session.path().to_str().unwrap();
        let ask = async |arguments: &[&str]| {
            let mut client = tls.openssl(&[&[flag, "-servername", HOST], arguments].concat());
            client.write(LAST).await;
            client.end().await.1
        };
        assert!(ask(&["-sess_out", path]).await.contains("\r\n\r\nnone"));
        publish(&tls, Require, &replicas);
        let text = ask(&["-sess_in", path]).await;
        assert!(
            text.contains("New, TLSv1") && text.contains(" 403 "),
            "{text}"
        );
        // One that was begun with a certificate keeps that.
        let text = ask(&["-cert", client.path(), "-sess_out", path]).await;
        assert!(text.contains(&client.told()), "{text}");
        let text = ask(&["-sess_in", path]).await;
        assert!(
            text.contains("Reused, TLSv1") && text.contains(&client.told()),
            "{text}"
        );
    }
}
