//! Bodies that come bit by bit, and clients that go away meanwhile.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, Semaphore};

use crate::app::{App, full, read_head};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::Client;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_as_it_is_written() {
    let bed = Bed::new();
    let go_on = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go_on);
    let app = App::raw(move |mut stream| {
        let gate = Arc::clone(&gate);
        async move {
            read_head(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                        Transfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            for event in ["7\r\ndata: 1\r\n", "7\r\ndata: 2\r\n", "0\r\n\r\n"] {
                stream.write_all(event.as_bytes()).await.unwrap();
                gate.acquire().await.unwrap().forget();
            }
        }
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
    assert_eq!(
        client.head().await.header("content-type"),
        Some("text/event-stream")
    );
    for expected in [Some("data: 1"), Some("data: 2"), None] {
        assert_eq!(client.chunk().await.as_deref(), expected);
        go_on.add_permits(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_both_ways_at_once() {
    let bed = Bed::new();
    let app = App::http1(|request| async move { Response::new(request.into_body().boxed()) }).await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("POST / HTTP/1.1\r\nHost: hello\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    assert_eq!(client.head().await.status, 200);
    for text in ["one", "two"] {
        client.write(&format!("3\r\n{text}\r\n")).await;
        assert_eq!(client.chunk().await.as_deref(), Some(text));
    }
    client.write("0\r\n\r\n").await;
    assert_eq!(client.chunk().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_go_through() {
    let bed = Bed::new();
    let app = App::http1(|_| async move {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", "5".parse().unwrap());
        let frames = [
            Frame::data(Bytes::from_static(b"hello")),
            Frame::trailers(trailers),
        ];
        let mut response = Response::new(Frames(frames.into_iter()).boxed());
        response
            .headers_mut()
            .insert("trailer", "x-sum".parse().unwrap());
        response
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    let request = "GET / HTTP/1.1\r\nHost: hello\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n";
    client.write(request).await;
    let all = client.rest().await.unwrap();
    assert!(
        all.ends_with("5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n"),
        "{all}"
    );
}

/// A body of frames that are all there.
struct Frames(std::array::IntoIter<Frame<Bytes>, 2>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

/// What the app has written by the time the client goes away.
async fn the_app_notices(written: &'static str) {
    let bed = Bed::new();
    let noticed = Arc::new(Notify::new());
    let notice = Arc::clone(&noticed);
    let app = App::raw(move |mut stream| {
        let notice = Arc::clone(&notice);
        async move {
            read_head(&mut stream).await;
            stream.write_all(written.as_bytes()).await.unwrap();
            let mut rest = Vec::new();
            let _ended_or_reset = stream.read_to_end(&mut rest).await;
            notice.notify_one();
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = Client::connect(bed.address).await;
    client
        .write(&format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
        .await;
    if written.is_empty() {
        until("the app has it", || app.connections() == 1).await;
    } else {
        client.head().await;
    }
    drop(client);
    noticed.notified().await;
    until("its place is free", || replica.in_flight() == 0).await;
    until("it is counted", || bed.meter.read().sums.in_flight() == 0).await;
    let code = if written.is_empty() { 499 } else { 200 };
    assert_eq!(bed.meter.read().codes.get(&code), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_takes_its_request_with_it() {
    the_app_notices("").await;
    the_app_notices("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart").await;
    the_app_notices("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_in_an_upload_takes_its_request_with_it() {
    let bed = Bed::new();
    let uploads = Arc::new(Semaphore::new(0));
    let begun = Arc::clone(&uploads);
    let app = App::http1(move |request| {
        begun.add_permits(1);
        async move {
            let broken = request.into_body().collect().await.is_err();
            Response::new(full(broken.to_string()))
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = Client::connect(bed.address).await;
    client
        .write("POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 100\r\n\r\npart")
        .await;
    uploads.acquire().await.unwrap().forget();
    drop(client);
    until("its place is free", || replica.in_flight() == 0).await;
    until("it is counted", || {
        bed.meter.read().codes.get(&499) == Some(&1)
    })
    .await;
}
