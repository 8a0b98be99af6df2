//! Which certificate a client is shown, also when others take their place.

use std::time::Duration;

use super::authority::Issued;
use super::bed::TlsBed;
use crate::app::App;
use crate::bed::{HOST, replica, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_name_a_client_asks_for_decides() {
    let tls = TlsBed::new();
    let own = tls.authority.issue(&["www.example.com"]);
    let wildcard = tls.authority.issue(&["*.example.com"]);
    tls.use_certificates(&[("www.example.com", &own), ("*.example.com", &wildcard)]);
    for (name, expected) in [
        (Some("www.example.com"), Some(&own)),
        (Some("WWW.Example.COM"), Some(&own)),
        (Some("api.example.com"), Some(&wildcard)),
        (Some("a.api.example.com"), None),
        (Some("example.com"), None),
        (Some("other.test"), None),
        (None, None),
    ] {
        let shown = tls.shown(name).await;
        assert_eq!(shown.as_ref(), expected.map(|one| &one.pem), "{name:?}");
    }
    let (ok, text) = tls.curl("www.example.com", &["-o", "/dev/null"]).await;
    assert!(ok, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_is_for_those_without_a_certificate() {
    let tls = TlsBed::new();
    let (own, default) = (
        tls.authority.issue(&[HOST]),
        tls.authority.issue(&["any.test"]),
    );
    let mut hosts = ebbtide_ingress::HostCertificates::default();
    hosts.add(HOST, &own.key);
    hosts.set_default(default.key.clone());
    tls.certificates.replace(hosts);
    let pem = |issued: &Issued| Some(issued.pem.clone());
    assert_eq!(tls.shown(Some(HOST)).await, pem(&own));
    assert_eq!(tls.shown(Some("other.test")).await, pem(&default));
    assert_eq!(tls.shown(None).await, pem(&default));
}

#[tokio::test(flavor = "multi_thread")]
async fn others_take_their_place_and_no_connection_notices() {
    let tls = TlsBed::new();
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    let request = "GET / HTTP/1.1\r\nHost: hello.localhost\r\n\r\n";
    let mut client = tls.openssl(&["-quiet", "-servername", HOST]);
    client.write(request).await;
    client.until("\r\n\r\nhello").await;
    let before = tls.shown(Some(HOST)).await;
    let next = tls.authority.issue(&[HOST]);
    tls.use_certificates(&[(HOST, &next)]);
    assert_ne!(before.as_ref(), Some(&next.pem));
    assert_eq!(tls.shown(Some(HOST)).await, Some(next.pem));
    client.write(request).await;
    client.until("\r\n\r\nhello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_frees_the_address_and_lets_requests_finish() {
    let tls = TlsBed::new();
    tls.bed.serve(&[]);
    let mut client = tls.openssl(&["-quiet", "-servername", HOST]);
    client
        .write("GET / HTTP/1.1\r\nHost: hello.localhost\r\n\r\n")
        .await;
    until("it waits", || tls.bed.meter.read().waiting == 1).await;
    let address = tls.address;
    tls.bed.ingress.stop_accepting();
    until("the address is free", || {
        std::net::TcpStream::connect(address).is_err()
    })
    .await;
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    tls.bed.ingress.shutdown(Duration::from_secs(60)).await;
    let (_, text) = client.end().await;
    assert!(
        text.starts_with("HTTP/1.1 200 ") && text.ends_with("\r\n\r\nhello"),
        "{text}"
    );
    assert!(text.contains("connection: close\r\n"), "{text}");
}
