//! What is in a schedule, counted as its times pass.

use std::time::Duration;

use ebbtide_core::arrival::ScheduleSpec;
use serde::Serialize;

/// Rows of the rate over time.
const ROWS: usize = 24;

/// Bins that the counts of requests are of, the first that there are enough of.
const BINS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_millis(100),
    Duration::from_millis(10),
    Duration::from_millis(1),
];
const ENOUGH_BINS: u128 = 10;

/// What is in a schedule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) spec: ScheduleSpec,
    pub(super) seed: u64,
    pub(super) requests: u64,
    pub(super) expected_requests: f64,
    pub(super) duration_seconds: f64,
    /// Requests per second.
    pub(super) mean_rate: f64,
    /// None if the schedule is too short to count in bins.
    pub(super) bins: Option<Bins>,
    pub(super) rate_over_time: Vec<Row>,
}

/// The number of requests in bins of one length.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bins {
    pub(super) bin_seconds: f64,
    /// The highest number in a bin, per second.
    pub(super) peak_rate: f64,
    pub(super) peak_at_seconds: f64,
    /// The variance over the mean of the numbers; none if there are no requests.
    pub(super) index_of_dispersion: Option<f64>,
}

/// The rate in a stretch of the schedule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) from_seconds: f64,
    /// Requests per second.
    pub(super) rate: f64,
}

/// The counts so far. They do not grow with the schedule.
pub(super) struct Counting {
    duration: Duration,
    requests: u64,
    rows: [u64; ROWS],
    bin: Duration,
    /// How many bins are whole.
    bins: u128,
    /// The bin that is being counted, and its requests.
    current: (u128, u64),
    /// The first of the bins with the most requests, and those.
    peak: (u128, u64),
    sum: u128,
    squares: u128,
}

impl Counting {
    pub(super) fn new(duration: Duration) -> Self {
        let bins = |bin: Duration| duration.as_nanos() / bin.as_nanos();
        let enough = BINS.into_iter().find(|bin| bins(*bin) >= ENOUGH_BINS);
        let bin = enough.unwrap_or(BINS[BINS.len() - 1]);
        Self {
            duration,
            requests: 0,
            rows: [0; ROWS],
            bin,
            bins: bins(bin),
            current: (0, 0),
            peak: (0, 0),
            sum: 0,
            squares: 0,
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Counts a request, which is not before the last and is before the end.
    pub(super) fn add(&mut self, offset: Duration) {
        self.requests += 1;
        let row = offset.as_nanos() * ROWS as u128 / self.duration.as_nanos().max(1);
        if let Some(count) = usize::try_from(row)
            .ok()
            .and_then(|row| self.rows.get_mut(row))
        {
            *count += 1;
        }
        let bin = offset.as_nanos() / self.bin.as_nanos();
        if bin != self.current.0 {
            self.close();
            self.current = (bin, 0);
        }
        self.current.1 += 1;
    }

    /// Adds up the bin that was being counted, if it is whole.
    fn close(&mut self) {
        let (bin, count) = self.current;
        if bin >= self.bins {
            return;
        }
        self.sum += u128::from(count);
        self.squares += u128::from(count) * u128::from(count);
        if count > self.peak.1 {
            self.peak = self.current;
        }
    }

    pub(super) fn summary(
        mut self,
        spec: ScheduleSpec,
        seed: u64,
        expected_requests: f64,
    ) -> Summary {
        self.close();
        let seconds = self.duration.as_secs_f64();
        let rows = self.rows.iter().zip(0_u32..);
        let row_seconds = seconds / float(ROWS as u128);
        Summary {
            spec,
            seed,
            requests: self.requests,
            expected_requests,
            duration_seconds: seconds,
            mean_rate: float(self.requests.into()) / seconds,
            bins: (self.bins >= ENOUGH_BINS).then(|| self.bins()),
            rate_over_time: rows
                .map(|(count, row)| Row {
                    from_seconds: f64::from(row) * row_seconds,
                    rate: float((*count).into()) / row_seconds,
                })
                .collect(),
        }
    }

    fn bins(&self) -> Bins {
        let bin_seconds = self.bin.as_secs_f64();
        let (at, count) = self.peak;
        Bins {
            bin_seconds,
            peak_rate: float(count.into()) / bin_seconds,
            peak_at_seconds: float(at) * bin_seconds,
            index_of_dispersion: self.dispersion(),
        }
    }

    /// The variance is the unbiased one. Its sums are whole numbers, so nothing cancels.
    fn dispersion(&self) -> Option<f64> {
        let squared = self.sum.checked_mul(self.sum)?;
        let above = (self.bins.checked_mul(self.squares)?).checked_sub(squared)?;
        let below = self.sum.checked_mul(self.bins.checked_sub(1)?)?;
        (below > 0).then(|| float(above) / float(below))
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
fn float(number: u128) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(duration: Duration, millis: &[u64]) -> Summary {
        let mut counting = Counting::new(duration);
        for millis in millis {
            counting.add(Duration::from_millis(*millis));
        }
        let spec = "poisson: {rate: 1, duration: 1s}".parse().unwrap();
        counting.summary(spec, 7, 3.5)
    }

    #[test]
    fn requests_are_counted_in_bins_that_are_whole() {
        let seconds = Duration::from_millis(12_500);
        let summary = summary(seconds, &[0, 999, 1000, 5000, 5001, 5999, 12_100, 12_200]);
        assert_eq!(summary.requests, 8);
        assert!((summary.mean_rate - 0.64).abs() < 1e-12);
        let bins = summary.bins.unwrap();
        assert_eq!((bins.bin_seconds, bins.peak_rate), (1.0, 3.0));
        assert!((bins.peak_at_seconds - 5.0).abs() < 1e-12);
        // 2, 1, 0, 0, 0, 3 and six of 0: the sum is 6, the squares are 14.
        let expected = (14.0 - 36.0 / 12.0) / 11.0 / 0.5;
        assert!((bins.index_of_dispersion.unwrap() - expected).abs() < 1e-12);
        let counted: f64 = summary.rate_over_time.iter().map(|row| row.rate).sum();
        assert!((counted * 12.5 / 24.0 - 8.0).abs() < 1e-9);
    }

    #[test]
    fn bins_fit_the_duration() {
        for (millis, bin) in [
            (10_000, Some(1.0)),
            (9999, Some(0.1)),
            (999, Some(0.01)),
            (10, Some(0.001)),
            (9, None),
        ] {
            let summary = summary(Duration::from_millis(millis), &[1, 2]);
            assert_eq!(summary.bins.map(|bins| bins.bin_seconds), bin, "{millis}");
        }
        let bins = summary(Duration::from_secs(60), &[]).bins.unwrap();
        assert_eq!(bins.index_of_dispersion, None);
    }
}
