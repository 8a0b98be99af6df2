//! What the meter counts, against what happened, to the nanosecond: the clock moves only when a test moves it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_core::window::{RequestSums, RequestWindow};
use ebbtide_ingress::RevisionMeter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{App, read_head};
use crate::bed::{Bed, replica, until};
use crate::client::Client;

/// More than most machines have cores for, so that workers count at the same time.
const WORKERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// A clock that stands still until it is moved.
#[derive(Default)]
struct StillClock(AtomicU64);

impl StillClock {
    fn advance(&self, milliseconds: u64) {
        self.0.fetch_add(milliseconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// A request that has not ended.
struct Running {
    client: Client,
    arrived: Timestamp,
    /// Whether the head of its answer has come.
    has_head: bool,
}

/// An ingress, and what its meter ought to say.
struct Counted {
    bed: Bed,
    clock: Arc<StillClock>,
    running: Vec<Running>,
    sums: RequestSums,
    /// Requests that ended with 200: once their head has come that is their status, however they end.
    answered: u64,
    answered_nanos: u64,
    /// How long those that have ended took.
    spent_nanos: u64,
}

impl Counted {
    fn new() -> Self {
        let clock = Arc::new(StillClock::default());
        let given = Arc::clone(&clock);
        let mut bed = Bed::with(|options| {
            options.workers = WORKERS;
            options.clock = given;
        });
        bed.meter = RevisionMeter::new(WORKERS);
        Self {
            bed,
            clock,
            running: Vec::new(),
            sums: RequestSums::default(),
            answered: 0,
            answered_nanos: 0,
            spent_nanos: 0,
        }
    }

    /// A request arrives on a connection of its own. The rest of its body, a byte, is still to come.
    async fn arrives(&mut self) {
        let mut client = Client::connect(self.bed.address).await;
        let request = "POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 1\r\n\r\n";
        client.write(request).await;
        let arrived = self.clock.now();
        self.sums.started += 1;
        self.sums.started_nanos += arrived.as_nanos();
        self.running.push(Running {
            client,
            arrived,
            has_head: false,
        });
        self.is_counted().await;
    }

    /// The heads of all answers come, and no more of them.
    async fn have_heads(&mut self) {
        for running in self.running.iter_mut().filter(|one| !one.has_head) {
            assert_eq!(running.client.head().await.status, 200);
            running.has_head = true;
        }
    }

    /// One of the requests that have a head ends: with its answer, or since its client goes away.
    async fn ends(&mut self, index: usize, with_answer: bool) {
        let mut ending = self.running.swap_remove(index);
        if with_answer {
            ending.client.write("x").await;
            assert_eq!(ending.client.0.read_u8().await.unwrap(), b'x');
        }
        let (start, end) = (ending.arrived.as_nanos(), self.clock.now().as_nanos());
        if ending.has_head {
            self.answered += 1;
            self.answered_nanos += end - start;
        }
        self.sums.ended += 1;
        self.sums.ended_nanos += end;
        self.spent_nanos += end - start;
        drop(ending);
        self.is_counted().await;
    }

    /// Waits until the meter has counted as many as there were. Then their times must be right too.
    async fn is_counted(&self) {
        let counts = |sums: RequestSums| (sums.started, sums.ended);
        until("all are counted", || {
            counts(self.bed.meter.sums()) == counts(self.sums)
        })
        .await;
        assert_eq!(self.bed.meter.sums(), self.sums);
    }

    /// Request-nanoseconds until now, by what is known of each request.
    fn truth(&self) -> u64 {
        let now = self.clock.now().as_nanos();
        let running = self.running.iter();
        let running = running.map(|one| now - one.arrived.as_nanos());
        self.spent_nanos + running.sum::<u64>()
    }
}

/// An app that begins its answer at once, and ends it with the byte that the request's body has.
async fn echoing_app() -> App {
    App::raw(|mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
        while read_head(&mut stream).await.is_some() {
            let began = stream.write_all(head.as_bytes()).await;
            let Ok(byte) = stream.read_u8().await else {
                return;
            };
            if began.is_err() || stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_and_rate_are_exactly_what_happened() {
    let mut counted = Counted::new();
    let app = echoing_app().await;
    counted.bed.serve(&[replica(app.address)]);
    let mut dice = Dice(7);
    let mut window = RequestWindow::default();
    let start = counted.clock.now();
    window.observe(start, counted.bed.meter.sums());
    for _ in 0..300 {
        counted.clock.advance(dice.below(100));
        // Twenty or so at a time; of those that end, a third without their answer.
        let running = counted.running.len() as u64;
        if dice.below(40) >= running {
            counted.arrives().await;
            counted.have_heads().await;
        } else {
            let index = usize::try_from(dice.below(running)).unwrap();
            counted.ends(index, dice.below(3) > 0).await;
        }
        let now = counted.clock.now();
        let sums = counted.bed.meter.sums();
        window.observe(now, sums);
        let truth = counted.truth();
        assert_eq!(sums.request_nanos(now), truth, "at {now:?}");
    }
    let now = counted.clock.now();
    let elapsed = now.since(start).as_secs_f64();
    let average = window.concurrency(now, Duration::from_secs(60)).unwrap();
    let truth = Duration::from_nanos(counted.truth()).as_secs_f64() / elapsed;
    assert!((average - truth).abs() < 1e-9, "{average}, {truth}");
    let rate = window.rate(now, Duration::from_secs(60)).unwrap();
    let started = u32::try_from(counted.sums.started).unwrap();
    let truth = f64::from(started) / elapsed;
    assert!((rate - truth).abs() < 1e-9, "{rate}, {truth}");
    let reading = counted.bed.meter.read();
    assert_eq!(
        reading.codes.into_iter().collect::<Vec<_>>(),
        [(200, counted.answered)]
    );
    assert_eq!(reading.durations.sum_nanos, counted.answered_nanos);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_held_count_from_their_arrival_also_if_they_give_up() {
    let mut counted = Counted::new();
    counted.bed.serve(&[]);
    let mut waited = 0;
    for _ in 0..24 {
        counted.arrives().await;
        counted.clock.advance(250);
    }
    for index in (0..8).rev() {
        counted.ends(index, false).await;
        counted.clock.advance(125);
    }
    assert_eq!(counted.bed.meter.waiting(), 16);
    let app = echoing_app().await;
    counted.bed.serve(&[replica(app.address)]);
    counted.have_heads().await;
    for running in &counted.running {
        waited += counted.clock.now().as_nanos() - running.arrived.as_nanos();
    }
    while !counted.running.is_empty() {
        counted.clock.advance(500);
        counted.ends(0, true).await;
        let now = counted.clock.now();
        let sums = counted.bed.meter.sums();
        assert_eq!(sums.request_nanos(now), counted.truth());
    }
    let reading = counted.bed.meter.read();
    assert_eq!(reading.waiting, 0);
    assert_eq!(
        reading.codes.into_iter().collect::<Vec<_>>(),
        [(200, 16), (499, 8)]
    );
    assert_eq!(reading.durations.sum_nanos, counted.answered_nanos);
    assert_eq!(
        (reading.cold_starts.total(), reading.cold_starts.sum_nanos),
        (16, waited)
    );
}
