//! What is told of requests for the access log.

use std::sync::Arc;

use ebbtide_ingress::{AccessLog, AccessRecord, AccessRecords, Share};
use http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{App, answer, full, read_head};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};

fn bed() -> (Bed, AccessRecords) {
    let (log, records) = AccessLog::new(Share::ALL, false);
    let bed = Bed::with(|options| options.access_log = Some(log));
    (bed, records)
}

async fn next(records: &mut AccessRecords) -> AccessRecord {
    let mut batch = Vec::new();
    assert_eq!(records.next(&mut batch, 1).await, 1);
    batch.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_request_is_told_of_when_it_has_ended() {
    let (mut bed, mut records) = bed();
    let app = App::http1(|request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(full(body.repeat(2)))
    })
    .await;
    bed.serve(&[]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("POST /a?secret HTTP/1.1\r\nHost: hello\r\nContent-Length: 3\r\n\r\nabc")
        .await;
    bed.activations.recv().await.unwrap();
    let replica = replica(app.address);
    bed.serve(&[Arc::clone(&replica)]);
    assert_eq!(client.reply().await.body, "abcabc");
    let record = next(&mut records).await;
    assert_eq!(record.revision.unwrap().as_str(), "hello--v1");
    assert_eq!(record.replica.as_ref(), Some(replica.name()));
    let said = [record.method, record.host, record.path, record.query];
    let said = said.map(Option::unwrap_or_default);
    assert_eq!(
        said.each_ref().map(|text| &**text),
        ["POST", "hello", "/a", ""]
    );
    assert_eq!((record.status, record.reason), (200, None));
    assert_eq!((record.received_bytes, record.sent_bytes), (3, 6));
    assert!(record.held.unwrap() <= record.first_byte.unwrap());
    assert!(record.first_byte.unwrap() <= record.duration);
    assert_eq!(record.client.to_string(), "127.0.0.1");
    assert!(record.trace.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_replica_answers_is_told_of_with_the_reason() {
    let (bed, mut records) = bed();
    let reply = get(bed.address, "nobody").await;
    let record = next(&mut records).await;
    assert_eq!((record.status, record.reason), (404, Some("unknown-host")));
    assert_eq!(record.sent_bytes, reply.body.len() as u64);
    assert_eq!(record.revision, None);

    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.1\r\nHost : hello\r\n\r\n").await;
    assert_eq!(client.head().await.status, 400);
    let record = next(&mut records).await;
    assert_eq!((record.status, record.reason), (400, Some("malformed")));
    assert_eq!(record.method, None);

    let app = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let reply = get(bed.address, HOST).await;
    let record = next(&mut records).await;
    assert_eq!((reply.status, record.status), (502, 502));
    assert_eq!(record.reason, Some("replica-broke-off"));
    assert_eq!(record.sent_bytes, reply.body.len() as u64);
    assert!(record.replica.is_some() && record.first_byte.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_complete_say_who_broke_them_off() {
    let (bed, mut records) = bed();
    let app = App::raw(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        stream.write_all(answer).await.unwrap();
        if head.contains("GET /path") {
            read_head(&mut stream).await;
        }
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("GET /other HTTP/1.1\r\nHost: hello\r\n\r\n")
        .await;
    assert_eq!(client.head().await.status, 200);
    let record = next(&mut records).await;
    assert_eq!((record.status, record.sent_bytes), (200, 3));
    assert_eq!(record.reason, Some("replica-broke-off"));

    let mut client = Client::connect(bed.address).await;
    client
        .write("GET /path HTTP/1.1\r\nHost: hello\r\n\r\n")
        .await;
    assert_eq!(client.head().await.status, 200);
    drop(client);
    let record = next(&mut records).await;
    assert_eq!((record.status, record.reason), (200, Some("client-gone")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_while_it_is_held_is_told_of() {
    let (mut bed, mut records) = bed();
    bed.serve(&[]);
    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
    bed.activations.recv().await.unwrap();
    drop(client);
    let record = next(&mut records).await;
    assert_eq!((record.status, record.sent_bytes), (499, 0));
    until("it is counted", || {
        bed.meter.read().codes.get(&499) == Some(&1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_body_is_malformed_is_told_of_once() {
    let (bed, mut records) = bed();
    let app = App::http1(|request| async move {
        let _broken = request.into_body().collect().await;
        Response::new(full("ok"))
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("POST / HTTP/1.1\r\nHost: hello\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
        .await;
    assert_eq!(client.head().await.status, 400);
    let record = next(&mut records).await;
    assert_eq!((record.status, record.reason), (400, Some("malformed")));
    assert!(record.revision.is_some() && record.method.is_some());
    drop(client.rest().await);
    assert_eq!(get(bed.address, "nobody").await.status, 404);
    assert_eq!(next(&mut records).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_is_told_of_at_its_end_with_what_went_through() {
    let (bed, mut records) = bed();
    let app = App::raw(|mut stream| async move {
        let accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                      Upgrade: websocket\r\n\r\nfirst";
        answer(&mut stream, accept).await.unwrap();
        let mut buffer = [0; 2];
        stream.read_exact(&mut buffer).await.unwrap();
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("GET / HTTP/1.1\r\nHost: hello\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    assert_eq!(client.head().await.status, 101);
    client.write("ab").await;
    assert_eq!(client.rest().await.unwrap(), "first");
    drop(client);
    let record = next(&mut records).await;
    assert_eq!((record.status, record.reason), (101, None));
    assert_eq!((record.received_bytes, record.sent_bytes), (2, 5));
}
