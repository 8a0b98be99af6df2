//! Replicas that go, and the ingress that goes.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ebbtide_ingress::{Ingress, IngressOptions, StartError};
use http::Response;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_replaced_under_load_without_a_loss() {
    let bed = Bed::new();
    let mut app = App::text("hello").await;
    let mut present = replica(app.address);
    bed.serve(std::slice::from_ref(&present));
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let stop = Arc::clone(&stop);
        let mut client = Client::connect(bed.address).await;
        clients.spawn(async move {
            let mut requests = 0;
            while !stop.load(Ordering::SeqCst) {
                let reply = client.get(HOST).await;
                assert_eq!(reply.status, 200, "{}", reply.body);
                requests += 1;
            }
            requests
        });
    }
    for _ in 0..20 {
        let next_app = App::text("hello").await;
        let next = replica(next_app.address);
        bed.serve(std::slice::from_ref(&next));
        present.close();
        present.drained().await;
        assert_eq!(present.in_flight(), 0);
        // The old app ends here; a request on it would fail.
        app = next_app;
        present = next;
        let before = bed.meter.read().sums.ended;
        until("requests go on", || {
            bed.meter.read().sums.ended > before + 20
        })
        .await;
    }
    stop.store(true, Ordering::SeqCst);
    let requests: u64 = clients.join_all().await.into_iter().sum();
    until("all are counted", || bed.meter.read().sums.in_flight() == 0).await;
    assert_eq!(bed.meter.read().codes.get(&200), Some(&requests));
    drop(app);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_to_the_replica_with_the_fewest() {
    let bed = Bed::new();
    let gate = Arc::new(Semaphore::new(0));
    let wait = Arc::clone(&gate);
    let app = App::http1(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.acquire().await.unwrap().forget();
            Response::new(full("done"))
        }
    })
    .await;
    let replicas = [
        replica(app.address),
        replica(app.address),
        replica(app.address),
    ];
    bed.serve(&replicas);
    let mut requests = JoinSet::new();
    let load = || {
        replicas
            .iter()
            .map(|replica| replica.in_flight())
            .collect::<Vec<_>>()
    };
    for sent in 1..=12 {
        requests.spawn(get(bed.address, HOST));
        // One after the other: workers do not wait for each other's choice.
        until("it is on a replica", || load().iter().sum::<u32>() == sent).await;
        if sent % 3 == 0 {
            assert_eq!(load(), [sent / 3; 3]);
        }
    }
    gate.add_permits(12);
    assert!(
        requests
            .join_all()
            .await
            .iter()
            .all(|reply| reply.status == 200)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_requests_finish() {
    let bed = Bed::new();
    let gate = Arc::new(Semaphore::new(0));
    let wait = Arc::clone(&gate);
    let app = App::http1(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.acquire().await.unwrap().forget();
            Response::new(full("done"))
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let address = bed.address;
    let mut idle = Client::connect(address).await;
    let mut requests = JoinSet::new();
    requests.spawn(get(address, HOST));
    until("it is on the replica", || replica.in_flight() == 1).await;
    let mut shutdown = JoinSet::new();
    shutdown.spawn(bed.ingress.shutdown(Duration::from_secs(60)));
    assert_eq!(
        idle.rest().await.unwrap(),
        "",
        "an idle connection is closed"
    );
    until("the address is free", || {
        std::net::TcpStream::connect(address).is_err()
    })
    .await;
    gate.add_permits(1);
    let reply = requests.join_next().await.unwrap().unwrap();
    assert_eq!(
        (reply.status, reply.header("connection")),
        (200, Some("close"))
    );
    shutdown.join_next().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_answers_what_was_sent_before_it() {
    let bed = Bed::with(|options| options.workers = NonZeroUsize::MIN);
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    let mut kept = Client::connect(bed.address).await;
    assert_eq!(kept.get(HOST).await.status, 200);
    // The worker sees none of what follows before it is told to end.
    bed.clock.stop();
    until("the worker stands still", || bed.clock.holds_somebody()).await;
    let mut new = Client::connect(bed.address).await;
    for client in [&mut kept, &mut new] {
        client.write("GET / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
    }
    bed.ingress.stop_accepting();
    bed.clock.go_on();
    for client in [&mut kept, &mut new] {
        assert_eq!(client.reply().await.status, 200);
        assert_eq!(client.rest().await.unwrap(), "", "then it is closed");
    }
    bed.ingress.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_answers_a_request_that_was_on_its_way() {
    let bed = Bed::with(|options| options.linger = Duration::from_secs(60));
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    let mut kept = Client::connect(bed.address).await;
    assert_eq!(kept.get(HOST).await.status, 200);
    let mut new = Client::connect(bed.address).await;
    bed.ingress.stop_accepting();
    until("the address is free", || {
        std::net::TcpStream::connect(bed.address).is_err()
    })
    .await;
    for client in [&mut kept, &mut new] {
        let reply = client.get(HOST).await;
        let connection = reply.header("connection");
        assert_eq!((reply.status, connection), (200, Some("close")));
        assert_eq!(client.rest().await.unwrap(), "", "then it is closed");
    }
    bed.ingress.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_cuts_off_what_outlasts_its_grace() {
    let bed = Bed::new();
    bed.serve(&[]);
    let mut client = Client::connect(bed.address).await;
    client.write("GET / HTTP/1.1\r\nHost: hello\r\n\r\n").await;
    until("it waits", || bed.meter.read().waiting == 1).await;
    bed.ingress.shutdown(Duration::from_millis(50)).await;
    assert_eq!(client.rest().await.unwrap_or_default(), "");
    let reading = bed.meter.read();
    assert_eq!((reading.waiting, reading.sums.in_flight()), (0, 0));
}

#[tokio::test]
async fn an_address_in_use_is_said_so() {
    let bed = Bed::new();
    let options = IngressOptions::new(bed.address, Arc::clone(&bed.clock) as _);
    let (sender, _receiver) = mpsc::channel(1);
    let error = Ingress::start(options, sender).err().unwrap();
    assert!(matches!(error, StartError::AddressInUse { address } if address == bed.address));
    assert_eq!(error.to_string(), format!("{} is in use", bed.address));
    TcpStream::connect(bed.address).await.unwrap();
}
