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

    /// Of a report of loadgen's: of `responseTime`, or of how late it was.
    pub(crate) fn of_loadgen(distribution: &Value) -> Self {
        let names = ["p50Ms", "p90Ms", "p99Ms", "p999Ms", "maxMs"];
        Self(names.map(|name| {
            let short = name.trim_end_matches("Ms");
            let value = distribution.get(name).or_else(|| distribution.get(short));
            value.and_then(Value::as_f64).unwrap_or(f64::NAN)
        }))
    }
}

/// Something in a report of loadgen's, where the first of these is.
pub(crate) fn find<'a>(report: &'a Value, places: &[&str]) -> &'a Value {
    let found = places.iter().find_map(|place| report.pointer(place));
    found.unwrap_or(&Value::Null)
}
