//! A limit of requests for each replica, and the line in front of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};

/// An app whose requests each wait for a permit, and what they asked for in the order they came.
async fn gated() -> (App, Arc<Semaphore>, mpsc::UnboundedReceiver<String>) {
    let (came, order) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let app = App::http1(move |request| {
        let (gate, came) = (Arc::clone(&held), came.clone());
        async move {
            came.send(request.uri().path().to_owned()).unwrap();
            gate.acquire().await.unwrap().forget();
            Response::new(full("done"))
        }
    });
    (app.await, gate, order)
}

fn limited(limit: u32) -> Bed {
    let mut bed = Bed::new();
    bed.policy.max_concurrent_requests = NonZeroU32::new(limit);
    bed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_has_no_more_requests_than_its_limit_and_the_others_come_in_order() {
    let mut bed = limited(1);
    let (app, gate, mut order) = gated().await;
    bed.serve(&[replica(app.address)]);
    let mut clients = Vec::new();
    for number in 0..6_u32 {
        let mut client = Client::connect(bed.address).await;
        let request = format!("GET /{number} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        client.write(&request).await;
        clients.push(client);
        until("it has arrived", || {
            let reading = bed.meter.read();
            (reading.sums.started, reading.waiting) == (u64::from(number) + 1, number)
        })
        .await;
    }
    assert!(bed.activations.try_recv().is_err(), "there is a replica");
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(order.recv().await.unwrap(), format!("/{number}"));
        assert!(order.try_recv().is_err(), "one at a time");
        gate.add_permits(1);
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "done"));
        let queued = reply
            .header("server-timing")
            .map(|it| it.starts_with("queue;dur="));
        assert_eq!(queued, (number > 0).then_some(true));
    }
    assert_eq!(bed.meter.read().cold_starts.total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_replica_takes_as_many_as_it_has_room_for() {
    let bed = limited(2);
    let (app, gate, mut order) = gated().await;
    let first = replica(app.address);
    bed.serve(&[Arc::clone(&first)]);
    let mut held = JoinSet::new();
    let address = bed.address;
    for _ in 0..5 {
        held.spawn(get(address, HOST));
    }
    until("three wait", || bed.meter.read().waiting == 3).await;
    let second = replica(app.address);
    bed.serve(&[first, Arc::clone(&second)]);
    until("one waits", || bed.meter.read().waiting == 1).await;
    for _ in 0..4 {
        order.recv().await.unwrap();
    }
    assert_eq!((second.in_flight(), order.try_recv().is_err()), (2, true));
    gate.add_permits(5);
    while let Some(reply) = held.join_next().await {
        assert_eq!(reply.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_while_it_waits_leaves_its_place_to_the_next() {
    let bed = limited(1);
    let (app, gate, mut order) = gated().await;
    bed.serve(&[replica(app.address)]);
    let mut held = JoinSet::new();
    held.spawn(get(bed.address, HOST));
    order.recv().await.unwrap();
    let mut gone = Client::connect(bed.address).await;
    gone.write(&format!("GET /gone HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
        .await;
    until("it waits", || bed.meter.read().waiting == 1).await;
    held.spawn(get(bed.address, HOST));
    until("both wait", || bed.meter.read().waiting == 2).await;
    drop(gone);
    until("one waits", || bed.meter.read().waiting == 1).await;
    gate.add_permits(2);
    while let Some(reply) = held.join_next().await {
        assert_eq!(reply.unwrap().status, 200);
    }
    assert_eq!(order.recv().await.unwrap(), "/path");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_for_a_busy_replica_is_told_so() {
    let mut bed = Bed::with(|options| options.waiting_room.timeout = Duration::from_secs(10));
    bed.policy.max_concurrent_requests = NonZeroU32::new(1);
    let (app, gate, mut order) = gated().await;
    bed.serve(&[replica(app.address)]);
    let (mut first, mut late) = (JoinSet::new(), JoinSet::new());
    first.spawn(get(bed.address, HOST));
    order.recv().await.unwrap();
    late.spawn(get(bed.address, HOST));
    until("one waits", || bed.meter.read().waiting == 1).await;
    bed.clock.advance(Duration::from_secs(11));
    let reply = late.join_next().await.unwrap().unwrap();
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("1"))
    );
    assert!(
        reply.body.contains("no replica had room within 10 s"),
        "{}",
        reply.body
    );
    gate.add_permits(1);
    assert_eq!(first.join_next().await.unwrap().unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_never_exceed_the_limit_and_none_is_lost() {
    let bed = limited(3);
    let (present, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let turns = Arc::new(Mutex::new(()));
    let counted = (Arc::clone(&present), Arc::clone(&most));
    let app = App::http1(move |_| {
        let ((present, most), turns) = (counted.clone(), Arc::clone(&turns));
        async move {
            let now = present.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            // Lets others run in between.
            drop(turns.lock().await);
            tokio::task::yield_now().await;
            present.fetch_sub(1, Ordering::SeqCst);
            Response::new(full("done"))
        }
    });
    let app = app.await;
    bed.serve(&[replica(app.address)]);
    let mut clients = JoinSet::new();
    let address = bed.address;
    for _ in 0..30 {
        clients.spawn(async move {
            let mut client = Client::connect(address).await;
            for _ in 0..50 {
                assert_eq!(client.get(HOST).await.status, 200);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 3);
    until("all have ended", || bed.meter.read().sums.in_flight() == 0).await;
    assert_eq!(
        (bed.meter.read().waiting, bed.meter.read().waiting_bytes),
        (0, 0)
    );
}
