//! The counters of a revision: a shard for each worker, so that counting costs no shared cache line.

mod budget;
mod sums;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ebbtide_core::histogram::{BUCKETS, DurationCounts, bucket_of};
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestSums;

use crate::line::Line;
use budget::RetryBudget;
use sums::Sums;

/// Status codes are three digits from 100.
const FIRST_CODE: u16 = 100;
const CODES: usize = 900;

/// The code a request is counted with when its client went away before there was an answer, as
/// nginx has it.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The counters of one revision. Whoever makes the table keeps it from one table to the next.
pub struct RevisionMeter {
    shards: Box<[Shard]>,
    /// The waiting room, of all workers: its bound is for all of them together.
    line: Line,
}

/// The counters of one worker. Only that worker writes to them. Aligned so that no two workers
/// write to one cache line, nor to a pair that the hardware fetches together.
#[repr(align(128))]
struct Shard {
    sums: Sums,
    codes: [AtomicU64; CODES],
    durations: Durations,
    cold_starts: Durations,
    retries: RetryBudget,
    ejections: AtomicU64,
}

/// [`DurationCounts`] that one thread writes and others read.
struct Durations {
    counts: [AtomicU64; BUCKETS],
    sum_nanos: AtomicU64,
}

/// What a [`RevisionMeter`] says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterReading {
    /// Requests started and ended, and the sums of the times. A request that is held counts from
    /// its arrival; one that is answered counts until its answer's body has ended.
    pub sums: RequestSums,
    /// Requests in the waiting room.
    pub waiting: u32,
    /// What their heads take, in bytes.
    pub waiting_bytes: usize,
    /// Ended requests by the status they were answered with; 499 if the client went away before
    /// there was an answer.
    pub codes: BTreeMap<u16, u64>,
    /// How long answered requests took from arrival to end, holding included.
    pub durations: DurationCounts,
    /// How long the requests that had to wait for a replica waited.
    pub cold_starts: DurationCounts,
    /// How often a request was sent to another replica after one had failed it.
    pub retries: u64,
    /// How often a replica was ejected.
    pub ejections: u64,
}

impl RevisionMeter {
    /// A meter for an ingress with this many workers.
    pub fn new(workers: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self {
            shards: (0..workers.get()).map(|_| Shard::new()).collect(),
            line: Line::default(),
        })
    }

    /// Adds the shards up. The sums of a shard are of one moment; the other numbers are each right,
    /// and may be of different moments.
    pub fn read(&self) -> MeterReading {
        let mut reading = MeterReading {
            waiting: self.waiting(),
            waiting_bytes: self.line.bytes(),
            ..MeterReading::default()
        };
        for shard in &self.shards {
            shard.add_to(&mut reading);
        }
        reading
    }

    /// Requests in the waiting room.
    pub fn waiting(&self) -> u32 {
        self.line.waiting()
    }

    /// The waiting room.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// Counts the start of a request on `worker`.
    pub(crate) fn start(&self, worker: usize, now: Timestamp) {
        self.shard(worker).sums.start(now);
    }

    /// Counts the end of a request on `worker` that is not answered from this revision after all.
    pub(crate) fn leave(&self, worker: usize, now: Timestamp) {
        self.shard(worker).sums.end(now);
    }

    /// Counts the end of a request on `worker`, what it was answered with and how long it took.
    pub(crate) fn end(&self, worker: usize, now: Timestamp, code: u16, took: Duration) {
        let shard = self.shard(worker);
        let index = usize::from(code.saturating_sub(FIRST_CODE)).min(CODES - 1);
        add(&shard.codes[index], 1);
        // How long a client was willing to wait says nothing of how long an answer takes.
        if code != CLIENT_CLOSED_REQUEST {
            shard.durations.record(took);
        }
        self.leave(worker, now);
    }

    /// Counts a request on `worker` that has got its replica after waiting for it.
    pub(crate) fn cold_start(&self, worker: usize, waited: Duration) {
        self.shard(worker).cold_starts.record(waited);
    }

    /// Counts a retry of a request on `worker`, if the budget has one.
    pub(crate) fn retry(&self, worker: usize, now: Timestamp) -> bool {
        let shard = self.shard(worker);
        shard.retries.spend(shard.sums.started(), now)
    }

    /// Counts the ejection of a replica by `worker`.
    pub(crate) fn ejected(&self, worker: usize) {
        add(&self.shard(worker).ejections, 1);
    }

    /// A meter made for fewer workers than there are has workers share a shard, and may miss some.
    fn shard(&self, worker: usize) -> &Shard {
        &self.shards[worker % self.shards.len()]
    }
}

