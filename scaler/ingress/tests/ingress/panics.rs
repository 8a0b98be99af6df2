//! Workers that panic.

use std::time::Duration;

use http::Response;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};

/// Connections of clients: by the odds of one in 32,768 all of them meet the same of two workers.
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_panics_is_started_again_with_its_listener() {
    let bed = Bed::new();
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    // Once is an accident; it has to go on however often.
    for _ in 0..3 {
        // Of each worker some are lost that were answered in the middle of their bodies.
        let mut halves = Vec::new();
        for _ in 0..CLIENTS {
            let mut client = Client::connect(bed.address).await;
            let half = "Content-Length: 2\r\n\r\na";
            let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{half}");
            client.write(&head).await;
            assert_eq!(client.reply().await.status, 200);
            halves.push(client);
        }
        // A worker looks at the clock at every tick, outside of any request.
        bed.clock.break_once();
        until("a worker has panicked", || !bed.clock.is_broken()).await;
        let before = bed.meter.read().sums.started;
        for _ in 0..32 {
            assert_eq!(get(bed.address, HOST).await.status, 200);
        }
        assert_eq!(bed.meter.read().sums.started, before + 32);
    }
    bed.ingress.shutdown(Duration::from_secs(10)).await;
}

/// Has a client ask, and checks that it is answered. False if its connection was lost before.
async fn is_answered(client: &mut Client) -> bool {
    let mut first = [0];
    if !matches!(client.0.read(&mut first).await, Ok(1)) {
        return false;
    }
    let rest = client.reply_after(first[0]).await;
    assert_eq!((rest.status, rest.body.as_str()), (200, "hello"));
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_others_have_goes_on_and_nothing_of_what_is_lost_stays_counted() {
    let mut bed = Bed::new();
    let (release, released) = watch::channel(false);
    let app = App::http1(move |_| {
        let mut released = released.clone();
        async move {
            released.wait_for(|released| *released).await.unwrap();
            Response::new(full("hello"))
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Client::connect(bed.address).await;
        client
            .write(&format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
            .await;
        clients.push(client);
    }
    let all = u32::try_from(CLIENTS).unwrap();
    until("the app has all", || replica.in_flight() == all).await;
    bed.clock.break_once();
    until("a worker has panicked", || !bed.clock.is_broken()).await;
    until("its requests are not counted", || replica.in_flight() < all).await;
    release.send(true).unwrap();
    let mut survivors = 0_usize;
    for client in &mut clients {
        survivors += usize::from(is_answered(client).await);
    }
    assert!(
        (1..CLIENTS).contains(&survivors),
        "{survivors} of {CLIENTS}"
    );
    until("nothing is in flight", || {
        replica.in_flight() == 0 && bed.meter.read().sums.in_flight() == 0
    })
    .await;
    let codes = bed.meter.read().codes;
    let lost = u64::try_from(CLIENTS - survivors).unwrap();
    assert_eq!(codes.get(&499), Some(&lost), "{codes:?}");
    let open = u32::try_from(survivors).unwrap();
    until("lost connections have no place", || {
        bed.ingress.limits().read().connections == open
    })
    .await;
    // Those that wait for a replica leave their places in the waiting room too.
    bed.serve(&[]);
    for client in &mut clients {
        let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        *client = Client::connect(bed.address).await;
        client.write(&request).await;
    }
    until("all wait", || bed.meter.read().waiting == all).await;
    assert!(bed.activations.recv().await.is_some());
    bed.clock.break_once();
    until("a worker has panicked", || !bed.clock.is_broken()).await;
    until("its places are free", || bed.meter.read().waiting < all).await;
    bed.serve(&[replica]);
    let mut answered = 0;
    for client in &mut clients {
        answered += usize::from(is_answered(client).await);
    }
    assert!((1..CLIENTS).contains(&answered), "{answered} of {CLIENTS}");
    assert_eq!(bed.meter.read().waiting, 0);
}
