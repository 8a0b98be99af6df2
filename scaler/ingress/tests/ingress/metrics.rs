//! What is counted of requests, bodies and connections.

use http::Response;
use http_body_util::BodyExt;
use tokio::net::TcpListener;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};

fn answered(bed: &Bed, reason: &str) -> u64 {
    let counts = bed.ingress.limits().read().own_answers;
    counts.iter().find(|(name, _)| *name == reason).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_counted_both_ways_while_they_go_through() {
    let bed = Bed::new();
    let app = App::http1(|request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(full(body.repeat(3)))
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("POST / HTTP/1.1\r\nHost: hello\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n")
        .await;
    let received = || bed.meter.read().received_bytes;
    until("what has come is counted", || received() == 4).await;
    assert_eq!(bed.meter.read().sums.ended, 0);
    client.write("0\r\n\r\n").await;
    assert_eq!(client.reply().await.body, "bodybodybody");
    until("it has ended", || bed.meter.read().sums.ended == 1).await;
    let reading = bed.meter.read();
    assert_eq!((reading.received_bytes, reading.sent_bytes), (4, 12));
    let (first, all) = (reading.first_bytes, reading.durations);
    assert_eq!((first.total(), all.total()), (1, 1));
    assert!(first.sum_nanos <= all.sum_nanos, "{first:?} {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn own_answers_are_counted_by_their_reason_and_have_no_first_byte() {
    let bed = Bed::new();
    assert_eq!(get(bed.address, "nobody").await.status, 404);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    bed.serve(&[replica(listener.local_addr().unwrap())]);
    drop(listener);
    assert_eq!(get(bed.address, HOST).await.status, 502);
    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.1\r\nHost : hello\r\n\r\n").await;
    assert_eq!(client.head().await.status, 400);
    until("the parser's answer is counted", || {
        answered(&bed, "malformed") == 1
    })
    .await;
    assert_eq!(answered(&bed, "unknown-host"), 1);
    assert_eq!(answered(&bed, "replica-unreachable"), 1);
    assert_eq!(bed.meter.read().first_bytes.total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_by_their_listener() {
    let bed = Bed::with(|options| options.limits.connections = 1);
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get("nobody").await.status, 404);
    let mut refused = Client::connect(bed.address).await;
    assert_eq!(refused.rest().await.unwrap_or_default(), "");
    let plain = || bed.ingress.limits().read().listeners[0];
    let is = |open, accepted, refused| {
        let now = plain();
        (now.open, now.accepted, now.refused) == (open, accepted, refused)
    };
    assert!(is(1, 1, 1), "{:?}", plain());
    drop(client);
    until("it is closed", || is(0, 1, 1)).await;
    assert_eq!(plain().listener, "http");
}
