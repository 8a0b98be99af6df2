//! Histograms as text and back, and the percentiles that are read off them.

use std::io::Cursor;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use hdrhistogram::{CreationError, Histogram};

use super::make::rounded;
use super::model::Distribution;
use crate::record::recording::{SecondTimes, Times};

/// The longest time that is told apart, in microseconds: a day.
pub(crate) const LONGEST: u64 = 86_400_000_000;

/// Why a histogram could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistogramError {
    /// Its counts are beyond what the encoding holds.
    #[error("a histogram cannot be written: {0}")]
    Write(String),
    /// The text is not what this program writes.
    #[error(
        "a histogram cannot be read: {0}; it should be HdrHistogram's V2 encoding with DEFLATE, in base64"
    )]
    Read(String),
    /// The bounds cannot be had.
    #[error("a histogram cannot be made: {0}")]
    Create(#[from] CreationError),
}

/// An empty histogram of microseconds.
pub(crate) fn empty() -> Result<Times, HistogramError> {
    Ok(Histogram::new_with_bounds(1, LONGEST, 3)?)
}

/// The text of a histogram.
pub(crate) fn encode(times: &Times) -> Result<String, HistogramError> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(times, &mut bytes)
        .map_err(|error| HistogramError::Write(error.to_string()))?;
    Ok(BASE64_STANDARD.encode(bytes))
}

/// The histogram of a text.
pub(crate) fn decode(text: &str) -> Result<Times, HistogramError> {
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|error| HistogramError::Read(error.to_string()))?;
    Deserializer::new()
        .deserialize(&mut Cursor::new(bytes))
        .map_err(|error| HistogramError::Read(error.to_string()))
}

/// Adds one to another; beyond its bounds counts as its bound.
pub(crate) fn add(to: &mut Times, from: &Times) {
    if to.add(from).is_err() {
        for step in from.iter_recorded() {
            to.saturating_record_n(step.value_iterated_to(), step.count_since_last_iteration());
        }
    }
}

/// The histogram of a second, with two significant digits.
pub(crate) fn of_second(second: &SecondTimes) -> Result<Times, HistogramError> {
    let mut times = Histogram::new_with_bounds(1, LONGEST, 2)?;
    for (micros, count) in &second.buckets {
        times.saturating_record_n(*micros, *count);
    }
    Ok(times)
}

impl Distribution {
    /// What is read off a histogram of microseconds; all 0 if it is empty.
    pub(crate) fn of(times: &Times) -> Result<Self, HistogramError> {
        let at = |quantile| as_millis(times.value_at_quantile(quantile));
        Ok(Self {
            count: times.len(),
            mean_ms: rounded(times.mean() / 1000.0),
            std_dev_ms: rounded(times.stdev() / 1000.0),
            min_ms: as_millis(times.min()),
            p50_ms: at(0.5),
            p75_ms: at(0.75),
            p90_ms: at(0.9),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            p9999_ms: at(0.9999),
            max_ms: as_millis(times.max()),
            histogram: encode(times)?,
        })
    }

    /// The same, or none if it is empty.
    pub(crate) fn unless_empty(times: &Times) -> Result<Option<Self>, HistogramError> {
        (!times.is_empty()).then(|| Self::of(times)).transpose()
    }

    /// The histogram that it was read off.
    pub(crate) fn times(&self) -> Result<Times, HistogramError> {
        decode(&self.histogram)
    }
}

/// Microseconds as milliseconds.
pub(crate) fn as_millis(micros: u64) -> f64 {
    as_float(micros) / 1000.0
}

/// A count as a number to divide by.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and times far below 2^53"
)]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(values: impl IntoIterator<Item = u64>) -> Times {
        let mut times = empty().unwrap();
        for value in values {
            times.record(value).unwrap();
        }
        times
    }

    #[test]
    fn a_histogram_survives_its_text() {
        for times in [filled([]), filled([1]), filled((1..2000).map(|n| n * n))] {
            let back = decode(&encode(&times).unwrap()).unwrap();
            assert_eq!(back, times);
            let distribution = Distribution::of(&times).unwrap();
            assert_eq!(distribution.times().unwrap(), times);
            assert_eq!(distribution.count, times.len());
        }
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let distribution = Distribution::of(&filled((1..=1000).map(|n| n * 1000))).unwrap();
        for (found, millis) in [
            (distribution.p50_ms, 500.0),
            (distribution.p90_ms, 900.0),
            (distribution.p99_ms, 990.0),
            (distribution.max_ms, 1000.0),
            (distribution.mean_ms, 500.5),
        ] {
            assert!(
                (found / millis - 1.0).abs() < 0.001,
                "{found} is not {millis}"
            );
        }
        assert!(Distribution::unless_empty(&filled([])).unwrap().is_none());
    }

    #[test]
    fn what_is_no_histogram_says_so() {
        for text in ["", "!", "AAAA", "HISTFAAAAA=="] {
            let error = decode(text).unwrap_err().to_string();
            assert!(error.contains("V2 encoding"), "{text}: {error}");
        }
    }

    #[test]
    fn adding_is_exact() {
        let (mut one, other) = (filled(1..500), filled(300..90_000));
        add(&mut one, &other);
        assert_eq!(one, filled((1..500).chain(300..90_000)));
    }

    proptest::proptest! {
        /// Whatever is read is a histogram or an error.
        #[test]
        fn no_text_panics(text: String, at in 0_usize..200, byte: u8) {
            let _ = decode(&text);
            let mut bytes = BASE64_STANDARD.decode(encode(&filled((1..300).map(|n| n * n))).unwrap()).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = decode(&BASE64_STANDARD.encode(bytes));
        }
    }
}
