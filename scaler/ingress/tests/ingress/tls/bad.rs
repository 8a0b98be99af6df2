//! Clients that do not do what they should.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::bed::TlsBed;
use crate::app::App;
use crate::bed::{HOST, replica};
use crate::client::{Client, get};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_closed() {
    let tls = TlsBed::new();
    for garbage in [
        &b"\x00\x01\x02 garbage"[..],
        b"\xff\xff\xff\xff",
        b"\x80\x2e\x01\x03\x01",
        b"\x16garbage where the version and the length of a record are",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff\x01",
    ] {
        let mut client = Client::connect(tls.address).await;
        client.0.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        // It ends, by an alert (21) at most.
        let _may_be_reset = tokio::io::AsyncReadExt::read_to_end(&mut client.0, &mut answer).await;
        assert!(
            answer.is_empty() || answer[0] == 21,
            "{garbage:?}: {answer:?}"
        );
    }
    let mut client = Client::connect(tls.address).await;
    client
        .write("GET / HTTP/1.1\r\nHost: hello.localhost\r\n\r\n")
        .await;
    let answer = client.rest().await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("ask by https://"), "{answer}");
    // It goes on as if nothing had been.
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    let (ok, text) = tls.curl(HOST, &[]).await;
    assert!(ok, "{text}");
    assert_eq!(
        tls.bed.meter.read().sums.started,
        1,
        "no app heard of the others"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_never_ends_is_closed() {
    let tls = TlsBed::with(|options| options.limits.head_timeout = Duration::from_millis(200));
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    // Nothing, the beginning of a record, and a record that is not all there.
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"] {
        let mut client = Client::connect(tls.address).await;
        client.0.write_all(begun).await.unwrap();
        assert_eq!(client.rest().await.unwrap_or_default(), "", "it is closed");
    }
    // One that chose HTTP/2 and does not begin with it, and one that does not send a request.
    for protocol in ["h2", "http/1.1"] {
        let client = tls.openssl(&["-quiet", "-servername", HOST, "-alpn", protocol]);
        let (_, text) = client.end().await;
        assert_eq!(text, "", "{protocol}: it is closed");
    }
    assert_eq!(get(tls.bed.address, HOST).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_chose_http2_has_to_speak_it() {
    let tls = TlsBed::new();
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    let mut client = tls.openssl(&["-quiet", "-servername", HOST, "-alpn", "h2"]);
    client.write(super::bed::LAST).await;
    let (_, text) = client.end().await;
    assert_eq!(text, "");
    assert_eq!(tls.bed.meter.read().sums.started, 0);
}
