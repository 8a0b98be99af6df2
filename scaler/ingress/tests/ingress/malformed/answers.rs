//! Answers of an app that are malformed, or that carry more than one answer: no client gets what was
//! meant for another, nor a head that the app has smuggled in.

use tokio::io::AsyncWriteExt;

use crate::app::{App, read_head};
use crate::bed::{Bed, replica};
use crate::client::{Client, get};

/// An app that answers the first request of each connection with `first`, and others as usual.
async fn app(first: &'static [u8]) -> App {
    App::raw(move |mut stream| async move {
        let mut answer = first;
        while read_head(&mut stream).await.is_some() {
            if stream.write_all(answer).await.is_err() {
                return;
            }
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nusual";
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_answer_is_a_bad_gateway() {
    for (what, answer) in [
        (
            "a CR in a value",
            &b"HTTP/1.1 200 OK\r\nX-A: 1\rSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n"[..],
        ),
        (
            "a NUL in a value",
            b"HTTP/1.1 200 OK\r\nX-A: 1\0\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "a folded line",
            b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "a space before a colon",
            b"HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "a line without a colon",
            b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "two lengths that differ",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        ),
        (
            "a length that is no number",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab",
        ),
        (
            "a coding of HTTP/1.0",
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a status that is no number",
            b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
        ),
        ("another protocol", b"220 mail ESMTP\r\n\r\n"),
        (
            "a switch that nobody asked for",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        ),
    ] {
        let bed = Bed::new();
        let app = app(answer).await;
        bed.serve(&[replica(app.address)]);
        let reply = get(bed.address, "hello").await;
        assert_eq!(reply.status, 502, "{what}: {}", reply.body);
        assert!(!reply.head.contains("evil"), "{what}: {}", reply.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_reaches_nobody() {
    let bed = Bed::new();
    let both = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst\
                 HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let app = app(both).await;
    bed.serve(&[replica(app.address)]);
    for _ in 0..50 {
        let mut client = Client::connect(bed.address).await;
        assert_eq!(client.get("hello").await.body, "first");
        assert_eq!(client.get("hello").await.body, "first");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_lengths_of_an_answer_the_coding_counts() {
    let bed = Bed::new();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nfirst\r\n0\r\n\r\n";
    let app = app(answer).await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    let reply = client.get("hello").await;
    assert_eq!(reply.body, "first");
    assert_eq!(reply.header("content-length"), None);
    assert_eq!(client.get("hello").await.body, "usual");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_says_of_its_connection_ends_here() {
    let bed = Bed::new();
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\n\
                   Proxy-Authenticate: Basic\r\nProxy-Connection: close\r\nKeep-Alive: timeout=1\r\n\
                   X-End: 1\r\nContent-Length: 5\r\n\r\nfirst";
    let app = app(answer).await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    let reply = client.get("hello").await;
    assert_eq!(
        (reply.body.as_str(), reply.header("x-end")),
        ("first", Some("1"))
    );
    for gone in [
        "connection",
        "x-hop",
        "upgrade",
        "proxy-authenticate",
        "proxy-connection",
        "keep-alive",
    ] {
        assert_eq!(reply.header(gone), None, "{gone}");
    }
    assert_eq!(
        client.get("hello").await.status,
        200,
        "the client's goes on"
    );
}
