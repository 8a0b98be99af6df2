//! Connections to replicas: kept, found closed, opened again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::app::{App, answer, read_head};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::Client;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_app_closed_is_not_used() {
    let bed = Bed::new();
    let closed = Arc::new(Notify::new());
    let close = Arc::clone(&closed);
    let app = App::raw(move |mut stream: TcpStream| {
        let close = Arc::clone(&close);
        async move {
            answer(&mut stream, OK).await;
            stream.shutdown().await.unwrap();
            // The ingress has noticed when it closes its side.
            assert_eq!(read_head(&mut stream).await, None);
            close.notify_one();
        }
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    for request in 1..=20 {
        client
            .write("POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 1\r\n\r\nx")
            .await;
        assert_eq!(client.reply().await.status, 200);
        assert_eq!(app.connections(), request);
        closed.notified().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_closes_as_the_request_comes_costs_no_request() {
    let bed = Bed::new();
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    // Answers the first request of a connection, reads the second and closes.
    let app = App::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            answer(&mut stream, OK).await;
            read_head(&mut stream).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get(HOST).await.status, 200);
    assert_eq!(client.get(HOST).await.status, 200);
    assert_eq!((app.connections(), read.load(Ordering::SeqCst)), (2, 1));
    // What may not be done twice is not sent twice.
    client
        .write("POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ends_every_connection_is_sent_twice_at_most() {
    let bed = Bed::new();
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    let app = App::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            while let Some(head) = read_head(&mut stream).await {
                if head.starts_with("GET /poison ") {
                    count.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let replicas = [(); 4].map(|()| replica(app.address));
    bed.serve(&replicas);
    let mut client = Client::connect(bed.address).await;
    // Each replica has an idle connection then.
    for _ in &replicas {
        assert_eq!(client.get(HOST).await.status, 200);
    }
    assert_eq!(app.connections(), 4);
    client
        .write("GET /poison HTTP/1.1\r\nHost: hello\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.status, 502);
    assert_eq!((app.connections(), read.load(Ordering::SeqCst)), (5, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_closed_after_a_while_and_with_their_replica() {
    let bed = Bed::new();
    let open = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&open);
    let app = App::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            while answer(&mut stream, OK).await.is_some() {}
            count.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get(HOST).await.status, 200);
    assert_eq!(open.load(Ordering::SeqCst), 1);
    bed.clock.advance(Duration::from_secs(61));
    until("it is closed", || open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(client.get(HOST).await.status, 200);
    replica.close();
    until("it is closed", || open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_before_the_body_was_read_is_the_answer() {
    let bed = Bed::new();
    // Closing with bytes that nobody has read resets the connection, while the ingress is still sending.
    let app = App::raw(|mut stream| async move {
        let refused = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
        answer(&mut stream, refused).await;
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let body = "x".repeat(65_536);
    for round in 0..300 {
        let mut client = Client::connect(bed.address).await;
        let head = "POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 65536\r\n\r\n";
        client.write(&format!("{head}{body}")).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, &*reply.body), (413, "no"), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_wanted_does_not_end_its_connection() {
    let bed = Bed::new();
    let ends = Arc::new(Notify::new());
    let end = Arc::clone(&ends);
    let app = App::raw(move |mut stream: TcpStream| {
        let end = Arc::clone(&end);
        async move {
            read_head(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            end.notified().await;
        }
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    for (host, status) in [(HOST, 200), ("nobody.localhost", 404)] {
        let half = "a".repeat(1_000_000);
        let length = 2 * half.len();
        let head = format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        client.write(&(head + &half)).await;
        let reply = client.reply().await;
        let found = (reply.status, reply.header("connection"));
        assert_eq!(found, (status, None), "{host}");
        ends.notify_one();
        client.write(&half).await;
        ends.notify_one();
        assert_eq!(client.get(HOST).await.status, 200, "after that, {host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_body_is_no_request() {
    let bed = Bed::new();
    // Answers before there is a body, and closes its connection.
    let app = App::raw(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let body = format!("GET /left HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    for expect in ["", "Expect: 100-continue\r\n"] {
        let before = app.connections();
        let mut client = Client::connect(bed.address).await;
        let length = 2 * body.len();
        let head =
            format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{expect}Content-Length: {length}\r\n\r\n");
        client.write(&head).await;
        let mut reply = client.head().await;
        if reply.status == 100 {
            reply = client.head().await;
        }
        assert_eq!((reply.status, app.connections()), (200, before + 1));
        // The connection may have ended by now.
        let _sent = client.0.write_all(body.as_bytes()).await;
        let _ended = client.0.shutdown().await;
        let rest = client.rest().await.unwrap_or_default();
        assert!(!rest.contains("HTTP/1.1"), "{expect}{rest}");
        assert_eq!(app.connections(), before + 1, "{expect}");
    }
}
