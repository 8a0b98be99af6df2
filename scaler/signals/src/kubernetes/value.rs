//! Amounts, times and lengths of time as Kubernetes writes them.

use std::time::Duration;

use ebbtide_core::time::Timestamp;
use jiff::SignedDuration;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Suffixes of amounts, and the factor of each.
const FACTORS: [(&str, f64); 15] = [
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// An amount: `250m`, `64Mi`, `1e3`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantity(pub(super) f64);

impl Quantity {
    fn parse(text: &str) -> Option<Self> {
        let suffix = FACTORS.iter().find(|(suffix, _)| text.ends_with(suffix));
        let (number, factor) = match suffix {
            Some((suffix, factor)) => (text.strip_suffix(suffix)?, *factor),
            None => (text, 1.0),
        };
        let number: f64 = number.parse().ok()?;
        let amount = number * factor;
        (amount.is_finite() && amount >= 0.0).then_some(Self(amount))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not an amount")))
    }
}

/// A point in time, from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let time: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        let nanoseconds = u64::try_from(time.as_nanosecond()).map_err(D::Error::custom)?;
        Ok(Self(Timestamp::from_nanos(nanoseconds)))
    }
}

/// A length of time: `15.2s`, `1m0s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window(pub(super) Duration);

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let length: SignedDuration = text.parse().map_err(D::Error::custom)?;
        let length = Duration::try_from(length).map_err(D::Error::custom)?;
        Ok(Self(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_suffixes_and_exponents() {
        for (text, expected) in [
            ("250m", 0.25),
            ("2", 2.0),
            ("0.5", 0.5),
            ("12345678n", 0.012_345_678),
            ("10u", 1e-5),
            ("64Mi", 67_108_864.0),
            ("1.5Gi", 1_610_612_736.0),
            ("129M", 129e6),
            ("1e3", 1000.0),
            ("2E", 2e18),
            ("2E2", 200.0),
            ("0", 0.0),
        ] {
            let found = Quantity::parse(text).unwrap().0;
            assert!(
                (found - expected).abs() <= expected * 1e-9,
                "{text}: {found}"
            );
        }
        for text in ["", "Mi", "-1", "1 Mi", "one", "inf", "NaN", "1e999"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_count_from_1970() {
        let read = |text: &str| serde_json::from_str::<Time>(&format!("{text:?}"));
        for (text, milliseconds) in [
            ("1970-01-01T00:00:01Z", 1_000),
            ("2026-11-26T12:00:00Z", 1_795_694_400_000),
            ("2026-11-26T14:00:00.250+02:00", 1_795_694_400_250),
        ] {
            let expected = Timestamp::from_millis(milliseconds);
            assert_eq!(read(text).unwrap().0, expected, "{text}");
        }
        assert!(read("1969-12-31T23:59:59Z").is_err() && read("noon").is_err());
    }

    #[test]
    fn windows_are_as_go_prints_them() {
        let read = |text: &str| serde_json::from_str::<Window>(&format!("{text:?}"));
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("15.25s", 15_250),
            ("1m0s", 60_000),
            ("1m2.5s", 62_500),
            ("1h0m0s", 3_600_000),
            ("500ms", 500),
            ("0s", 0),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(read(text).unwrap().0, expected, "{text}");
        }
        assert!(read("-5s").is_err() && read("long").is_err());
    }
}
