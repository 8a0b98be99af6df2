//! A histogram for metrics alone, in a twentieth of the space of one that quantiles are read from.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ebbtide_core::histogram::{DurationCounts, bucket_of};

use super::add;

/// Powers of two of microseconds; the last one, some nine minutes, also counts what is longer.
const POWERS: usize = 30;

/// Durations by powers of two, that one thread writes and others read.
pub(super) struct Powers {
    counts: [AtomicU64; POWERS],
    sum_nanos: AtomicU64,
}

impl Powers {
    pub(super) fn new() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; POWERS],
            sum_nanos: AtomicU64::new(0),
        }
    }

    pub(super) fn record(&self, duration: Duration) {
        let micros = duration.as_micros().max(1);
        let power = micros.ilog2() as usize;
        add(&self.counts[power.min(POWERS - 1)], 1);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        add(&self.sum_nanos, nanos);
    }

    /// Each counts as the longest of its power.
    pub(super) fn add_to(&self, total: &mut DurationCounts) {
        for (power, counter) in self.counts.iter().enumerate() {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                let longest = Duration::from_micros((2 << power) - 1);
                total.add(bucket_of(longest), count);
            }
        }
        let sum_nanos = self.sum_nanos.load(Ordering::Relaxed);
        total.sum_nanos = total.sum_nanos.saturating_add(sum_nanos);
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::histogram::upper_bound;

    use super::*;

    #[test]
    fn durations_are_between_the_powers_of_two_that_they_are_between() {
        for micros in (0..5000).chain([65_535, 65_536, 1_000_000, 1 << 29, 1 << 40]) {
            let powers = Powers::new();
            powers.record(Duration::from_micros(micros));
            let mut counts = DurationCounts::default();
            powers.add_to(&mut counts);
            assert_eq!((counts.total(), counts.sum_nanos), (1, micros * 1000));
            let bucket = counts.counts.iter().position(|count| *count == 1);
            let power = micros.max(1).ilog2().min(29);
            let bound = Duration::from_micros(2 << power);
            assert_eq!(upper_bound(bucket.unwrap()), bound, "{micros}");
        }
    }
}