impl fmt::Debug for RevisionMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reading = self.read();
        f.debug_struct("RevisionMeter")
            .field("sums", &reading.sums)
            .field("waiting", &reading.waiting)
            .field("codes", &reading.codes)
            .finish_non_exhaustive()
    }
}

impl Shard {
    fn new() -> Self {
        Self {
            sums: Sums::default(),
            codes: [const { AtomicU64::new(0) }; CODES],
            durations: Durations::new(),
            cold_starts: Durations::new(),
            retries: RetryBudget::default(),
            ejections: AtomicU64::new(0),
        }
    }

    fn add_to(&self, reading: &mut MeterReading) {
        self.sums.add_to(&mut reading.sums);
        for (code, counter) in (FIRST_CODE..).zip(&self.codes) {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                *reading.codes.entry(code).or_default() += count;
            }
        }
        self.durations.add_to(&mut reading.durations);
        self.cold_starts.add_to(&mut reading.cold_starts);
        reading.retries += self.retries.spent();
        reading.ejections += self.ejections.load(Ordering::Relaxed);
    }
}

impl Durations {
    fn new() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            sum_nanos: AtomicU64::new(0),
        }
    }

    fn record(&self, duration: Duration) {
        add(&self.counts[bucket_of(duration)], 1);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        add(&self.sum_nanos, nanos);
    }

    fn add_to(&self, total: &mut DurationCounts) {
        for (sum, counter) in total.counts.iter_mut().zip(&self.counts) {
            *sum += counter.load(Ordering::Relaxed);
        }
        let sum_nanos = self.sum_nanos.load(Ordering::Relaxed);
        total.sum_nanos = total.sum_nanos.saturating_add(sum_nanos);
    }
}

/// Adds to a counter that no other thread writes to.
fn add(counter: &AtomicU64, amount: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(sum, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_add_up() {
        let meter = RevisionMeter::new(NonZeroUsize::new(2).unwrap());
        let second = Timestamp::from_secs;
        meter.start(0, second(1));
        meter.start(1, second(2));
        meter.start(1, second(3));
        meter.end(0, second(4), 200, Duration::from_secs(3));
        meter.end(1, second(6), 503, Duration::from_secs(4));
        meter.cold_start(1, Duration::from_secs(2));
        let reading = meter.read();
        let sums = RequestSums {
            started: 3,
            ended: 2,
            started_nanos: second(6).as_nanos(),
            ended_nanos: second(10).as_nanos(),
        };
        assert_eq!((reading.sums, reading.sums.in_flight()), (sums, 1));
        assert_eq!(
            reading.codes.into_iter().collect::<Vec<_>>(),
            [(200, 1), (503, 1)]
        );
        assert_eq!(reading.durations.sum_nanos, second(7).as_nanos());
        assert_eq!(reading.cold_starts.total(), 1);
    }

    #[test]
    fn codes_outside_the_range_are_counted_at_its_ends() {
        let meter = RevisionMeter::new(NonZeroUsize::MIN);
        meter.end(0, Timestamp::ORIGIN, 0, Duration::ZERO);
        meter.end(7, Timestamp::ORIGIN, u16::MAX, Duration::ZERO);
        let codes = meter.read().codes.into_keys().collect::<Vec<_>>();
        assert_eq!(codes, [100, 999]);
    }
}
