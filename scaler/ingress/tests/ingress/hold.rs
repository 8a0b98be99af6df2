//! The waiting room.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ebbtide_ingress::{BackendState, RevisionMeter};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::app::App;
use crate::bed::{Bed, HOST, WORKERS, backend, replica, until};
use crate::client::{Client, get};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_a_replica_and_says_so() {
    let mut bed = Bed::new();
    bed.serve(&[]);
    let address = bed.address;
    let mut held = JoinSet::new();
    held.spawn(get(address, HOST));
    assert_eq!(bed.activations.recv().await.unwrap().as_str(), "hello--v1");
    held.spawn(get(address, HOST));
    until("both wait", || bed.meter.read().waiting == 2).await;
    assert_eq!(bed.meter.read().sums.in_flight(), 2);

    let app = App::text("hello").await;
    let replica = replica(app.address);
    bed.serve(&[Arc::clone(&replica)]);
    while let Some(reply) = held.join_next().await {
        let reply = reply.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "hello"));
        let timing = reply.header("server-timing").unwrap();
        let waited = timing.strip_prefix("coldstart;dur=").unwrap();
        assert!(waited.parse::<f64>().unwrap() > 0.0);
    }
    let warm = get(address, HOST).await;
    assert_eq!((warm.status, warm.header("server-timing")), (200, None));
    assert!(
        bed.activations.try_recv().is_err(),
        "one activation for both"
    );
    until("all have ended", || bed.meter.read().sums.in_flight() == 0).await;
    let reading = bed.meter.read();
    assert_eq!((reading.sums.started, reading.waiting), (3, 0));
    assert_eq!(reading.codes.into_iter().collect::<Vec<_>>(), [(200, 3)]);
    assert_eq!(
        (reading.durations.total(), reading.cold_starts.total()),
        (3, 2)
    );
    assert_eq!(replica.in_flight(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_all_get_through() {
    raise_file_limit();
    let mut bed = Bed::new();
    bed.serve(&[]);
    let address = bed.address;
    let mut held = JoinSet::new();
    for _ in 0..1000 {
        held.spawn(get(address, HOST));
    }
    until("all wait", || bed.meter.read().waiting == 1000).await;
    assert!(bed.activations.recv().await.is_some());
    let apps = [App::text("a").await, App::text("b").await];
    bed.serve(&[replica(apps[0].address), replica(apps[1].address)]);
    let mut answered = [0, 0];
    while let Some(reply) = held.join_next().await {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        answered[usize::from(reply.body == "b")] += 1;
    }
    assert_eq!(answered.iter().sum::<i32>(), 1000);
    assert!(answered.iter().all(|count| *count > 300), "{answered:?}");
    until("all have ended", || bed.meter.read().sums.in_flight() == 0).await;
    assert_eq!(bed.meter.read().waiting, 0);
}

/// Both ends of the clients' and of the replicas' connections are in this process.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_room_turns_away() {
    let bed = Bed::with(|options| options.waiting_room.requests = 1);
    bed.serve(&[]);
    let address = bed.address;
    let mut held = JoinSet::new();
    held.spawn(get(address, HOST));
    until("one waits", || bed.meter.read().waiting == 1).await;
    let reply = get(address, HOST).await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("1"))
    );
    assert!(
        reply.body.contains("hello--v1: the waiting room is full"),
        "{}",
        reply.body
    );
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    assert_eq!(held.join_next().await.unwrap().unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_has_an_end() {
    let bed = Bed::new();
    bed.serve(&[]);
    let address = bed.address;
    let mut held = JoinSet::new();
    held.spawn(get(address, HOST));
    until("it waits", || bed.meter.read().waiting == 1).await;
    bed.clock.advance(Duration::from_secs(241));
    let reply = held.join_next().await.unwrap().unwrap();
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("5"))
    );
    assert!(
        reply.body.contains("no replica became ready within 240 s"),
        "{}",
        reply.body
    );
    assert_eq!(bed.meter.read().waiting, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_revision_says_why_also_to_those_that_wait() {
    let bed = Bed::new();
    bed.serve(&[]);
    let address = bed.address;
    let mut held = JoinSet::new();
    held.spawn(get(address, HOST));
    until("it waits", || bed.meter.read().waiting == 1).await;
    let because = "exited with status 1: no such file".to_owned();
    bed.publish(BackendState::Failed { because });
    for reply in [
        held.join_next().await.unwrap().unwrap(),
        get(address, HOST).await,
    ] {
        assert_eq!(reply.status, 503);
        assert!(
            reply
                .body
                .contains("activation failed: exited with status 1"),
            "{}",
            reply.body
        );
    }
    until("both are counted", || {
        bed.meter.read().codes.get(&503) == Some(&2)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_revision_that_goes_follows_the_traffic() {
    let bed = Bed::new();
    bed.serve(&[]);
    let address = bed.address;
    let mut held = JoinSet::new();
    held.spawn(get(address, HOST));
    until("it waits", || bed.meter.read().waiting == 1).await;
    let app = App::text("v2").await;
    let meter = RevisionMeter::new(WORKERS);
    let v2 = backend(
        "v2",
        &meter,
        BackendState::Serving(vec![replica(app.address)]),
    );
    bed.publish_app(vec![v2], vec![100], &[]);
    let reply = held.join_next().await.unwrap().unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "v2"));
    until("it is counted", || meter.read().codes.get(&200) == Some(&1)).await;
    let before = bed.meter.read();
    assert_eq!(
        (before.sums.in_flight(), before.waiting, before.codes.len()),
        (0, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_leaves_the_room_with_or_without_a_body() {
    let bed = Bed::new();
    bed.serve(&[]);
    let post = "POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 100000\r\n\r\nunread";
    for request in ["GET / HTTP/1.1\r\nHost: hello\r\n\r\n", post] {
        let mut client = Client::connect(bed.address).await;
        client.write(request).await;
        until("it waits", || bed.meter.read().waiting == 1).await;
        client.0.shutdown().await.unwrap();
        drop(client);
        until("it has left", || bed.meter.read().waiting == 0).await;
    }
    until("both are counted", || {
        bed.meter.read().codes.get(&499) == Some(&2)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_requests_body_is_not_read() {
    let bed = Bed::new();
    bed.serve(&[]);
    let mut client = Client::connect(bed.address).await;
    client
        .write("POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 900000000\r\n\r\n")
        .await;
    until("it waits", || bed.meter.read().waiting == 1).await;
    // The sockets' buffers and hyper's are all there is to write into.
    let chunk = vec![b'x'; 1 << 20];
    let mut written = 0;
    let pause = Duration::from_millis(300);
    while let Ok(write) = tokio::time::timeout(pause, client.0.write(&chunk)).await {
        written += write.unwrap();
        assert!(written < 100 << 20, "{written} bytes were taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_that_found_no_room_is_raised_again() {
    let mut bed = Bed::new();
    bed.serve(&[]);
    let address = bed.address;
    let mut clients = JoinSet::new();
    // One after the other enters the empty room, until the channel is full, and once more.
    for _ in 0..17 {
        let mut client = Client::connect(address).await;
        client.write("GET / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
        until("it waits", || bed.meter.read().waiting == 1).await;
        drop(client);
        until("it has left", || bed.meter.read().waiting == 0).await;
    }
    clients.spawn(get(address, HOST));
    for _ in 0..17 {
        assert!(bed.activations.recv().await.is_some());
    }
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    assert_eq!(clients.join_next().await.unwrap().unwrap().status, 200);
    assert!(app.connections.load(Ordering::SeqCst) >= 1);
}
