//! What people write: an arrival process as a document.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::gaps::Arrival;
use crate::duration::Span;

/// An arrival process, as scenario files have it: one key that says which, and what it needs.
///
/// ```yaml
/// sequence:
///   - constant: {rate: 5, duration: 30s}
///   - ramp: {from: 5, to: 500, duration: 2m, arrivals: constant}
///   - sum:
///       - sine: {mean: 50, amplitude: 40, period: 1m, noise: 0.1, duration: 5m}
///       - onOff: {on: {rate: 200, mean: 2s}, off: {mean: 10s}, duration: 5m}
/// ```
///
/// Rates are requests per second. Where the rate varies, `arrivals` says how the gaps are chosen
/// between which the time runs at that rate: Poisson if it is not given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ScheduleSpec {
    /// Evenly spaced requests at a steady rate, the first at once.
    Constant(SteadySpec),
    /// Independent requests at a steady rate.
    Poisson(SteadySpec),
    /// Requests in bursts, or more regular than independent ones, at a steady rate.
    Gamma(GammaSpec),
    /// A rate that alternates between two, for exponentially distributed times: with Poisson
    /// arrivals, a Markov-modulated Poisson process.
    OnOff(OnOffSpec),
    /// A rate that swings around a mean, beginning there and rising.
    Sine(SineSpec),
    /// A rate that changes evenly from one to another.
    Ramp(RampSpec),
    /// One rate after the other.
    Steps(StepsSpec),
    /// A rate that is much higher for a while.
    Spike(SpikeSpec),
    /// A recording.
    Trace(TraceSpec),
    /// All of these at once.
    Sum(Vec<ScheduleSpec>),
    /// These one after the other.
    Sequence(Vec<ScheduleSpec>),
}

/// Text that does not describe an arrival process: where it is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

impl FromStr for ScheduleSpec {
    type Err = ReadError;

    /// Reads YAML, or JSON, which is YAML too.
    fn from_str(text: &str) -> Result<Self, ReadError> {
        serde_saphyr::from_str(text).map_err(|error| ReadError(error.to_string()))
    }
}

/// A rate that does not change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SteadySpec {
    /// Requests per second, on average; 0 is a pause.
    pub rate: f64,
    /// How long requests start.
    pub duration: Span,
}

/// A rate that does not change, with gamma distributed gaps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GammaSpec {
    /// Requests per second, on average.
    pub rate: f64,
    /// The variance of the gaps over the square of their mean: 1 is Poisson, less is more regular,
    /// more comes in bursts. From 0.001 to 1000.
    pub burstiness: f64,
    /// How long requests start.
    pub duration: Span,
}

/// Two rates that alternate.
// As keys `on` and `off` would be truth values to what reads YAML 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnOffSpec {
    /// One state.
    pub active: PhaseSpec,
    /// The other state, in which there may be requests too.
    pub idle: PhaseSpec,
    /// How long requests start.
    pub duration: Span,
    /// How the gaps are chosen.
    #[serde(default)]
    pub arrivals: Arrival,
}

/// A state of a rate that alternates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseSpec {
    /// Requests per second in this state; 0 if it is not given.
    #[serde(default)]
    pub rate: f64,
    /// How long the state lasts on average.
    pub mean: Span,
}

/// A rate that swings: `mean + amplitude · sin(2π t / period)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SineSpec {
    /// Requests per second, on average.
    pub mean: f64,
    /// How far the rate goes above and below the mean; at most the mean.
    pub amplitude: f64,
    /// The time of one swing.
    pub period: Span,
    /// How long requests start.
    pub duration: Span,
    /// The standard deviation of a random factor of the rate, another for each second; its mean
    /// is 1. No noise if it is not given.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: f64,
    /// How the gaps are chosen.
    #[serde(default)]
    pub arrivals: Arrival,
}

/// A rate that changes evenly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RampSpec {
    /// Requests per second at the start.
    pub from: f64,
    /// Requests per second at the end.
    pub to: f64,
    /// How long requests start.
    pub duration: Span,
    /// The standard deviation of a random factor of the rate, another for each second.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: f64,
    /// How the gaps are chosen.
    #[serde(default)]
    pub arrivals: Arrival,
}

/// One rate after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepsSpec {
    /// Requests per second, in order.
    pub rates: Vec<f64>,
    /// How long each rate holds.
    pub each: Span,
    /// The standard deviation of a random factor of the rate, another for each second.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: f64,
    /// How the gaps are chosen.
    #[serde(default)]
    pub arrivals: Arrival,
}

/// A rate that is another for a while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpikeSpec {
    /// Requests per second before and after the spike; 0 if it is not given.
    #[serde(default)]
    pub base: f64,
    /// Requests per second in the spike.
    pub peak: f64,
    /// When the spike begins.
    pub at: Span,
    /// How long the spike is.
    pub lasting: Span,
    /// How long requests start, the spike included.
    pub duration: Span,
    /// The standard deviation of a random factor of the rate, another for each second.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: f64,
    /// How the gaps are chosen.
    #[serde(default)]
    pub arrivals: Arrival,
}

/// A recording in a CSV file: how many requests there were in each second or minute, or when each
/// arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TraceSpec {
    /// The file; its path is relative to the folder of the document.
    pub file: String,
    /// What a row is.
    pub unit: TraceUnit,
    /// The column with the numbers of requests, or with the times of arrival. Of two columns the
    /// second has numbers, and the first column has times of arrival, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Column>,
    /// The column that says which second or minute a row is; the first if it is not given and is
    /// not `column`. Those that are missing have no requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_column: Option<Column>,
    /// How far into the recording to begin, in its own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Span>,
    /// How much of the recording to take, in its own time; the rest if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<Span>,
    /// A factor of all times: 0.1 plays the same requests in a tenth of the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_time: Option<f64>,
    /// A factor of the number of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_rate: Option<f64>,
    /// Scales the number of requests so that the highest rate of what is played is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<f64>,
    /// The standard deviation of a random factor of the rate, another for each second.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: f64,
    /// How the gaps are chosen within each second or minute; Poisson if it is not given. Recorded
    /// times of arrival have none to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Arrival>,
}

impl TraceSpec {
    /// All of a file, as it is.
    pub fn new(file: impl Into<String>, unit: TraceUnit) -> Self {
        Self {
            file: file.into(),
            unit,
            column: None,
            time_column: None,
            from: None,
            lasting: None,
            scale_time: None,
            scale_rate: None,
            max_rate: None,
            noise: 0.0,
            arrivals: None,
        }
    }
}

/// What a row of a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TraceUnit {
    /// The number of requests in a second.
    Second,
    /// The number of requests in a minute.
    Minute,
    /// The number of requests in an hour.
    Hour,
    /// One request: when it arrived, in seconds or as a date and time.
    Arrivals,
}

/// A column of a recording: its name in the first row, or if there is none of that name its number,
/// from 1 on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("type" = ["string", "integer"])))]
#[serde(transparent)]
pub struct Column(pub String);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(noise: &f64) -> bool {
    *noise == 0.0
}
