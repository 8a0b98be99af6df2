//! Requests that a replica fails: which are sent to another one, and what becomes of the replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Response, StatusCode};

use crate::app::{App, full, read_head};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, Reply};

/// An app that takes requests and breaks off.
async fn breaking() -> App {
    App::raw(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await
}

/// Sends `method` requests until the app that breaks off has had one, and returns that one's answer.
async fn fail_once(bed: &Bed, broken: &App, method: &str) -> Reply {
    let before = broken.connections();
    let mut client = Client::connect(bed.address).await;
    for _ in 0..10 {
        let request = format!("{method} / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n");
        client.write(&request).await;
        let reply = client.reply().await;
        if broken.connections() > before {
            return reply;
        }
    }
    panic!("the replica has had no request");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_done_twice_is_sent_to_another_replica() {
    let mut bed = Bed::new();
    bed.policy.preference.eject_after = None;
    let (broken, good) = (breaking().await, App::text("good").await);
    bed.serve(&[replica(broken.address), replica(good.address)]);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(fail_once(&bed, &broken, method).await.status, 200);
    }
    assert_eq!(bed.meter.read().retries, 3);
    assert_eq!(fail_once(&bed, &broken, "POST").await.status, 502);
    assert_eq!(bed.meter.read().retries, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_ends_more_than_two_replicas() {
    let mut bed = Bed::new();
    bed.policy.preference.eject_after = None;
    let all = [breaking().await, breaking().await, breaking().await];
    let replicas: Vec<_> = all.iter().map(|app| replica(app.address)).collect();
    bed.serve(&replicas);
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get(HOST).await.status, 502);
    assert_eq!(all.iter().map(App::connections).sum::<usize>(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_have_a_budget() {
    let mut bed = Bed::with(|options| options.workers = std::num::NonZeroUsize::MIN);
    bed.policy.preference.eject_after = None;
    let all = [breaking().await, breaking().await];
    bed.serve(&all.each_ref().map(|app| replica(app.address)));
    let mut client = Client::connect(bed.address).await;
    for _ in 0..100 {
        assert_eq!(client.get(HOST).await.status, 502);
    }
    // Ten to begin with, twenty for the requests, and one for each second of the test.
    let retries = bed.meter.read().retries;
    assert!((25..60).contains(&retries), "{retries}");
}

/// An app that answers 503 while it is told to, and how many requests it has had.
async fn ailing() -> (App, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (ails, asked) = (
        Arc::new(AtomicBool::new(true)),
        Arc::<AtomicUsize>::default(),
    );
    let (told, count) = (Arc::clone(&ails), Arc::clone(&asked));
    let app = App::http1(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::new(full("ailing"));
        if told.load(Ordering::SeqCst) {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        async move { response }
    });
    (app.await, ails, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_fails_one_request_after_the_other_is_ejected_for_a_while() {
    let bed = Bed::new();
    let (ailing, ails, asked) = ailing().await;
    let good = App::text("good").await;
    let bad = replica(ailing.address);
    bed.serve(&[Arc::clone(&bad), replica(good.address)]);
    let mut client = Client::connect(bed.address).await;
    for _ in 0..40 {
        client.get(HOST).await;
    }
    assert_eq!((asked.load(Ordering::SeqCst), bad.is_ejected()), (5, true));
    assert_eq!(bed.meter.read().ejections, 1);

    // It comes back, and goes again with the first failure.
    bed.clock.advance(Duration::from_secs(11));
    until("it is back", || !bad.is_ejected()).await;
    for _ in 0..10 {
        client.get(HOST).await;
    }
    assert_eq!((asked.load(Ordering::SeqCst), bad.is_ejected()), (6, true));

    ails.store(false, Ordering::SeqCst);
    bed.clock.advance(Duration::from_secs(21));
    until("it is back", || !bad.is_ejected()).await;
    for _ in 0..10 {
        assert_eq!(client.get(HOST).await.status, 200);
    }
    assert_eq!(
        (asked.load(Ordering::SeqCst), bad.is_ejected()),
        (11, false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ejected_replica_is_better_than_none() {
    let bed = Bed::new();
    let (ailing, _, asked) = ailing().await;
    let good = App::text("good").await;
    let (bad, other) = (replica(ailing.address), replica(good.address));
    bed.serve(&[Arc::clone(&bad), Arc::clone(&other)]);
    let mut client = Client::connect(bed.address).await;
    for _ in 0..20 {
        client.get(HOST).await;
    }
    assert!(bad.is_ejected());
    other.close();
    let before = asked.load(Ordering::SeqCst);
    assert_eq!(client.get(HOST).await.status, 503);
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);
}
