//! Copies of requests for another revision.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ebbtide_ingress::{BackendState, Replica, RevisionMeter, UpstreamProtocol};
use http::Response;
use http_body_util::BodyExt;
use tokio::sync::mpsc::error::TryRecvError;

use crate::app::{App, full, read_head};
use crate::bed::{Bed, HOST, WORKERS, backend, replica, replica_with, until};
use crate::client::Client;
use crate::policy::policy;

/// What an app has had: method, target, mark and body of each request.
type Had = Arc<Mutex<Vec<String>>>;

async fn recording(protocol: UpstreamProtocol) -> (App, Had) {
    let had = Had::default();
    let record = Arc::clone(&had);
    let answer = move |request: http::Request<hyper::body::Incoming>| {
        let record = Arc::clone(&record);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mark = parts.headers.get("x-ebbtide-mirror");
            let mark = mark.map_or("-", |mark| mark.to_str().unwrap());
            let (method, path) = (parts.method, parts.uri.path().to_owned());
            let body = String::from_utf8(body.to_vec()).unwrap();
            let line = format!("{method} {path} {mark} {body}");
            record.lock().unwrap().push(line.trim_end().to_owned());
            Response::new(full("mine"))
        }
    };
    let app = match protocol {
        UpstreamProtocol::Http1 => App::http1(answer).await,
        UpstreamProtocol::Http2 => App::http2(answer).await,
    };
    (app, had)
}

/// An ingress with one worker, whose app has these tags.
fn bed(tags: &str) -> Bed {
    let mut bed = Bed::with(|options| options.workers = NonZeroUsize::MIN);
    bed.policy = policy("{targetPort: 80, allowInsecure: true}", tags);
    bed
}

/// Publishes a revision `v1`, which has all the traffic, and a revision `v2` with the label `green`,
/// whose meter is returned.
fn publish(bed: &Bed, first: Vec<Arc<Replica>>, second: Vec<Arc<Replica>>) -> Arc<RevisionMeter> {
    let meter = RevisionMeter::new(WORKERS);
    let first = backend("v1", &bed.meter, BackendState::Serving(first));
    let second = backend("v2", &meter, BackendState::Serving(second));
    bed.publish_app(vec![first, second], vec![100, 0], &[("green", 1)]);
    meter
}

fn mirrored(bed: &Bed) -> BTreeMap<&'static str, u64> {
    bed.meter.read().mirrored
}

