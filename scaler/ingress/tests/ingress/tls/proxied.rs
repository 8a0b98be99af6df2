//! Connections by TLS that begin with the PROXY protocol.

use std::process::Stdio;

use tokio::process::Command;

use super::bed::TlsBed;
use crate::app::App;
use crate::bed::{HOST, replica};
use crate::limits::reached;
use crate::proxy_protocol::telling;

/// A client that sends the PROXY protocol.
const PROXY: &str = "127.0.0.2";

async fn bed() -> (TlsBed, App) {
    let network = PROXY.parse().unwrap();
    let tls = TlsBed::with(|options| options.proxy_protocol = vec![network]);
    let app = telling().await;
    tls.bed.serve(&[replica(app.address)]);
    (tls, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_it_before_tls() {
    let (tls, _app) = bed().await;
    let from = ["--interface", PROXY];
    let (_, text) = tls
        .curl(HOST, &[&from[..], &["--haproxy-protocol"]].concat())
        .await;
    assert!(text.contains("200") && text.ends_with(PROXY), "{text}");
    let (is_content, text) = tls.curl(HOST, &from).await;
    assert!(!is_content, "{text}");
    assert_eq!(reached(&tls.bed, "proxy-protocol"), 1);
    let (is_content, text) = tls.curl(HOST, &[]).await;
    assert!(is_content && text.ends_with("127.0.0.1"), "{text}");
    let (is_content, text) = tls.curl(HOST, &["--haproxy-protocol"]).await;
    assert!(!is_content, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_it_in_the_clear() {
    let (tls, _app) = bed().await;
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--max-time",
        "20",
        "--noproxy",
        "*",
        "--interface",
        PROXY,
    ]);
    curl.args(["--haproxy-protocol", "-H", &format!("Host: {HOST}")]);
    curl.arg(format!("http://{}/", tls.bed.address));
    let output = curl.stdin(Stdio::null()).output().await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), PROXY);
}
