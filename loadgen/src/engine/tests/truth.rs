//! The percentiles that are reported are those that are true.
//!
//! A server that stops for a while at a known request writes down when it took each request and when it answered.
//! On a connection that carries one request after the other, the client has an answer after the server wrote it and
//! before the server takes the next request. So the server's own times bound each true response time on both sides,
//! however slow the machine is, and with them every percentile.

use std::sync::{Mutex, PoisonError};

use super::server::HELLO;
use super::*;

/// A request as the server saw it.
#[derive(Clone, Copy)]
struct Served {
    position: u32,
    taken: Duration,
    answered: Duration,
}

/// A server that stops at a request for so long.
fn stalling(at: usize, pause: Duration, clock: RunClock) -> (Server, Arc<Mutex<Vec<Served>>>) {
    let log = Arc::new(Mutex::new(Vec::<Served>::new()));
    let written = Arc::clone(&log);
    let server = Server::start(move |peer| {
        while let Some(head) = peer.request() {
            let taken = clock.elapsed();
            let path = head["GET /".len()..].split(' ').next().unwrap();
            let mut log = written.lock().unwrap_or_else(PoisonError::into_inner);
            if log.len() == at {
                std::thread::park_timeout(pause);
                while clock.elapsed() < taken + pause {
                    std::thread::park_timeout(pause);
                }
            }
            let answered = clock.elapsed();
            log.push(Served {
                position: path.parse().unwrap(),
                taken,
                answered,
            });
            drop(log);
            peer.say(HELLO);
        }
    });
    (server, log)
}

/// The value at a quantile of sorted times, as a histogram defines it: the least that so many are not above.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some hundred times"
)]
fn at_quantile(sorted: &[Duration], quantile: f64) -> Duration {
    let count = (quantile * sorted.len() as f64).ceil() as usize;
    sorted[count.max(1) - 1]
}

#[tokio::test]
async fn percentiles_of_the_response_time_are_those_that_the_server_knows() {
    const REQUESTS: u32 = 800;
    const RATE: f64 = 1000.0;
    const PAUSE: Duration = Duration::from_millis(300);
    let clock = RunClock::start();
    let (server, log) = stalling(200, PAUSE, clock);
    let engine = prepare(plan(even(REQUESTS, RATE), vec![target(&server, pool(1))]));
    let engine = engine.await.unwrap();
    // The engine's clock starts between these two readings of the server's.
    let before = clock.elapsed();
    let start = RunClock::start();
    let after = clock.elapsed();
    let (_stop, stopped) = watch::channel(Stop::No);
    let recording = engine.run(start, None, stopped).await.unwrap();
    let end = clock.elapsed();
    assert_eq!(recording.total.succeeded, u64::from(REQUESTS));
    assert_eq!(recording.total.connections_opened, 1);

    let log = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let next = log.iter().skip(1).map(|next| next.taken).chain([end]);
    let (mut least, mut most): (Vec<_>, Vec<_>) = (log.iter().zip(next))
        .map(|(this, next)| {
            let intended = Duration::from_secs_f64(f64::from(this.position) / RATE);
            let least = this.answered.saturating_sub(after + intended);
            (least, next.saturating_sub(before + intended))
        })
        .unzip();
    least.sort_unstable();
    most.sort_unstable();
    let response = &recording.total.response;
    for quantile in [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0] {
        let found = Duration::from_micros(response.value_at_quantile(quantile));
        let (least, most) = (at_quantile(&least, quantile), at_quantile(&most, quantile));
        // Whole microseconds, with three significant digits.
        let micro = Duration::from_micros(1);
        let least = least.mul_f64(0.999).saturating_sub(micro);
        let most = most.mul_f64(1.001) + micro;
        let bounds = format!("{quantile}: {found:?} is not from {least:?} to {most:?}");
        assert!(least <= found && found <= most, "{bounds}");
    }
    // More than a third of all were due in the pause, of which one was on the connection: a closed loop would have
    // had one slow answer.
    let felt = response.value_at_quantile(0.9);
    assert!(felt >= 220_000, "{felt}");
}