async fn post(client: &mut Client, headers: &str, body: &str) -> u16 {
    let head = format!("POST /orders HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n");
    client.write(&format!("{head}{body}")).await;
    client.reply().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_marked_and_counts_for_nobody() {
    let bed = bed("{ebbtide.mirror: label:green}");
    let (first, first_had) = recording(UpstreamProtocol::Http1).await;
    let (second, second_had) = recording(UpstreamProtocol::Http1).await;
    let meter = publish(
        &bed,
        vec![replica(first.address)],
        vec![replica(second.address)],
    );
    let mut client = Client::connect(bed.address).await;
    client
        .write("GET /a HTTP/1.1\r\nHost: hello\r\nX-Ebbtide-Mirror: mine\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.status, 200);
    until("the copy is counted", || {
        mirrored(&bed) == [("2xx", 1)].into()
    })
    .await;
    assert_eq!(*first_had.lock().unwrap(), ["GET /a -"]);
    assert_eq!(*second_had.lock().unwrap(), ["GET /a hello--v1"]);
    assert_eq!(meter.read(), RevisionMeter::new(WORKERS).read());

    // What is for the label itself has no copy.
    assert_eq!(client.get("hello---green").await.status, 200);
    assert_eq!(client.get(HOST).await.status, 200);
    until("the copy is counted", || {
        mirrored(&bed) == [("2xx", 2)].into()
    })
    .await;
    assert_eq!(second_had.lock().unwrap().len(), 3);
    assert_eq!(meter.read().mirrored, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_requests_is_copied() {
    let bed = bed("{ebbtide.mirror: hello--v2=10}");
    let (first, _) = recording(UpstreamProtocol::Http1).await;
    let (second, had) = recording(UpstreamProtocol::Http1).await;
    publish(
        &bed,
        vec![replica(first.address)],
        vec![replica(second.address)],
    );
    let mut client = Client::connect(bed.address).await;
    for number in 1..=35 {
        let request = format!("GET /{number} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        client.write(&request).await;
        assert_eq!(client.reply().await.status, 200);
    }
    until("the copies are counted", || {
        mirrored(&bed) == [("2xx", 3)].into()
    })
    .await;
    let mut had = had.lock().unwrap().clone();
    had.sort();
    let expected = [10, 20, 30].map(|number| format!("GET /{number} hello--v1"));
    assert_eq!(had, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_copied_up_to_a_bound() {
    for protocol in [UpstreamProtocol::Http1, UpstreamProtocol::Http2] {
        let bed = bed("{ebbtide.mirror: hello--v2, ebbtide.mirrorMethods: all}");
        let (first, first_had) = recording(protocol).await;
        let (second, had) = recording(protocol).await;
        publish(
            &bed,
            vec![replica_with(first.address, protocol)],
            vec![replica_with(second.address, protocol)],
        );
        let mut client = Client::connect(bed.address).await;
        let chunked = "Transfer-Encoding: chunked\r\n";
        let large = "x".repeat(64 * 1024 + 1);
        let chunks = format!(
            "8000\r\n{}\r\n8001\r\n{}\r\n0\r\n\r\n",
            &large[..0x8000],
            &large[..0x8001]
        );
        for (headers, body) in [
            ("Content-Length: 5\r\n", "whole"),
            (chunked, "2\r\nin\r\n5\r\nparts\r\n0\r\n\r\n"),
            ("Content-Length: 65537\r\n", &large),
            (chunked, &chunks),
        ] {
            assert_eq!(post(&mut client, headers, body).await, 200);
        }
        let expected = [("2xx", 2), ("large-body", 2)].into();
        until("all are counted", || mirrored(&bed) == expected).await;
        let mut had = had.lock().unwrap().clone();
        had.sort();
        let mark = "POST /orders hello--v1";
        assert_eq!(had, [format!("{mark} inparts"), format!("{mark} whole")]);
        let lengths: Vec<_> = first_had.lock().unwrap().iter().map(String::len).collect();
        let with = |body: usize| "POST /orders - ".len() + body;
        assert_eq!(lengths, [5, 7, 65537, 65537].map(with));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_change_something_twice_and_streams_are_not_copied() {
    let (first, _) = recording(UpstreamProtocol::Http1).await;
    let (second, had) = recording(UpstreamProtocol::Http1).await;
    let grpc = "Content-Type: application/grpc\r\nContent-Length: 0\r\n";
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n";
    for (more, headers, outcome) in [
        ("", "Content-Length: 0\r\n", "unsafe-method"),
        (", ebbtide.mirrorMethods: all", grpc, "stream"),
        (", ebbtide.mirrorMethods: all", upgrade, "stream"),
    ] {
        let bed = bed(&format!("{{ebbtide.mirror: hello--v2{more}}}"));
        publish(
            &bed,
            vec![replica(first.address)],
            vec![replica(second.address)],
        );
        let mut client = Client::connect(bed.address).await;
        assert_eq!(post(&mut client, headers, "").await, 200);
        assert_eq!(mirrored(&bed), [(outcome, 1)].into());
    }
    assert_eq!(*had.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_keep_nobody_waiting_and_are_bounded() {
    let bed = bed("{ebbtide.mirror: hello--v2}");
    let first = App::text("fine").await;
    let silent = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let target = replica(silent.address);
    publish(
        &bed,
        vec![replica(first.address)],
        vec![Arc::clone(&target)],
    );
    let mut client = Client::connect(bed.address).await;
    for _ in 0..70 {
        assert_eq!(client.get(HOST).await.body, "fine");
    }
    assert_eq!(mirrored(&bed), [("too-many", 6)].into());
    assert_eq!(target.in_flight(), 64);
    bed.clock.advance(Duration::from_secs(61));
    let expected = [("too-many", 6), ("timed-out", 64)].into();
    until("they are given up", || mirrored(&bed) == expected).await;
    assert_eq!((target.in_flight(), target.is_ejected()), (0, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_fails_or_is_not_there_is_counted_and_not_woken() {
    let mut bed = bed("{ebbtide.mirror: hello--v2}");
    let first = App::text("fine").await;
    let breaking = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let target = replica(breaking.address);
    let served = || vec![replica(first.address)];
    publish(&bed, served(), vec![Arc::clone(&target)]);
    let mut client = Client::connect(bed.address).await;
    for _ in 0..10 {
        assert_eq!(client.get(HOST).await.body, "fine");
    }
    until("all have failed", || {
        mirrored(&bed) == [("failed", 10)].into()
    })
    .await;
    assert!(!target.is_ejected());

    publish(&bed, served(), Vec::new());
    assert_eq!(client.get(HOST).await.body, "fine");
    bed.serve(&served());
    assert_eq!(client.get(HOST).await.body, "fine");
    let expected = [("failed", 10), ("no-replica", 1), ("no-target", 1)];
    assert_eq!(mirrored(&bed), expected.into());
    assert_eq!(bed.activations.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_no_replica_answers_has_no_copy() {
    let bed = bed("{ebbtide.mirror: hello--v2}");
    let (second, had) = recording(UpstreamProtocol::Http1).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = replica(listener.local_addr().unwrap());
    drop(listener);
    publish(&bed, vec![gone], vec![replica(second.address)]);
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get(HOST).await.status, 502);
    assert_eq!(mirrored(&bed), BTreeMap::new());
    assert_eq!(*had.lock().unwrap(), Vec::<String>::new());
}
