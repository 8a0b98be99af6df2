//! How long an app lets its answers take.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use crate::app::{App, read_head};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::Client;

/// An app that sends part of an answer of this type, and the rest when it is told to.
pub(crate) async fn pausing(kind: &'static str) -> (App, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let told = Arc::clone(&go_on);
    let app = App::raw(move |mut stream| {
        let told = Arc::clone(&told);
        async move {
            read_head(&mut stream).await;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n\
                 5\r\nfirst\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            told.notified().await;
            let _gone = stream.write_all(b"4\r\nlast\r\n0\r\n\r\n").await;
        }
    });
    (app.await, go_on)
}

async fn asking(bed: &Bed) -> Client {
    let mut client = Client::connect(bed.address).await;
    client
        .write(&format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
        .await;
    assert_eq!(client.head().await.status, 200);
    assert_eq!(client.chunk().await.as_deref(), Some("first"));
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_pauses_for_too_long_breaks_off() {
    let mut bed = Bed::new();
    bed.policy.timeouts.idle = Some(Duration::from_secs(20));
    let (app, go_on) = pausing("text/plain").await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = asking(&bed).await;
    bed.clock.advance(Duration::from_secs(21));
    let rest = client.rest().await.unwrap_or_default();
    assert!(!rest.contains("\r\n0\r\n"), "{rest}");
    until("its place is free", || replica.in_flight() == 0).await;
    go_on.notify_one();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_goes_on_in_time_is_whole() {
    let bed = Bed::new();
    let (app, go_on) = pausing("text/plain").await;
    bed.serve(&[replica(app.address)]);
    let mut client = asking(&bed).await;
    bed.clock.advance(Duration::from_secs(230));
    go_on.notify_one();
    assert_eq!(client.chunk().await.as_deref(), Some("last"));
    assert_eq!(client.chunk().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_may_pause_as_long_as_it_likes() {
    let mut bed = Bed::new();
    bed.policy.timeouts.request = Some(Duration::from_secs(60));
    let (app, go_on) = pausing("text/event-stream; charset=utf-8").await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = asking(&bed).await;
    bed.clock.advance(Duration::from_secs(100_000));
    // A request that is answered after that: the times have been looked at.
    let (other, _) = pausing("text/plain").await;
    bed.serve(&[crate::bed::replica(other.address)]);
    asking(&bed).await;
    assert_eq!(replica.in_flight(), 1);
    go_on.notify_one();
    assert_eq!(client.chunk().await.as_deref(), Some("last"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_time_for_all_of_it_if_its_app_says_so() {
    let mut bed = Bed::new();
    bed.policy.timeouts.request = Some(Duration::from_secs(60));
    let (app, go_on) = pausing("text/plain").await;
    bed.serve(&[replica(app.address)]);
    let mut client = asking(&bed).await;
    bed.clock.advance(Duration::from_secs(61));
    let rest = client.rest().await.unwrap_or_default();
    assert!(!rest.contains("\r\n0\r\n"), "{rest}");
    go_on.notify_one();

    let silent =
        App::raw(|mut stream| async move { while read_head(&mut stream).await.is_some() {} });
    let silent = silent.await;
    let replica = replica(silent.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut client = Client::connect(bed.address).await;
    client
        .write(&format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
        .await;
    until("the app has it", || silent.connections() == 1).await;
    bed.clock.advance(Duration::from_secs(61));
    let reply = client.reply().await;
    assert_eq!(reply.status, 504);
    assert!(
        reply.body.contains("no answer within 60 s"),
        "{}",
        reply.body
    );
}
