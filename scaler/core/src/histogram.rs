//! Durations counted in buckets whose width grows with the duration, so that a quantile read from
//! them is within one thirty-second of the truth at any scale.
//!
//! Log-linear buckets, as in `HdrHistogram`: each power of two of microseconds is cut into
//! 32 equal parts. The layout is fixed, so that shards add up bucket by bucket.

use std::time::Duration;

/// Each power of two is cut into two to the power of this many parts.
const STEP_BITS: usize = 5;

/// Equal parts of each power of two.
const STEPS: usize = 1 << STEP_BITS;

/// The last power of two with buckets of its own: 2^29 µs, some nine minutes.
const POWERS: usize = 30;

/// How many buckets there are. The last one also counts what is longer.
pub const BUCKETS: usize = STEPS * (POWERS - STEP_BITS + 1);

/// The bucket that counts `duration`.
pub fn bucket_of(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros < STEPS as u64 {
        return usize::try_from(micros).unwrap_or(0);
    }
    let power = micros.ilog2() as usize;
    let step = usize::try_from(micros >> (power - STEP_BITS)).unwrap_or(0) - STEPS;
    (STEPS * (power - STEP_BITS + 1) + step).min(BUCKETS - 1)
}

/// The end of a bucket: everything in it is shorter than this.
pub fn upper_bound(bucket: usize) -> Duration {
    if bucket < STEPS {
        return Duration::from_micros(bucket as u64 + 1);
    }
    let power = bucket / STEPS + STEP_BITS - 1;
    let step = (bucket % STEPS + STEPS + 1) as u64;
    Duration::from_micros(step << (power - STEP_BITS))
}

/// How many durations fell into each bucket, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurationCounts {
    /// One count for each bucket; none while nothing was counted, as of most of thousands of
    /// revisions.
    pub counts: Vec<u64>,
    /// The sum of all durations, in nanoseconds.
    pub sum_nanos: u64,
}

impl DurationCounts {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        self.add(bucket_of(duration), 1);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos = self.sum_nanos.saturating_add(nanos);
    }

    /// Counts durations whose bucket is known already, without their sum.
    pub fn add(&mut self, bucket: usize, count: u64) {
        self.counts.resize(BUCKETS, 0);
        if let Some(sum) = self.counts.get_mut(bucket) {
            *sum += count;
        }
    }

    /// How many durations were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What was counted since `earlier`, a reading of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bucket| earlier.counts.get(bucket).copied().unwrap_or(0);
        let counts = self.counts.iter().enumerate();
        Self {
            counts: counts
                .map(|(bucket, now)| now.saturating_sub(before(bucket)))
                .collect(),
            sum_nanos: self.sum_nanos.saturating_sub(earlier.sum_nanos),
        }
    }

    /// The duration that the share `quantile` (0 to 1) of all stay below; none if nothing was
    /// counted. It is the end of a bucket, so never too short and at most one thirty-second too long.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a rank: clamped to 1..=total, and counts stay far below 2^53"
        )]
        let rank = ((quantile * total as f64).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map(upper_bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_below_its_buckets_end_and_not_below_the_one_before() {
        for micros in (0..100_000).chain([1_000_000, 59_999_999, 536_870_911]) {
            let duration = Duration::from_micros(micros);
            let bucket = bucket_of(duration);
            assert!(duration < upper_bound(bucket), "{micros}");
            assert!(
                bucket == 0 || duration >= upper_bound(bucket - 1),
                "{micros}"
            );
        }
    }

    #[test]
    fn quantiles_are_within_a_thirty_second() {
        let mut counts = DurationCounts::default();
        (1..=1000).for_each(|ms| counts.record(Duration::from_millis(ms)));
        for (quantile, truth) in [(0.5, 0.5), (0.99, 0.99), (1.0, 1.0)] {
            let read = counts.quantile(quantile).unwrap().as_secs_f64();
            assert!(read >= truth && read <= truth * 1.032, "{quantile}: {read}");
        }
        assert_eq!(counts.since(&counts).quantile(0.5), None);
        assert_eq!(counts.since(&DurationCounts::default()), counts);
        assert_eq!(DurationCounts::default().since(&counts).total(), 0);
    }

    #[test]
    fn what_is_too_long_is_counted_last() {
        assert_eq!(bucket_of(Duration::from_secs(86_400)), BUCKETS - 1);
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }
}
