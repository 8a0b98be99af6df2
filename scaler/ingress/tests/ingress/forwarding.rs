//! What goes through, and what is changed on the way.

use std::sync::{Arc, Mutex};

use http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{App, answer, full, read_head};
use crate::bed::{Bed, replica, until};
use crate::client::Client;

/// An app that keeps the head of each request.
async fn recording(response: &'static str) -> (App, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let app = App::raw(move |mut stream| {
        let kept = Arc::clone(&kept);
        async move {
            while let Some(head) = read_head(&mut stream).await {
                kept.lock().unwrap().push(head.to_lowercase());
                stream.write_all(response.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    (app, heads)
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_a_connection_stay_on_it() {
    let bed = Bed::new();
    let (app, heads) = recording(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
         Keep-Alive: timeout=5\r\nX-End: 1\r\n\r\nok",
    )
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client
        .write(
            "GET http://hello.localhost:8080/a%20b?c=d HTTP/1.1\r\nHost: other\r\n\
             Connection: keep-alive, X-Private\r\nX-Private: 1\r\nX-Forwarded-For: 10.0.0.1\r\n\
             X-Forwarded-Proto: https\r\nTE: trailers\r\nCookie: a=1\r\nX-End: 1\r\n\r\n",
        )
        .await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
    assert_eq!(reply.header("x-end"), Some("1"));
    for gone in ["x-hop", "keep-alive", "connection"] {
        assert_eq!(reply.header(gone), None, "{gone}");
    }
    let head = heads.lock().unwrap().pop().unwrap();
    assert!(head.starts_with("get /a%20b?c=d http/1.1\r\n"), "{head}");
    for line in [
        "host: hello.localhost:8080",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "x-forwarded-host: hello.localhost:8080",
        "te: trailers",
        "connection: te",
        "cookie: a=1",
        "x-end: 1",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert!(
        !head.contains("x-private") && !head.contains("other"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_who_is_behind_it() {
    let trusted = "127.0.0.0/31".parse().unwrap();
    let bed = Bed::with(|options| options.trusted_proxies = vec![trusted]);
    let (app, heads) = recording("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    bed.serve(&[replica(app.address)]);
    for (source, lines) in [
        (
            "127.0.0.1:0",
            [
                "x-forwarded-for: 10.0.0.1, 127.0.0.1",
                "x-forwarded-proto: https",
                "x-forwarded-host: shop.example",
                "forwarded: for=10.0.0.1;proto=https, for=127.0.0.1",
            ],
        ),
        (
            "127.0.0.2:0",
            [
                "x-forwarded-for: 127.0.0.2",
                "x-forwarded-proto: http",
                "x-forwarded-host: hello",
                "host: hello",
            ],
        ),
    ] {
        let mut client = Client::connect_from(source, bed.address).await;
        client
            .write(
                "GET / HTTP/1.1\r\nHost: hello\r\nX-Forwarded-For: 10.0.0.1\r\n\
                 X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n\
                 Forwarded: for=10.0.0.1;proto=https\r\nX_Forwarded_For: 10.0.0.9\r\n\r\n",
            )
            .await;
        assert_eq!(client.reply().await.status, 200);
        let head = heads.lock().unwrap().pop().unwrap();
        for line in lines {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
        }
        assert!(!head.contains("10.0.0.9"), "{head}");
        assert_eq!(head.contains("10.0.0.1"), source == "127.0.0.1:0", "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_bodies_and_codes_go_through() {
    let bed = Bed::new();
    let app = App::http1(|request| async move {
        let method = request.method().clone();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut response = Response::new(full(format!("{method} {}", body.len())));
        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
        response
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    let large = "x".repeat(300_000);
    let chunked = "GET / HTTP/1.1\r\nHost: hello\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let sized = format!("PUT / HTTP/1.1\r\nHost: hello\r\nContent-Length: 300000\r\n\r\n{large}");
    for (request, body) in [(chunked, "GET 7"), (&sized, "PUT 300000")] {
        client.write(request).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (418, body));
    }
    client.write("HEAD / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
    let reply = client.head().await;
    assert_eq!(reply.header("content-length"), Some("6"));
    // The next answer follows at once: a HEAD has no body.
    client.write(chunked).await;
    assert_eq!(client.reply().await.body, "GET 7");
    until("all are counted", || {
        bed.meter.read().codes.get(&418) == Some(&4)
    })
    .await;
    assert_eq!(app.connections(), 1, "the connection is used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_asked_for_when_the_replica_reads_it() {
    let bed = Bed::new();
    let app = App::http1(|request| async move {
        let expects = request.headers().contains_key("expect");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(full(format!("{expects} {}", body.len())))
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    let head =
        "POST / HTTP/1.1\r\nHost: hello\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    client.write(head).await;
    assert_eq!(client.head().await.status, 100);
    client.write("ab").await;
    assert_eq!(client.reply().await.body, "true 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_a_tunnel_and_counts_until_it_ends() {
    let bed = Bed::new();
    let app = App::raw(|mut stream| async move {
        let accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                      Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nfirst";
        let head = answer(&mut stream, accept).await.unwrap().to_lowercase();
        assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
        assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).await.unwrap();
        stream.write_all(&buffer).await.unwrap();
        stream.read_exact(&mut buffer).await.unwrap_err();
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = Client::connect(bed.address).await;
    let request = "GET / HTTP/1.1\r\nHost: hello\r\nConnection: keep-alive, Upgrade\r\n\
                   Upgrade: websocket\r\n\r\nhello";
    client.write(request).await;
    let reply = client.head().await;
    assert_eq!(
        (reply.status, reply.header("upgrade")),
        (101, Some("websocket"))
    );
    assert_eq!(reply.header("sec-websocket-accept"), Some("x"));
    let mut buffer = [0; 10];
    client.0.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"firsthello");
    assert_eq!(
        (replica.in_flight(), bed.meter.read().sums.in_flight()),
        (1, 1)
    );
    client.0.shutdown().await.unwrap();
    assert_eq!(client.rest().await.unwrap(), "");
    until("the tunnel has ended", || replica.in_flight() == 0).await;
    until("it is counted", || {
        bed.meter.read().codes.get(&101) == Some(&1)
    })
    .await;
    let reading = bed.meter.read();
    assert_eq!((reading.received_bytes, reading.sent_bytes), (5, 10));
}
