//! One source: what is read again and again for every rule that names it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::scale::Work;
use ebbtide_core::time::Timestamp;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::amount::{Amount, Flow};
use crate::parameters::Parameters;
use crate::readers::{self, Context, Reader};
use ebbtide_brokers::error::ReadError;

/// A read that takes longer has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// The longest time from a failed read to the next, unless the interval is longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// The shortest time from one read to the next, however much a server has to say.
const SHORTEST_GAP: Duration = Duration::from_millis(100);
/// The part of an interval by which it is shorter or longer, so that sources that began together
/// are not read together for ever.
const JITTER: f64 = 0.05;

/// What is known of a source.
#[derive(Clone, Debug, Default)]
pub struct SourceState {
    /// The newest number that was read.
    pub sample: Option<Sample>,
    /// Why the last read failed; none if it did not.
    pub error: Option<ReadError>,
    /// How many reads there were.
    pub reads: u64,
    /// How many of them failed.
    pub failures: u64,
    /// How many failed since the last that did not.
    pub failures_in_a_row: u32,
}

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The number.
    pub value: f64,
    /// What else is known of the work that it counts.
    pub work: Work,
    /// When it was asked for.
    pub at: Timestamp,
    /// How long the answer took.
    pub took: Duration,
    /// How much later than it was due it was asked for.
    pub late: Duration,
}

/// Reads a source until it is cancelled.
pub(crate) struct Poll {
    pub(crate) parameters: Parameters,
    pub(crate) context: Context,
    pub(crate) interval: watch::Receiver<Duration>,
    pub(crate) state: watch::Sender<SourceState>,
    /// Counts what is new in any source.
    pub(crate) news: Arc<watch::Sender<u64>>,
    /// What was read last, its totals as they were.
    pub(crate) before: Option<(Timestamp, Amount)>,
    /// Makes its jitter another one's than that of other sources.
    pub(crate) seed: u64,
}

impl Poll {
    /// Reads, waits, and reads again.
    pub(crate) async fn run(mut self) {
        let mut reader = None;
        let mut due = self.context.clock.now();
        loop {
            let began = self.context.clock.now();
            let late = began.since(due);
            let read = timeout(DEADLINE, self.read(&mut reader)).await;
            let read = read.unwrap_or_else(|_| Err(too_late()));
            if read.is_err() {
                reader = None;
            }
            self.publish(began, late, read);
            due = self.pause(began, &mut reader).await;
        }
    }

    async fn read(&self, reader: &mut Option<Box<dyn Reader>>) -> Result<Amount, ReadError> {
        let reader = match reader {
            Some(reader) => reader,
            None => reader.insert(readers::open(&self.parameters, &self.context)?),
        };
        read(&mut **reader).await
    }

    fn publish(&mut self, began: Timestamp, late: Duration, read: Result<Amount, ReadError>) {
        let took = self.context.clock.now().since(began);
        let read = read.map(|amount| {
            let before = self.before.replace((began, amount));
            (amount.value, work(&amount, began, before))
        });
        self.state.send_modify(|state| {
            state.reads += 1;
            match read {
                Ok((value, work)) => {
                    let sample = Sample {
                        value,
                        work,
                        at: began,
                        took,
                        late,
                    };
                    state.sample = Some(sample);
                    state.error = None;
                    state.failures_in_a_row = 0;
                }
                Err(error) => {
                    state.error = Some(error);
                    state.failures += 1;
                    state.failures_in_a_row += 1;
                }
            }
        });
        self.news.send_modify(|count| *count += 1);
    }

    /// Waits for the next read, which is due when the interval is over since the last began: later
    /// after failures, at once if the reader hears of something or the interval changes. Returns when
    /// it was due.
    async fn pause(&mut self, began: Timestamp, reader: &mut Option<Box<dyn Reader>>) -> Timestamp {
        let (failures, reads) = {
            let state = self.state.borrow();
            (state.failures_in_a_row, state.reads)
        };
        let interval = *self.interval.borrow_and_update();
        let pause = jittered(backoff(interval, failures), self.seed, reads);
        let due = began + pause;
        let now = self.context.clock.now();
        let hears = async {
            match reader {
                Some(reader) => reader.hears().await,
                None => std::future::pending().await,
            }
            sleep((began + SHORTEST_GAP).since(self.context.clock.now())).await;
        };
        tokio::select! {
            () = sleep(due.since(now)) => due,
            () = hears => self.context.clock.now(),
            Ok(()) = self.interval.changed() => self.context.clock.now(),
        }
    }
}

/// What a reader reads, if it is an amount.
pub(crate) async fn read(reader: &mut dyn Reader) -> Result<Amount, ReadError> {
    let amount = reader.read().await?;
    if amount.value.is_finite() && amount.value >= 0.0 {
        Ok(amount)
    } else {
        let value = amount.value;
        Err(ReadError::new(format!(
            "{value} was read, which is not an amount"
        )))
    }
}

/// That a read took longer than it may.
pub(crate) fn too_late() -> ReadError {
    let seconds = DEADLINE.as_secs();
    ReadError::new(format!("no answer within {seconds} s"))
}

/// What is known of the work. Totals are the rates that follow of their difference to those before;
/// unknown if there are none, or they ran backwards as the server began anew.
fn work(amount: &Amount, now: Timestamp, before: Option<(Timestamp, Amount)>) -> Work {
    let rate = |flow: Option<Flow>, flow_before: fn(&Amount) -> Option<Flow>| match flow? {
        Flow::PerSecond(rate) => Some(rate),
        Flow::Total(total) => {
            let (at, before) = before.as_ref()?;
            let Some(Flow::Total(earlier)) = flow_before(before) else {
                return None;
            };
            let seconds = now.since(*at).as_secs_f64();
            let passed = total - earlier;
            (passed >= 0.0 && seconds > 0.0).then(|| passed / seconds)
        }
    };
    Work {
        activity: amount.activity,
        in_process: amount.in_process,
        arrivals: rate(amount.arrivals, |before| before.arrivals),
        completions: rate(amount.completions, |before| before.completions),
    }
}

/// The interval, doubled with each failure in a row but the first.
fn backoff(interval: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let longest = LONGEST_BACKOFF.max(interval);
    interval.saturating_mul(1 << doublings).min(longest)
}

/// An interval a little longer or shorter, in a sequence that is the source's own (`SplitMix64`).
fn jittered(interval: Duration, seed: u64, read: u64) -> Duration {
    let mut mixed = seed.wrapping_add(read.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let part = f64::from(u32::try_from(mixed >> 32).unwrap_or_default()) / f64::from(u32::MAX);
    interval.mul_f64(1.0 + JITTER * (2.0 * part - 1.0))
}
