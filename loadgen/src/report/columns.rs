//! Seconds put together, so that a long run fits a narrow picture.

use super::histogram::{add, as_float, as_millis, decode, empty};
use super::model::{Report, ScaleSecond, Second};

/// Some seconds that follow each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// Its start, in seconds of the run.
    pub(crate) from: usize,
    /// Requests in a second, on average; none after the last request's end.
    pub(crate) rates: Option<Rates>,
    /// Answers that waited for a replica.
    pub(crate) cold_starts: u64,
    /// Of all that ended in it.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// What the autoscaler had at its end; the most of what waited and lay in queues.
    pub(crate) scale: Option<ScaleSecond>,
}

/// Requests in a second, on average.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) offered: f64,
    pub(crate) sent: f64,
    pub(crate) succeeded: f64,
    pub(crate) failed: f64,
    /// The most that were begun and not answered at the end of a second.
    pub(crate) outstanding: f64,
}

/// The time line of a report.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// Seconds of each column; the last may have fewer.
    pub(crate) width: usize,
    /// Seconds of all.
    pub(crate) seconds: usize,
    pub(crate) parts: Vec<Column>,
}

impl Columns {
    /// At most `most` of them, of round widths.
    pub(crate) fn of(report: &Report, most: usize) -> Self {
        let scale: &[ScaleSecond] = report
            .autoscaler
            .as_ref()
            .map_or(&[], |scaler| &scaler.seconds);
        let seconds = report.seconds.len().max(scale.len());
        let width = round_width(seconds.div_ceil(most.max(1)));
        let columns = (0..seconds).step_by(width).map(|from| {
            let part = from..from + width;
            column(from, slice(&report.seconds, &part), slice(scale, &part))
        });
        Self {
            width,
            seconds,
            parts: columns.collect(),
        }
    }
}

impl Columns {
    /// Other seconds, put together in the same way.
    pub(crate) fn scale(&self, seconds: &[ScaleSecond]) -> Vec<Option<ScaleSecond>> {
        let parts = self
            .parts
            .iter()
            .map(|part| part.from..part.from + self.width);
        parts.map(|part| scale_of(slice(seconds, &part))).collect()
    }
}

fn slice<'a, T>(all: &'a [T], part: &std::ops::Range<usize>) -> &'a [T] {
    &all[part.start.min(all.len())..part.end.min(all.len())]
}

/// The next width that a person would choose.
fn round_width(least: usize) -> usize {
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]
        .into_iter()
        .find(|width| *width >= least)
        .unwrap_or(least)
}

fn column(from: usize, seconds: &[Second], scale: &[ScaleSecond]) -> Column {
    let (p50_ms, p99_ms) = percentiles(seconds);
    Column {
        from,
        rates: rates(seconds),
        cold_starts: seconds.iter().map(|second| second.cold_starts).sum(),
        p50_ms,
        p99_ms,
        scale: scale_of(scale),
    }
}

/// At the end of some seconds; the most of what waited and lay in queues.
fn scale_of(seconds: &[ScaleSecond]) -> Option<ScaleSecond> {
    let last = seconds.last()?;
    Some(ScaleSecond {
        replicas: last.replicas,
        waiting: seconds.iter().filter_map(|second| second.waiting).max(),
        queued: seconds
            .iter()
            .filter_map(|second| second.queued)
            .reduce(f64::max),
    })
}

fn rates(seconds: &[Second]) -> Option<Rates> {
    let length = as_float(seconds.len() as u64);
    let mean = |of: fn(&Second) -> u64| as_float(seconds.iter().map(of).sum()) / length;
    (!seconds.is_empty()).then(|| Rates {
        offered: mean(|second| second.offered),
        sent: mean(|second| second.sent),
        succeeded: mean(|second| second.succeeded),
        failed: mean(|second| second.failed),
        outstanding: as_float(
            seconds
                .iter()
                .map(|second| second.outstanding)
                .max()
                .unwrap_or(0),
        ),
    })
}

/// Of several seconds those of their histograms added up; where one cannot be read, the largest.
fn percentiles(seconds: &[Second]) -> (Option<f64>, Option<f64>) {
    if let [second] = seconds {
        return (second.p50_ms, second.p99_ms);
    }
    let texts = seconds
        .iter()
        .filter_map(|second| second.histogram.as_deref());
    let parts: Result<Vec<_>, _> = texts.map(decode).collect();
    let (Ok(parts), Ok(mut all)) = (parts, empty()) else {
        let largest =
            |of: fn(&Second) -> Option<f64>| seconds.iter().filter_map(of).reduce(f64::max);
        return (
            largest(|second| second.p50_ms),
            largest(|second| second.p99_ms),
        );
    };
    for part in &parts {
        add(&mut all, part);
    }
    let at = |quantile| (!all.is_empty()).then(|| as_millis(all.value_at_quantile(quantile)));
    (at(0.5), at(0.99))
}
