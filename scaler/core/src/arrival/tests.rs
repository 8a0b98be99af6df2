//! Whole processes, from what people write to the times.

mod compose;
mod errors;
mod frozen;
mod guide;
mod recordings;
#[cfg(feature = "schema")]
mod schema;
mod statistics;

use std::time::Duration;

use super::{Process, ScheduleSpec};

/// The process that a YAML document describes, with no file to read.
fn process(text: &str) -> Process {
    with_file(text, "")
}

/// The same, where every file that is named has this content.
fn with_file(text: &str, content: &str) -> Process {
    let spec: ScheduleSpec = text.parse().unwrap_or_else(|error| panic!("{error}"));
    let process = spec.process(|_| Ok(content.to_owned()));
    process.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn times(process: &Process, seed: u64) -> Vec<Duration> {
    process.schedule(seed).collect()
}

/// How many times are in each bin of this length, of those that are whole before the end.
fn counts(process: &Process, seed: u64, bin: Duration) -> Vec<f64> {
    let bins = process.duration().as_nanos() / bin.as_nanos();
    let mut counts = vec![0.0; usize::try_from(bins).unwrap()];
    for time in process.schedule(seed) {
        let index = usize::try_from(time.as_nanos() / bin.as_nanos()).unwrap();
        if let Some(count) = counts.get_mut(index) {
            *count += 1.0;
        }
    }
    counts
}

/// A schedule can be given to a thread of its own.
#[test]
fn schedules_can_be_sent() {
    fn sent<T: Iterator<Item = Duration> + Send + 'static>(_: &T) {}
    let process = process("sum: [{poisson: {rate: 1, duration: 1s}}]");
    sent(&process.schedule(0));
}

#[expect(clippy::cast_precision_loss, reason = "tests have few numbers")]
fn float(count: usize) -> f64 {
    count as f64
}
