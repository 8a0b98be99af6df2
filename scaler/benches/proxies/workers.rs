//! How connections are spread over workers.

use crate::certificate::HOST;
use crate::connections::{ask, idle};
use crate::peer::Peer;
use crate::process::Thread;
use crate::table::Row;

/// What the names of workers' threads begin with.
pub(crate) const WORKERS: &str = "ingress-";

/// How many connections there are at a time.
const CONNECTIONS: [usize; 3] = [8, 16, 64];

/// How often each number of them is opened.
const TIMES: usize = 20;

/// Requests that show which worker has a connection: whatever else wakes others meanwhile is less.
const REQUESTS: usize = 20;

const BUSIEST: [&str; 3] = ["busiest of 8 ×", "busiest of 16 ×", "busiest of 64 ×"];
const WITHOUT: [&str; 3] = [
    "without any of 8 %",
    "without any of 16 %",
    "without any of 64 %",
];

/// Opens connections and finds out which worker has each. The busiest one's number is told as a multiple of an
/// even share, and how many of a hundred workers have none.
pub(crate) fn spread(peer: &Peer) -> Row {
    let threads = peer.process.threads(WORKERS);
    assert_eq!(threads.len(), peer.shape.workers());
    let mut row = Row::new();
    for (place, connections) in CONNECTIONS.into_iter().enumerate() {
        let (mut busiest, mut without) = (0, 0);
        for _ in 0..TIMES {
            let numbers = numbers(peer.ports.http1, connections, &threads);
            busiest += numbers.iter().max().expect("there are workers");
            without += numbers.iter().filter(|number| **number == 0).count();
        }
        let workers = threads.len() as f64;
        let even = (connections * TIMES) as f64 / workers;
        row.push((BUSIEST[place], busiest as f64 / even));
        let all = TIMES as f64 * workers;
        row.push((WITHOUT[place], without as f64 * 100.0 / all));
    }
    row
}

/// How many of so many new connections each worker has.
fn numbers(port: u16, connections: usize, threads: &[Thread]) -> Vec<usize> {
    let mut numbers = vec![0; threads.len()];
    let mut open = idle(port, HOST, connections);
    for stream in &mut open {
        let waited: Vec<u64> = threads.iter().map(Thread::waits).collect();
        (0..REQUESTS).for_each(|_| drop(ask(stream, HOST)));
        let more = threads
            .iter()
            .zip(waited)
            .map(|(thread, waited)| thread.waits() - waited);
        let most = more.enumerate().max_by_key(|(_, more)| *more);
        numbers[most.expect("there are workers").0] += 1;
    }
    numbers
}
