//! Versions, HTTP/2 and HTTP/1.1, WebSocket, and what the app is told.

use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::bed::{LAST, TlsBed};
use crate::app::{App, full, read_head};
use crate::bed::{HOST, replica, until};

/// An app that answers with what it was told of how the client came.
async fn telling() -> App {
    App::http1(|request| async move {
        let header = |name| request.headers()[name].to_str().unwrap().to_owned();
        let (proto, host) = (header("x-forwarded-proto"), header("x-forwarded-host"));
        Response::new(full(format!("{proto} {host}")))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_protocols_are_the_clients_choice() {
    let tls = TlsBed::new();
    let app = telling().await;
    tls.bed.serve(&[replica(app.address)]);
    let expected = format!("https {HOST}:{}", tls.address.port());
    for version in [
        ["--tlsv1.2", "--tls-max", "1.2"],
        ["--tlsv1.3", "--tls-max", "1.3"],
    ] {
        for (protocol, head) in [
            ("--http2", "HTTP/2 200"),
            ("--http1.1", "HTTP/1.1 200"),
            ("--no-alpn", "HTTP/1.1 200"),
        ] {
            let (ok, text) = tls.curl(HOST, &[&version[..], &[protocol]].concat()).await;
            assert!(
                ok && text.starts_with(head),
                "{version:?} {protocol}: {text}"
            );
            assert!(text.ends_with(&expected), "{text}");
        }
    }
    let old = tls.openssl(&[
        "-tls1_1",
        "-cipher",
        "DEFAULT@SECLEVEL=0",
        "-servername",
        HOST,
    ]);
    let (ok, text) = old.end().await;
    assert!(!ok && text.contains("no peer certificate"), "{text}");
    assert_eq!(tls.bed.meter.read().codes.get(&200), Some(&6));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_the_clear_are_told_so() {
    let tls = TlsBed::new();
    let app = telling().await;
    tls.bed.serve(&[replica(app.address)]);
    let plain = crate::client::get(tls.bed.address, HOST).await;
    assert_eq!(
        (plain.status, plain.body.as_str()),
        (200, "http hello.localhost")
    );
    let (ok, text) = tls.curl("other.localhost", &["--insecure"]).await;
    assert!(!ok, "there is no certificate for it: {text}");
    let (ok, text) = tls.curl(HOST, &["-H", "Host: other.localhost"]).await;
    let url = format!("https://hello.localhost:{}/", tls.address.port());
    assert!(ok && text.contains(" 404") && text.contains(&url), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_goes_both_ways() {
    use http_body_util::BodyExt;
    let tls = TlsBed::new();
    let app = App::http1(|request| async move { Response::new(request.into_body().boxed()) }).await;
    tls.bed.serve(&[replica(app.address)]);
    let body = tempfile::NamedTempFile::new().unwrap();
    let text = "0123456789abcdef".repeat(1 << 17);
    std::fs::write(body.path(), &text).unwrap();
    let data = format!("@{}", body.path().display());
    for protocol in ["--http2", "--http1.1"] {
        let (ok, answer) = tls.curl(HOST, &[protocol, "--data-binary", &data]).await;
        assert!(ok && answer.ends_with(&text), "{protocol}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_switches_protocols_is_a_tunnel() {
    let tls = TlsBed::new();
    let app = App::raw(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap().to_lowercase();
        assert!(head.contains("upgrade: websocket\r\n"), "{head}");
        assert!(head.contains("x-forwarded-proto: https\r\n"), "{head}");
        let accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                      Upgrade: websocket\r\n\r\nfirst";
        stream.write_all(accept.as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    })
    .await;
    let replica = replica(app.address);
    tls.bed.serve(std::slice::from_ref(&replica));
    let mut client = tls.openssl(&["-quiet", "-servername", HOST]);
    let request = "GET / HTTP/1.1\r\nHost: hello.localhost\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\n\r\n";
    client.write(request).await;
    let head = client.until("\r\n\r\nfirst").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for text in ["one", "two"] {
        client.write(text).await;
        client.until(text).await;
    }
    assert_eq!(
        (replica.in_flight(), tls.bed.meter.read().sums.in_flight()),
        (1, 1)
    );
    drop(client);
    until("the tunnel has ended", || replica.in_flight() == 0).await;
    until("it is counted", || {
        tls.bed.meter.read().codes.get(&101) == Some(&1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_takes_its_request_with_it() {
    let tls = TlsBed::new();
    let app = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
        let _ended_or_reset = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let replica = replica(app.address);
    tls.bed.serve(std::slice::from_ref(&replica));
    // hyper reads on after the first, and does not read the body of the second.
    let upload = "POST / HTTP/1.1\r\nHost: hello.localhost\r\nContent-Length: 9\r\n\r\npart";
    for (number, request) in [(1, LAST), (2, upload)] {
        let mut client = tls.openssl(&["-quiet", "-servername", HOST]);
        client.write(request).await;
        until("it is on the replica", || replica.in_flight() == 1).await;
        drop(client);
        until("it is counted", || {
            tls.bed.meter.read().codes.get(&499) == Some(&number)
        })
        .await;
        assert_eq!(replica.in_flight(), 0);
    }
}
