//! Connections that begin with the PROXY protocol.

use std::time::Duration;

use ebbtide_ingress::{AccessLog, Share};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::Client;
use crate::limits::reached;
use crate::policy::policy;

/// A proxy that sends the PROXY protocol.
const PROXY: &str = "127.0.0.2";

/// Version 2 for a client at 192.0.2.7.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\0\x01\0\x02";

/// Version 2 of a proxy that speaks for itself.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn network() -> ebbtide_core::network::Network {
    format!("{PROXY}/32").parse().unwrap()
}

/// An app that answers with the header that says who asked.
pub(crate) async fn telling() -> App {
    App::http1(|request| async move {
        let headers = request.headers();
        let said = headers.get("x-forwarded-for").unwrap().to_str().unwrap();
        http::Response::new(full(said.to_owned()))
    })
    .await
}

fn request(headers: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n")
}

async fn connect(bed: &Bed, source: &str, first: &[u8]) -> Client {
    let mut client = Client::connect_from(&format!("{source}:0"), bed.address).await;
    client.0.write_all(first).await.unwrap();
    client
}

/// Whether the ingress closes a connection without a word.
async fn is_refused(mut client: Client) -> bool {
    client.0.read_u8().await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_proxy_names_is_the_client() {
    let (log, mut records) = AccessLog::new(Share::ALL, false);
    let mut bed = Bed::with(|options| {
        options.proxy_protocol = vec![network()];
        options.access_log = Some(log);
    });
    bed.policy = policy(
        "{allowInsecure: true, ipSecurityRestrictions: [{name: a, ipAddressRange: 192.0.2.0/24, action: Allow}]}",
        "{}",
    );
    let app = telling().await;
    bed.serve(&[replica(app.address)]);
    for (first, status, client) in [
        (
            &b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n"[..],
            200,
            "192.0.2.1",
        ),
        (BINARY, 200, "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", 403, "2001:db8::1"),
        (b"PROXY UNKNOWN\r\n", 403, PROXY),
        (LOCAL, 403, PROXY),
    ] {
        // What only a proxy that is trusted may say counts for nothing here.
        let request = request("X-Forwarded-For: 192.0.2.200\r\n");
        let bytes = [first, request.as_bytes()].concat();
        let mut connection = connect(&bed, PROXY, &bytes).await;
        let reply = connection.reply().await;
        assert_eq!(reply.status, status, "{client}: {}", reply.body);
        assert!(reply.body.contains(client), "{}", reply.body);
        let mut batch = Vec::new();
        assert_eq!(records.next(&mut batch, 1).await, 1);
        assert_eq!(batch[0].client.to_string(), client);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_may_come_in_pieces_and_belongs_to_the_connection() {
    let bed = Bed::with(|options| options.proxy_protocol = vec![network()]);
    let app = telling().await;
    bed.serve(&[replica(app.address)]);
    let mut client = connect(&bed, PROXY, &BINARY[..1]).await;
    client.0.set_nodelay(true).unwrap();
    for byte in &BINARY[1..] {
        client.0.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        client.write(&request("")).await;
        assert_eq!(client.reply().await.body, "192.0.2.7");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_has_to_send_it_and_nobody_else_may() {
    let bed = Bed::with(|options| options.proxy_protocol = vec![network()]);
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    for (number, first) in [
        request("").as_bytes(),
        b"PROXY TCP4 1.2.3 10.0.0.1 1 2\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(is_refused(connect(&bed, PROXY, first).await).await);
        assert_eq!(reached(&bed, "proxy-protocol"), number as u64 + 1);
    }
    for first in [b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n", BINARY] {
        let bytes = [first, request("").as_bytes()].concat();
        let mut client = connect(&bed, "127.0.0.3", &bytes).await;
        assert_eq!(client.head().await.status, 400);
    }
    let mut client = connect(&bed, "127.0.0.3", request("").as_bytes()).await;
    assert_eq!(client.reply().await.body, "hello");
    assert_eq!(app.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_for_each_client_that_a_proxy_names() {
    let bed = Bed::with(|options| {
        options.proxy_protocol = vec![network()];
        options.limits.connections_per_client = 1;
    });
    let app = telling().await;
    bed.serve(&[replica(app.address)]);
    let begin = |client: &str| {
        let line = format!("PROXY TCP4 {client} 10.0.0.1 1 2\r\n");
        [line.as_bytes(), request("").as_bytes()].concat()
    };
    let mut first = connect(&bed, PROXY, &begin("192.0.2.1")).await;
    assert_eq!(first.reply().await.body, "192.0.2.1");
    let second = connect(&bed, PROXY, &begin("192.0.2.1")).await;
    assert!(is_refused(second).await);
    assert_eq!(reached(&bed, "connections-per-client"), 1);
    let mut other = connect(&bed, PROXY, &begin("192.0.2.2")).await;
    assert_eq!(other.reply().await.body, "192.0.2.2");
    drop(first);
    until("the first one's place is free", || {
        bed.ingress.limits().read().connections == 1
    })
    .await;
    let mut again = connect(&bed, PROXY, &begin("192.0.2.1")).await;
    assert_eq!(again.reply().await.body, "192.0.2.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_not_finish_it_is_cut_off() {
    let bed = Bed::with(|options| {
        options.proxy_protocol = vec![network()];
        options.limits.head_timeout = Duration::from_millis(50);
    });
    assert!(is_refused(connect(&bed, PROXY, &BINARY[..20]).await).await);
    assert_eq!(reached(&bed, "head-time"), 1);
}
