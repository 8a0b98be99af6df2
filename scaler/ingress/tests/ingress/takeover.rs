//! One ingress that takes the place of another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::App;
use crate::bed::{Bed, HOST, replica, until};
use crate::client::Client;

const CLIENTS: usize = 16;

/// Asks by one connection after the other until it is told to stop. Counts who answered.
async fn ask(address: SocketAddr, stop: Arc<AtomicBool>) -> (usize, usize) {
    let (mut by_old, mut by_new) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let stream = TcpStream::connect(address)
            .await
            .expect("nobody is refused");
        let mut client = Client(stream);
        let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        client.write(&request).await;
        let mut answer = String::new();
        client
            .0
            .read_to_string(&mut answer)
            .await
            .expect("nobody is cut off");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        by_old += usize::from(answer.ends_with("old"));
        by_new += usize::from(answer.ends_with("new"));
    }
    (by_old, by_new)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_while_one_takes_the_place_of_the_other() {
    let old = Bed::new();
    let (first, second) = (App::text("old").await, App::text("new").await);
    old.serve(&[replica(first.address)]);
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(old.address, Arc::clone(&stop)));
    }
    let new = Bed::with(|options| {
        options.listen = old.address;
        options.takes_over = true;
    });
    assert_eq!(new.address, old.address);
    let started = || old.meter.read().sums.started;
    let before = started();
    // Without a table it would have nothing to say but 404.
    until("the old one has all", || started() > before + 100).await;
    assert_eq!(new.ingress.limits().read().connections, 0);
    new.serve(&[replica(second.address)]);
    until("the new one has some", || {
        new.meter.read().sums.started > 100
    })
    .await;
    old.ingress.shutdown(Duration::from_secs(10)).await;
    let now = new.meter.read().sums.started;
    until("the new one has all", || {
        new.meter.read().sums.started > now + 100
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let answered = clients.join_all().await;
    let sum = |(a, b): (usize, usize), (c, d): (usize, usize)| (a + c, b + d);
    let (by_old, by_new) = answered.into_iter().fold((0, 0), sum);
    assert!(by_old > 100 && by_new > 100, "{by_old} {by_new}");
    assert_eq!(old.meter.read().codes.keys().collect::<Vec<_>>(), [&200]);
}
