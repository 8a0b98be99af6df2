//! A histogram that one worker writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ebbtide_core::histogram::{BUCKETS, DurationCounts, bucket_of};

use super::add;

/// [`DurationCounts`] that one thread writes and others read.
pub(super) struct Durations {
    counts: [AtomicU64; BUCKETS],
    sum_nanos: AtomicU64,
}

impl Durations {
    pub(super) fn new() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            sum_nanos: AtomicU64::new(0),
        }
    }

    pub(super) fn record(&self, duration: Duration) {
        add(&self.counts[bucket_of(duration)], 1);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        add(&self.sum_nanos, nanos);
    }

    pub(super) fn add_to(&self, total: &mut DurationCounts) {
        for (bucket, counter) in self.counts.iter().enumerate() {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                total.add(bucket, count);
            }
        }
        let sum_nanos = self.sum_nanos.load(Ordering::Relaxed);
        total.sum_nanos = total.sum_nanos.saturating_add(sum_nanos);
    }
}
