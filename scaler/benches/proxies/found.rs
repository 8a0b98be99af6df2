//! What a load found.

use serde_json::{Value, json};

/// What a load found. Times are in microseconds.
pub(crate) struct Found {
    /// Requests, or messages, that were answered as they should.
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Found {
    /// From the time that each took, in any order.
    pub(crate) fn of(mut times: Vec<f64>, seconds: f64) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            requests: times.len() as f64,
            seconds,
            p50: at(&times, 500),
            p99: at(&times, 990),
            p999: at(&times, 999),
        }
    }

    /// From what a load has said, which its own process prints.
    pub(crate) fn read(said: &Value) -> Self {
        let number = |name: &str| said[name].as_f64().unwrap_or(f64::NAN);
        Self {
            requests: number("requests"),
            seconds: number("seconds"),
            p50: number("p50"),
            p99: number("p99"),
            p999: number("p999"),
        }
    }

    /// What another process can read.
    pub(crate) fn said(&self) -> Value {
        json!({
            "requests": self.requests,
            "seconds": self.seconds,
            "p50": self.p50,
            "p99": self.p99,
            "p999": self.p999,
        })
    }
}

/// The value that so many of a thousand are not above, of sorted ones.
pub(crate) fn at(sorted: &[f64], thousandths: usize) -> f64 {
    let place = sorted.len() * thousandths / 1000;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
