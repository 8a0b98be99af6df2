//! The counters of a revision: a shard for each worker, so that counting costs no shared cache line.

mod budget;
mod durations;
mod mirrored;
mod powers;
mod sums;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ebbtide_core::histogram::DurationCounts;
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestSums;

use crate::line::Line;
use budget::RetryBudget;
use durations::Durations;
use mirrored::MirroredCounts;
use powers::Powers;
use sums::Sums;

pub(crate) use mirrored::Mirrored;

/// Status codes are three digits from 100.
const FIRST_CODE: u16 = 100;
const CODES: usize = 900;

/// The code a request is counted with when its client went away before there was an answer, as
/// nginx has it.
pub(crate) const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The counters of one revision. Whoever makes the table keeps it from one table to the next.
pub struct RevisionMeter {
    /// Each made when its worker counts for the first time: of thousands of revisions few are asked.
    shards: Box<[OnceLock<Box<Shard>>]>,
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
    first_bytes: Powers,
    cold_starts: Powers,
    received: AtomicU64,
    sent: AtomicU64,
    retries: RetryBudget,
    ejections: AtomicU64,
    mirrored: MirroredCounts,
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
    /// How long requests took from arrival to the head of a replica's answer, holding included, to the
    /// power of two.
    pub first_bytes: DurationCounts,
    /// How long the requests that had to wait for a replica waited, to the power of two.
    pub cold_starts: DurationCounts,
    /// Bytes of requests' bodies, and of what came through tunnels from clients.
    pub received_bytes: u64,
    /// Bytes of the bodies of replicas' answers, and of what went through tunnels to clients.
    pub sent_bytes: u64,
    /// How often a request was sent to another replica after one had failed it.
    pub retries: u64,
    /// How often a replica was ejected.
    pub ejections: u64,
    /// What became of the copies of requests that its app mirrors, in a word each.
    pub mirrored: BTreeMap<&'static str, u64>,
}

impl RevisionMeter {
    /// A meter for an ingress with this many workers.
    pub fn new(workers: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self {
            shards: (0..workers.get()).map(|_| OnceLock::new()).collect(),
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
        for shard in self.written() {
            shard.add_to(&mut reading);
        }
        reading
    }

    /// The sums alone, which are there for much less than the rest.
    pub fn sums(&self) -> RequestSums {
        let mut sums = RequestSums::default();
        self.written()
            .for_each(|shard| shard.sums.add_to(&mut sums));
        sums
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

    /// Counts that the head of a replica's answer has come to `worker`.
    pub(crate) fn first_byte(&self, worker: usize, took: Duration) {
        self.shard(worker).first_bytes.record(took);
    }

    /// Counts bytes of a client that have come to `worker`.
    pub(crate) fn received(&self, worker: usize, bytes: usize) {
        add(&self.shard(worker).received, bytes as u64);
    }

    /// Counts bytes of a replica that `worker` passes on.
    pub(crate) fn sent(&self, worker: usize, bytes: usize) {
        add(&self.shard(worker).sent, bytes as u64);
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
        self.shards[worker % self.shards.len()].get_or_init(Shard::new)
    }

    fn written(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter_map(|shard| Some(&**shard.get()?))
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
    fn new() -> Box<Self> {
        Box::new(Self {
            sums: Sums::default(),
            codes: [const { AtomicU64::new(0) }; CODES],
            durations: Durations::new(),
            first_bytes: Powers::new(),
            cold_starts: Powers::new(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            retries: RetryBudget::default(),
            ejections: AtomicU64::new(0),
            mirrored: MirroredCounts::new(),
        })
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
        self.first_bytes.add_to(&mut reading.first_bytes);
        self.cold_starts.add_to(&mut reading.cold_starts);
        reading.received_bytes += self.received.load(Ordering::Relaxed);
        reading.sent_bytes += self.sent.load(Ordering::Relaxed);
        reading.retries += self.retries.spent();
        reading.ejections += self.ejections.load(Ordering::Relaxed);
        self.mirrored.add_to(&mut reading.mirrored);
    }
}

/// Adds to a counter that no other thread writes to.
fn add(counter: &AtomicU64, amount: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(sum, Ordering::Release);
}
