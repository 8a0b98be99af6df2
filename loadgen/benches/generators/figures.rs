//! What generators say of times.

use serde_json::Value;

/// Quantiles, and what they are called.
pub(crate) const QUANTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("max", 1.0),
];

/// The times at these quantiles, in milliseconds. Not a number where a generator does not tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times(pub(crate) [f64; QUANTILES.len()]);

impl Times {
    /// Of sorted times, in seconds.
    pub(crate) fn of(sorted: &[f64]) -> Self {
        Self(QUANTILES.map(|(_, quantile)| {
            let count = (quantile * sorted.len() as f64).ceil() as usize;
            let time = sorted.get(count.max(1) - 1).copied();
            time.unwrap_or(f64::NAN) * 1e3
        }))
    }

    /// Of a distribution in a report of loadgen's, which is at this place.
    pub(crate) fn in_report(report: &Value, place: &str) -> Self {
        let names = ["p50Ms", "p90Ms", "p99Ms", "p999Ms", "maxMs"];
        Self(names.map(|name| number(report, &format!("{place}/{name}"))))
    }
}

/// A number at a place in what a generator printed; not a number if there is none.
pub(crate) fn number(said: &Value, place: &str) -> f64 {
    let value = said.pointer(place).and_then(Value::as_f64);
    value.unwrap_or(f64::NAN)
}
