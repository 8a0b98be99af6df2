//! When a replica does not answer as it should.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::app::{App, read_head};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_cannot_be_reached_is_a_bad_gateway() {
    let bed = Bed::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let replica = replica(address);
    bed.serve(std::slice::from_ref(&replica));
    let reply = get(bed.address, HOST).await;
    assert_eq!(reply.status, 502);
    for part in [
        "app hello, revision hello--v1",
        replica.name().as_str(),
        "refused",
        "PORT",
    ] {
        assert!(reply.body.contains(part), "{part}: {}", reply.body);
    }
    until("its place is free", || replica.in_flight() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_replica_takes_what_one_does_not() {
    let bed = Bed::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = replica(listener.local_addr().unwrap());
    drop(listener);
    let app = App::text("hello").await;
    bed.serve(&[gone, replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    for _ in 0..10 {
        assert_eq!(client.get(HOST).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_breaks_off_before_the_answer_is_a_bad_gateway() {
    let bed = Bed::new();
    let app = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let reply = get(bed.address, HOST).await;
    assert_eq!(reply.status, 502);
    assert!(
        reply.body.contains("broke the connection"),
        "{}",
        reply.body
    );
    assert_eq!(app.connections(), 1, "what was sent is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_does_not_answer_is_a_gateway_timeout() {
    let bed = Bed::new();
    let app =
        App::raw(|mut stream| async move { while read_head(&mut stream).await.is_some() {} }).await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut held = JoinSet::new();
    held.spawn(get(bed.address, HOST));
    until("the app has it", || {
        app.connections() == 1 && replica.in_flight() == 1
    })
    .await;
    bed.clock.advance(Duration::from_secs(241));
    let reply = held.join_next().await.unwrap().unwrap();
    assert_eq!(reply.status, 504);
    assert!(
        reply.body.contains("no answer within 240 s"),
        "{}",
        reply.body
    );
    until("its place is free", || replica.in_flight() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_does_not_look_complete() {
    let bed = Bed::new();
    let app = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
        let part = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        stream.write_all(part.as_bytes()).await.unwrap();
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
    let rest = client.rest().await;
    assert!(
        !rest.unwrap_or_default().contains("\r\n0\r\n"),
        "a last chunk"
    );

    // To an HTTP/1.0 client only a reset tells the difference.
    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.0\r\nHost: hello\r\n\r\n").await;
    let error = client.rest().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
