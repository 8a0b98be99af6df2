//! What a figure is compared with: a number in the figure's unit.

use std::fmt;
use std::time::Duration;

use ebbtide_core::duration::{self, Span};

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Milliseconds.
    Time,
    /// Of requests, replicas or events.
    Count,
    /// Replica-seconds.
    ReplicaSeconds,
    Percent,
    PerSecond,
}

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    Time(Duration),
    Count(u64),
    ReplicaSeconds(f64),
    Percent(f64),
    PerSecond(f64),
}

impl Unit {
    /// Reads a bound of this unit.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what would be right.
    pub(super) fn read(self, text: &str) -> Result<Bound, String> {
        if text.is_empty() {
            return Err(format!("here the bound is missing: {}", self.teach()));
        }
        match self {
            Self::Time => duration::parse(text)
                .map(Bound::Time)
                .map_err(|error| format!("{error}; {}", self.teach())),
            Self::Count => match text.parse() {
                Ok(count) => Ok(Bound::Count(count)),
                Err(_) => Err(self.teach().to_owned()),
            },
            Self::ReplicaSeconds => self.number(text, "").map(Bound::ReplicaSeconds),
            Self::Percent => self.number(text, "%").map(Bound::Percent),
            Self::PerSecond => self.number(text, "/s").map(Bound::PerSecond),
        }
    }

    fn number(self, text: &str, unit: &str) -> Result<f64, String> {
        (text.strip_suffix(unit))
            .and_then(|number| number.trim_end().parse().ok())
            .filter(|number: &f64| number.is_finite() && number.is_sign_positive())
            .ok_or_else(|| self.teach().to_owned())
    }

    fn teach(self) -> &'static str {
        match self {
            Self::Time => "this metric is a time: write it with its unit, as in 250ms, 2s or 1m30s",
            Self::Count => "this metric is a count: write a whole number without a unit, as in 5",
            Self::ReplicaSeconds => {
                "this metric is in replica-seconds: write a number without a unit, as in 30"
            }
            Self::Percent => "this metric is a share: write it in percent, as in 0.1%",
            Self::PerSecond => "this metric is a rate: write it per second, as in 95/s",
        }
    }

    /// A figure in words.
    pub(super) fn words(self, value: f64) -> String {
        match self {
            Self::Time if value >= 10_000.0 => format!("{} s", rounded(value / 1000.0)),
            Self::Time => format!("{} ms", rounded(value)),
            Self::Count => format!("{value:.0}"),
            Self::ReplicaSeconds => rounded(value),
            Self::Percent => format!("{}%", rounded(value)),
            Self::PerSecond => format!("{}/s", rounded(value)),
        }
    }
}

/// With up to three decimals.
fn rounded(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Bound {
    /// In what figures of its unit are given in.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of 2^53 is beyond any run"
    )]
    pub(super) fn value(self) -> f64 {
        match self {
            Self::Time(time) => time.as_nanos() as f64 / 1e6,
            Self::Count(count) => count as f64,
            Self::ReplicaSeconds(value) | Self::Percent(value) | Self::PerSecond(value) => value,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{}", Span(*time)),
            Self::Count(count) => write!(f, "{count}"),
            Self::ReplicaSeconds(value) => write!(f, "{value}"),
            Self::Percent(value) => write!(f, "{value}%"),
            Self::PerSecond(value) => write!(f, "{value}/s"),
        }
    }
}
