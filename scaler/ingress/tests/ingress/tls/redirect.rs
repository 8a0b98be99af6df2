//! Requests in the clear that are led to HTTPS.

use std::process::Stdio;

use tokio::process::Command;

use super::bed::TlsBed;
use crate::app::App;
use crate::bed::{HOST, replica};
use crate::client::Client;

const SHOP: &str = "www.example.com";
/// A client whose word about who is behind it counts.
const PROXY: &str = "127.0.0.2";

/// An app that does not take requests in the clear, and a certificate for one of its hosts.
async fn bed() -> (TlsBed, App) {
    let trusted = format!("{PROXY}/32").parse().unwrap();
    let mut tls = TlsBed::with(|options| options.trusted_proxies = vec![trusted]);
    tls.bed.policy.allow_insecure = false;
    tls.use_certificates(&[(SHOP, &tls.authority.issue(&[SHOP]))]);
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    (tls, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_a_certificate_is_asked_by_https() {
    let (tls, _app) = bed().await;
    let (plain, port) = (tls.bed.address.port(), tls.address.port());
    let here = format!("https://{SHOP}:{port}");
    for (head, location) in [
        (
            format!("GET /a?b=c HTTP/1.1\r\nHost: {SHOP}:{plain}"),
            format!("{here}/a?b=c"),
        ),
        (
            format!("HEAD / HTTP/1.1\r\nHost: {SHOP}:{plain}"),
            format!("{here}/"),
        ),
        // One that named no port asked port 80, which is not ours.
        (
            "GET /a HTTP/1.1\r\nHost: WWW.example.COM".to_owned(),
            format!("https://{SHOP}/a"),
        ),
        (
            format!("POST /a HTTP/1.1\r\nContent-Length: 4\r\nHost: {SHOP}:1"),
            format!("{here}/a"),
        ),
        (
            format!("OPTIONS * HTTP/1.1\r\nHost: {SHOP}:1"),
            format!("{here}/"),
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nHost: {SHOP}:1"
            ),
            format!("{here}/"),
        ),
    ] {
        let mut client = Client::connect(tls.bed.address).await;
        client.write(&format!("{head}\r\n\r\n")).await;
        let reply = client.head().await;
        assert_eq!(reply.status, 301, "{head}: {reply:?}");
        assert_eq!(reply.header("location"), Some(location.as_str()), "{head}");
    }
    assert_eq!(
        tls.bed.meter.read().sums.started,
        0,
        "it wakes nothing and counts for nothing"
    );
    let mut command = Command::new("curl");
    command.args([
        "-sSL",
        "--max-time",
        "20",
        "--noproxy",
        "*",
        "--cacert",
        tls.authority.path(),
    ]);
    for port in [plain, port] {
        command.args(["--resolve", &format!("{SHOP}:{port}:127.0.0.1")]);
    }
    command.args(["-w", " %{url_effective} %{num_redirects}"]);
    command
        .arg(format!("http://{SHOP}:{plain}/a"))
        .stdin(Stdio::null());
    let output = command.output().await.expect("curl is installed");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("hello {here}/a 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_as_they_come() {
    let (mut tls, _app) = bed().await;
    let address = tls.bed.address;
    let get_from = async |source: &str, host: &str, more: &str| {
        let mut client = Client::connect_from(&format!("{source}:0"), address).await;
        client
            .write(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"))
            .await;
        client.reply().await.status
    };
    let get = async |host: &str, more: &str| get_from("127.0.0.1", host, more).await;
    assert_eq!(get(SHOP, "").await, 301);
    assert_eq!(get(HOST, "").await, 200, "it has no certificate");
    assert_eq!(get("unknown.test", "").await, 404);
    let by_https = "X-Forwarded-Proto: https\r\n";
    assert_eq!(get(SHOP, by_https).await, 301, "anyone may say so");
    assert_eq!(get_from(PROXY, SHOP, "").await, 301);
    let answered = get_from(PROXY, SHOP, by_https).await;
    assert_eq!(answered, 200, "it would go round in circles");
    // A default does not count: its clients would not accept it.
    let mut hosts = ebbtide_ingress::HostCertificates::default();
    hosts.set_default(tls.authority.issue(&["any.test"]).key);
    tls.certificates.replace(hosts);
    assert_eq!(get(SHOP, "").await, 200);
    tls.use_certificates(&[(SHOP, &tls.authority.issue(&["*.example.com"]))]);
    assert_eq!(get(SHOP, "").await, 301);
    tls.bed.policy.allow_insecure = true;
    let app = App::text("hello").await;
    tls.bed.serve(&[replica(app.address)]);
    assert_eq!(get(SHOP, "").await, 200);
    let (ok, text) = tls.curl(SHOP, &[]).await;
    assert!(ok && text.contains(" 200"), "{text}");
}
